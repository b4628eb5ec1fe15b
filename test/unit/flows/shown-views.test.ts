import { expect, test } from 'vitest'
import type { ImagePath } from '../../../protocols/path.ts'
import { type ShownView, ShownViews } from '../../../src/flows/shown-views.ts'

function shownAt(path: string, name = path): ShownView {
  const intent = { step: 'view', subject: path, generation: 1 } as const
  const row = { name, ino: 1, hash: 'h' }
  return { path: path as ImagePath, intent, row, names: [], stamps: new Map() }
}

test('what a folder tells of a file that was just shown is expected once', () => {
  const views = new ShownViews()
  views.add(shownAt('a.jpg'))
  views.add(shownAt('B.jpg', 'B~1.jpg'))
  views.add({ ...shownAt('hidden.jpg'), row: undefined })
  const told = ['a.jpg', 'a.jpg', 'other.jpg', 'B.jpg', 'hidden.jpg']
  expect(told.map((name) => views.isTelling(name))).toEqual([true, false, false, false, false])
  views.add(shownAt('a.jpg'))
  expect([views.isTelling('a.jpg'), views.isTelling('a.jpg')]).toEqual([true, false])
})

test('what is shown anew is not forgotten with what was shown before', () => {
  const views = new ShownViews()
  const [older, newer] = [shownAt('a.jpg'), shownAt('a.jpg')]
  views.add(older)
  views.add(newer)
  views.forget(older)
  expect(views.get(newer.path)).toBe(newer)
  views.forget(newer)
  expect([views.get(newer.path), views.isTelling('a.jpg')]).toEqual([undefined, false])
})
