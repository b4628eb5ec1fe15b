import { expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { pathOfViewName, planViewName } from '../../../src/store/plan-view-name.ts'

const plan = (path: string, ...taken: number[]) => planViewName(parsePath(path), new Set(taken))

test('a path that the disk can hold is its own name', () => {
  expect(plan('a/b/c.jpg')).toBe('a/b/c.jpg')
  expect(plan(`${'x'.repeat(251)}.jpg`)).toBe(`${'x'.repeat(251)}.jpg`)
})

test('a part that is taken gets a suffix, before the extension of the last', () => {
  expect(plan('a/b.jpg', 1)).toMatch(/^a\/b~[0-9a-f]{10}\.jpg$/)
  expect(plan('a/b.jpg', 0)).toMatch(/^a~[0-9a-f]{10}\/b\.jpg$/)
  expect(plan('a.d/b', 0, 1)).toMatch(/^a\.d~[0-9a-f]{10}\/b~[0-9a-f]{10}$/)
  expect(plan('.hidden', 0)).toMatch(/^\.hidden~[0-9a-f]{10}$/)
})

test('a part that looks as if it had a suffix gets one', () => {
  const looking = ['b~0123456789.jpg', 'b~0123456789', 'b~ABCDEF0123.JPG']
  for (const name of looking) expect(plan(name)).toMatch(/~[0-9a-fA-F]{10}~[0-9a-f]{10}/)
  expect(plan('b.c~0123456789')).toMatch(/^b~[0-9a-f]{10}\.c~0123456789$/)
  expect(plan('a~0123456789/b.jpg')).toMatch(/^a~0123456789~[0-9a-f]{10}\/b\.jpg$/)
  expect(plan('b~0123456789.jpg/c.jpg')).toMatch(/^b~0123456789\.jpg~[0-9a-f]{10}\/c\.jpg$/)
  for (const name of ['b~012345678.jpg', 'b~0123456789x.jpg', 'b~x123456789']) {
    expect(plan(name)).toBe(name)
  }
})

test.each([
  ['b.jpg', [0]],
  ['a/b.jpg', [0]],
  ['a/b.jpg', [0, 1]],
  ['a.d/b', [0, 1]],
  ['a~0123456789/b~0123456789.jpg', []],
  ['图/图.jpg', [1]]
])('the path %s is read from its name', (path, taken) => {
  expect(pathOfViewName(plan(path, ...taken))).toBe(path)
})

test.each([
  ...['b.jpg', 'b~0123456789.jpg', '~0123456789', '..~0123456789/b.jpg'],
  plan(`${'x'.repeat(300)}.jpg`)
])('there is none in %s', (name) => {
  expect(pathOfViewName(name)).toBeUndefined()
})

test('all paths of a folder agree on its suffix; other folders differ', () => {
  const folder = (path: string) => plan(path, 0).split('/')[0]
  expect(folder('a/b.jpg')).toBe(folder('a/c/d.jpg'))
  expect(plan('a/x/b.jpg', 1)).not.toBe(plan('a/x/b.jpg', 1).replace('a/', 'b/'))
  expect(plan('b/x/b.jpg', 1).split('/')[1]).not.toBe(plan('a/x/b.jpg', 1).split('/')[1])
})

test('too long parts are cut between characters and keep their extension', () => {
  const name = plan(`${'图'.repeat(100)}.jpg`)
  expect(name).toMatch(/^图+~[0-9a-f]{10}\.jpg$/)
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(143)
  expect(name).not.toBe(plan(`${'图'.repeat(101)}.jpg`))
  expect(plan(`a.${'x'.repeat(300)}`)).toMatch(/^a\.x+~[0-9a-f]{10}$/)
})
