// A disk that takes upper case for lower, made of one that does not.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { makeTestFolder, streamOf, type TestFolder, testBytes } from '../../support/data-folder.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const folded = (path: string): string => {
    if (path === dirname(path)) return path
    const above = folded(dirname(path))
    const name = basename(path)
    const listed =
      fs.existsSync(above) && fs.statSync(above).isDirectory() ? fs.readdirSync(above) : []
    const same = listed.find((one) => one.toLowerCase() === name.toLowerCase())
    return join(above, listed.includes(name) ? name : (same ?? name))
  }
  const folding =
    (call: (...args: never[]) => unknown) =>
    (...args: unknown[]) =>
      call(...(args.map((one) => (typeof one === 'string' ? folded(one) : one)) as never[]))
  const calls = [
    'lstatSync',
    'linkSync',
    'mkdirSync',
    'openSync',
    'rmdirSync',
    'unlinkSync'
  ] as const
  return { ...fs, ...Object.fromEntries(calls.map((name) => [name, folding(fs[name] as never)])) }
})

let on: TestFolder
beforeEach(async () => {
  on = await makeTestFolder()
})
afterEach(() => on.remove())

async function put(seed: number): Promise<ContentHash> {
  const store = on.store()
  const staged = await store.stage(streamOf(testBytes(100, seed)), { bytesMax: 100 })
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

test.each([
  ['a folder', ['A/x.jpg', 'a/y.jpg', 'A/y.jpg']],
  ['a folder in a folder', ['b/A/x.jpg', 'b/a/y.jpg', 'b/A/y.jpg']],
  ['a file', ['x.jpg', 'X.jpg', 'X.JPG']]
])('paths that differ in the case of %s alone have files of their own', async (_what, paths) => {
  const view = on.view()
  const names: string[] = []
  for (const [seed, path] of paths.entries()) {
    const shown = await view.show(parsePath(path), await put(seed), undefined)
    names.push(shown?.name ?? '')
  }
  expect(on.names('quarantine')).toEqual([])
  expect(names[0]).toBe(paths[0])
  for (const [seed, name] of names.entries()) {
    const file = join(on.folder.images, name)
    expect(readdirSync(dirname(file))).toContain(basename(name))
    expect(readFileSync(file)).toEqual(Buffer.from(testBytes(100, seed)))
  }
})
