// The index over database files that are really damaged, each kind in each way.

import { hash as digest } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import { forgetDamaged, repairDatabase } from '../../src/index/repair-database.ts'
import { temporaryFolder } from '../support/data-folder.ts'
import { openIndexOver } from '../support/open-index.ts'

const IMAGES = 300

let root: ReturnType<typeof temporaryFolder>
let sound: string
let copies = 0

/** Two tables and a log, which a crash has left. */
beforeAll(async () => {
  root = temporaryFolder()
  const folder = join(root.path, 'grown')
  sound = join(root.path, 'sound')
  for (const part of [0, 1, 2]) {
    const { index, close } = await openIndexOver(await openDatabase(folder))
    const numbers = Array.from({ length: IMAGES / 3 }, (_, n) => (part * IMAGES) / 3 + n)
    await Promise.all(numbers.map((n) => put(index, n)))
    if (part === 2) cpSync(folder, sound, { recursive: true })
    await close()
  }
})
afterAll(() => root.remove())

function put(index: ImageIndex, n: number) {
  return index.change((tx) =>
    tx.putImage({
      path: parsePath(`d/${n}.jpg`),
      hash: digest('sha256', `${n}`) as ContentHash,
      md5: digest('md5', `${n}`) as Md5,
      bytes: n,
      mediaType: 'image/jpeg',
      createdMs: 0
    })
  )
}

function fileOf(folder: string, kind: RegExp): string {
  const sized = readdirSync(folder)
    .filter((name) => kind.test(name))
    .map((name) => join(folder, name))
    .sort((a, b) => readFileSync(b).byteLength - readFileSync(a).byteLength)
  return sized[0] as string
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  const from = Math.floor(at * (bytes.byteLength - 4))
  for (let n = from; n < from + 4; n++) bytes[n] = (bytes[n] as number) ^ 0xa5
  writeFileSync(file, bytes)
}

const KINDS = { table: /\.ldb$/, log: /^\d+\.log$/, CURRENT: /^CURRENT$/, MANIFEST: /^MANIFEST/ }
const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  'flipped at its start': (file) => flip(file, 0),
  'flipped in its middle': (file) => flip(file, 0.5),
  'flipped near its end': (file) => flip(file, 0.9),
  'flipped at its end': (file) => flip(file, 1),
  halved: (file) => truncateSync(file, readFileSync(file).byteLength >> 1),
  empty: (file) => truncateSync(file),
  gone: (file) => rmSync(file)
}
const FEW = ['flipped in its middle', 'empty', 'gone']
const CASES = Object.entries(KINDS).flatMap(([name, kind]) =>
  Object.entries(DAMAGES)
    .filter(([how]) => name === 'table' || FEW.includes(how))
    .map(([how, damage]) => [`${name} ${how}`, kind, damage] as const)
)

async function pathsOf(index: ImageIndex): Promise<number> {
  let count = 0
  for await (const { path } of index.list()) count += Number(index.image(path) !== undefined)
  return count
}

/**
 * Opens, reads and writes it as a node does; a damage that a read meets is mended. `isFollowed`:
 * all is done that follows from it.
 */
async function use(folder: string, { isFollowed = true } = {}) {
  const damage: string[] = []
  const database = await openDatabase(folder, (what) => damage.push(what))
  const parts = {
    repair: (what: string) => repairDatabase(folder, what),
    onWhole: () => forgetDamaged(folder)
  }
  const { index, close } = await openIndexOver(database, { parts }).catch(async (error) => {
    damage.push(String(error))
    await database.close()
    await parts.repair(String(error))
    await database.open()
    return openIndexOver(database, { parts })
  })
  const work = async () => {
    await index.selfCheck.everything({
      signal: new AbortController().signal,
      onFaults: () => {}
    })
    await put(index, IMAGES)
    return pathsOf(index)
  }
  const images = await work().catch(async (error) => {
    expect(index.upkeep.noteFailure(error), String(error)).toBe(true)
    damage.push(String(error))
    expect(await index.upkeep.mend()).toBe(true)
    expect(index.fault).toBeUndefined()
    return work()
  })
  if (isFollowed) index.upkeep.endDamage()
  await close()
  return { images, damage }
}

test.each(CASES)('%s: it is told, and the rest can be used', async (_, kind, damage) => {
  const folder = join(root.path, `copy-${copies++}`)
  cpSync(sound, folder, { recursive: true })
  damage(fileOf(folder, kind))
  const first = await use(folder, { isFollowed: false })
  // a run that ends before all is done leaves that to the next one
  if (first.damage.length > 0) expect((await use(folder)).damage).toHaveLength(1)
  // what is lost is said; a log may end anywhere
  if (first.images < IMAGES + 1 && kind !== KINDS.log) expect(first.damage).not.toEqual([])
  expect(first.images).toBeGreaterThan(kind === KINDS.table ? 0 : 199)
  const second = await use(folder)
  expect(second).toEqual({ images: first.images, damage: [] })
})

test('a log that is gone is told, until all is done that follows from it', async () => {
  const folder = join(root.path, 'no-log')
  cpSync(sound, folder, { recursive: true })
  rmSync(fileOf(folder, KINDS.log))
  for (const isFollowed of [false, true]) {
    expect((await use(folder, { isFollowed })).damage).toEqual(['its log is gone'])
  }
  expect((await use(folder)).damage).toEqual([])
})

test('what a log has lost in its middle is told', async () => {
  const folder = join(root.path, 'log')
  cpSync(sound, folder, { recursive: true })
  flip(fileOf(folder, KINDS.log), 0.5)
  const { images, damage } = await use(folder)
  expect(images).toBeLessThan(IMAGES + 1)
  expect(damage).toEqual([expect.stringMatching(/dropping \d+ bytes/)])
})
