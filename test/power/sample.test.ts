// A few cuts with every test run; README.md has the long ones.

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CutDisk, FragileDisk, fragileDiskObstacle } from '../support/fragile-disk.ts'
import { powerCuts } from './power-cuts.ts'

const obstacle = fragileDiskObstacle()

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-fragile-')))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** So that what a test says of the node can be believed of the disk. */
test('a disk loses in a power cut what was not flushed, and nothing else', {
  timeout: 60_000
}, async (context) => {
  context.skip(obstacle !== undefined, obstacle)
  const disk = await FragileDisk.make(join(folder, 'disk'))
  try {
    const at = (name: string) => join(disk.folder, name)
    writeFileSync(at('flushed'), 'here', { flush: true })
    writeFileSync(at('not-flushed'), 'lost')
    const itself = await open(disk.folder)
    await itself.sync()
    await itself.close()
    writeFileSync(at('never'), 'lost with its name')
    await disk.cut(join(folder, 'cut.img'), 1)
    const cut = await CutDisk.mount(join(folder, 'cut.img'), join(folder, 'cut'))
    const held = readdirSync(cut.folder)
      .filter((name) => name !== 'lost+found')
      .map((name) => [name, readFileSync(join(cut.folder, name), 'utf8')])
    await cut.unmount()
    expect(held.sort()).toEqual([
      ['flushed', 'here'],
      ['not-flushed', '']
    ])
  } finally {
    await disk.remove()
  }
})

test('nothing that was acknowledged is lost in a few power cuts', {
  timeout: 400_000
}, async (context) => {
  context.skip(obstacle !== undefined, obstacle)
  const { counts, faults } = await powerCuts({
    cuts: 2,
    fileSystem: 'ext4',
    seed: 1,
    clients: 8,
    paths: 60,
    waitMs: 1000,
    signal: new AbortController().signal,
    say: () => {}
  })
  expect(faults).toEqual([])
  expect(counts.get('power cut')).toBe(2)
  expect(counts.get('put')).toBeGreaterThan(0)
})
