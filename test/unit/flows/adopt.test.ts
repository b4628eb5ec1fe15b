import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionMs } from '../../../protocols/version.ts'
import { Allowance } from '../../../src/base/allowance.ts'
import { ADOPTED_BYTES_MAX, adopt } from '../../../src/flows/adopt.ts'
import { collect } from '../../../src/flows/collect.ts'
import { LeftFiles } from '../../../src/flows/left-files.ts'
import { type LegacyFile, readLegacyIndex } from '../../../src/flows/legacy-index.ts'
import { remove } from '../../../src/flows/remove.ts'
import { onDisk } from '../../../src/store/disk-error.ts'
import { planViewName } from '../../../src/store/plan-view-name.ts'
import { UnreadableFile } from '../../../src/store/scan.ts'
import { MemoryImages } from '../../support/memory-images.ts'
import { DAY_MS, type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const MINUTE_MS = 60_000

let node: MemoryNode
let images: MemoryImages
let errors: string[]
beforeEach(async () => {
  node = await openMemoryNode()
  images = new MemoryImages(node)
  errors = []
})
afterEach(() => node.close())

const write = (name: string, n: number, ageMs = 10 * MINUTE_MS) =>
  images.write(name, tinyImage(n), ageMs)

/** Runs to its end, whatever time that takes. */
async function adoptAll(legacy: ReadonlyMap<string, LegacyFile> = new Map()) {
  let isDone = false
  const options = { ingest: node.options.ingest, changed: 'version' as const }
  const done = adopt(
    {
      flows: node.flows,
      found: images,
      left: new LeftFiles(),
      allowance: new Allowance(ADOPTED_BYTES_MAX)
    },
    options,
    legacy,
    {
      signal: new AbortController().signal,
      processed: () => {},
      error: (subject, detail) => errors.push(`${subject}: ${detail}`)
    }
  ).finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    if (node.clock.pending > 0) node.clock.advance(100)
  }
  return done
}

const image = (path: string) => node.flows.index.image(parsePath(path))

describe('the age of a found file', () => {
  test('becomes the version and the time of the image', async () => {
    const { mtimeMs } = write('a.svg', 1)
    expect(await adoptAll()).toMatchObject({ adopted: 1, refused: 0 })
    const entry = image('a.svg')
    expect([versionMs(entry?.version ?? 0n), entry?.createdMs]).toEqual([mtimeMs, mtimeMs])
  })

  test('may lie before 1970', async () => {
    write('a.svg', 1, node.clock.now() + MINUTE_MS)
    expect(await adoptAll()).toMatchObject({ adopted: 1 })
    expect(image('a.svg')?.createdMs).toBe(0)
  })

  test('may lie in the future', async () => {
    write('a.svg', 1, -1000 * MINUTE_MS)
    expect(await adoptAll()).toMatchObject({ adopted: 1 })
    expect(versionMs(image('a.svg')?.version ?? 0n)).toBeLessThanOrEqual(node.clock.now())
  })
})

describe('a file that is still written to', () => {
  test('is taken in once it is quiet, with what the earlier index says', async () => {
    write('a.svg', 1, 100)
    write('b.svg', 2)
    const legacy = new Map([['a.svg', { sourceUrl: 'http://example.org/a' }]])
    expect(await adoptAll(legacy)).toMatchObject({ adopted: 2, known: 0, waiting: 0 })
    expect(image('a.svg')?.sourceUrl).toBe('http://example.org/a')
  })

  test('is left for later when it is not', async () => {
    const file = write('a.svg', 1)
    file.onRead = () => {
      file.mtimeMs = node.clock.now()
    }
    expect(await adoptAll()).toMatchObject({ adopted: 0, refused: 0, waiting: 1 })
    expect(node.store.placeOf(digest('sha256', tinyImage(1)) as ContentHash)).toBeUndefined()
  })
})

test('what can not be an image is refused with its name, old or young', async () => {
  write('old.txt', 1)
  images.write('young.svg', Buffer.from('<!doctype html><html></html>'), 100)
  expect(await adoptAll()).toMatchObject({ adopted: 0, refused: 2 })
  expect(errors.map((text) => text.split(':')[0])).toEqual(['old.txt', 'young.svg'])
})

describe('keeps nobody from the others', () => {
  test('a file that can not be read', async () => {
    for (const [n, name] of ['a.svg', 'b.svg', 'c.svg'].entries()) write(name, n)
    const open = images.open.bind(images)
    images.open = (name) => {
      if (name === 'b.svg') throw new UnreadableFile('it can not be read')
      return open(name)
    }
    const legacy = new Map([['b.svg', {}]])
    expect(await adoptAll(legacy)).toMatchObject({ adopted: 2, refused: 1, absent: 0 })
    expect(node.view.names()).toContain('b.svg')
  })

  test('nor one that can not be moved away', async () => {
    await node.put('a.svg', tinyImage(1))
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
    write('a.svg', 1)
    write('b.svg', 2)
    node.view.moveAside = async () =>
      onDisk('setting a file aside', () => {
        throw Object.assign(new Error('no'), { code: 'EACCES' })
      })
    expect(await adoptAll()).toMatchObject({ adopted: 1, refused: 1 })
    expect(errors).toEqual([expect.stringContaining('let the user of this node write')])
  })
})

test('a found file is left where it is when the view is off', async () => {
  node.view.isOn = false
  write('a.svg', 1)
  expect(await adoptAll()).toMatchObject({ adopted: 1 })
  expect(node.view.at('a.svg')).toBe('foreign')
})

test('without a view nobody takes a deleted image in again once its deletion is forgotten', async () => {
  node.view.isOn = false
  write('a.svg', 1)
  expect(await adoptAll()).toMatchObject({ adopted: 1 })
  await remove(node.flows, { trashKeepMs: 0 }, parsePath('a.svg'))
  node.clock.advance(100 * DAY_MS)
  await collect(node.flows, { tombstonesKeepMs: 90 * DAY_MS }, new AbortController().signal)
  expect(node.flows.index.get(parsePath('a.svg'))).toBeUndefined()
  write('b.svg', 2)
  expect(await adoptAll()).toMatchObject({ adopted: 1, refused: 1 })
  expect(errors).toEqual([expect.stringContaining('touch it')])
  expect(node.view.at('a.svg')).toBe('foreign')
})

test('a file that the view made for another path is not taken in', async () => {
  const long = `${'x'.repeat(300)}.svg`
  await node.put(long, tinyImage(1))
  await node.flows.settler.idle()
  const { name } = node.flows.index.view(parsePath(long)) ?? {}
  expect(name).not.toBe(long)
  write(name ?? '', 1)
  expect(await adoptAll()).toMatchObject({ adopted: 0, known: 1, refused: 0 })
  expect(node.flows.index.counts().images).toBe(1)
})

test('a file that an earlier index had shown for another path is not taken in', async () => {
  const long = `${'x'.repeat(300)}.svg`
  node.view.isOn = false // and so no row of the view is there
  await node.put(long, tinyImage(1))
  write(planViewName(parsePath(long), new Set()), 1)
  write(planViewName(parsePath('y/a.svg'), new Set([1])), 1)
  expect(await adoptAll()).toMatchObject({ adopted: 1, known: 1, refused: 0 })
  expect(image('y/a.svg')?.hash).toBe(digest('sha256', tinyImage(1)))
})

describe('where an image is shown under a name that the view has made', () => {
  const made = planViewName(parsePath('a.svg'), new Set([0]))
  beforeEach(async () => {
    await node.put('a.svg/b.svg', tinyImage(9))
    await node.put('a.svg', tinyImage(1))
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg/b.svg'))
    await node.flows.settler.idle()
    expect(node.view.names()).toEqual([made])
    node.clock.advance(20 * MINUTE_MS)
  })

  test('a file under its own name takes the place of that one', async () => {
    write('a.svg', 2)
    expect(await adoptAll()).toMatchObject({ adopted: 1 })
    await node.flows.settler.idle()
    expect(node.view.names()).toEqual(['a.svg'])
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
    expect(node.view.names()).toEqual([])
  })

  test('a file that is left under that name is put away', async () => {
    const hash = image('a.svg')?.hash as ContentHash
    await node.put('c.svg', tinyImage(1))
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
    for (const path of ['a.svg/b.svg', 'a.svg']) {
      await node.view.show(parsePath(path), hash, undefined)
    }
    node.view.unlink('a.svg/b.svg')
    expect(await adoptAll()).toMatchObject({ adopted: 0, refused: 1 })
    expect(node.view.names()).toEqual(['c.svg'])
    expect(node.view.setAside).toEqual([made])
  })

  test('a file of somebody else is refused under that name', async () => {
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
    write(made, 1, 0)
    expect(await adoptAll()).toMatchObject({ adopted: 0, refused: 1 })
    expect([node.view.names(), errors]).toEqual([[made], [expect.stringContaining('rename it')]])
  })
})

test('a file that is older than the deletion of its image is put away', async () => {
  for (const path of ['a.svg', 'b.svg']) await node.put(path, tinyImage(1))
  await node.flows.settler.idle()
  for (const path of ['a.svg', 'b.svg']) {
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath(path))
    write(path, 1)
  }
  // as an index that was lost has left it
  await node.put('c.svg', tinyImage(1))
  const { hash } = image('c.svg') ?? {}
  await node.view.show(parsePath('a.svg'), hash as ContentHash, undefined)
  expect(await adoptAll()).toMatchObject({ adopted: 0, known: 1, refused: 2 })
  expect(node.view.names()).toEqual(['c.svg'])
  expect(node.view.setAside.toSorted()).toEqual(['a.svg', 'a.svg', 'b.svg'])
})

test('of two files that are one path in two spellings, the second is refused by name', async () => {
  const [nfd, nfc] = ['e\u0301.svg', '\u00e9.svg']
  write(nfd, 1)
  await adoptAll()
  await node.flows.settler.idle()
  expect(node.view.names()).toEqual([nfd])
  write(nfc, 2)
  expect(await adoptAll()).toMatchObject({ adopted: 0, known: 1, refused: 1 })
  expect(errors).toEqual([`${nfc}: ${nfd} is the same path, spelled otherwise: rename one`])
})

test('names of the earlier index that can not be paths are told with the reason', () => {
  const refused: string[] = []
  const text = JSON.stringify({ 'a.svg': {}, '../b.svg': {}, 'data/images/c//d.svg': {} })
  const legacy = readLegacyIndex(text, (name, reason) => refused.push(`${name}: ${reason}`))
  expect([...legacy.keys()]).toEqual(['a.svg'])
  expect(refused).toEqual([
    expect.stringMatching(/^\.\.\/b\.svg: .*"\.\."/),
    expect.stringMatching(/^data\/images\/c\/\/d\.svg: .*empty part/)
  ])
})

test('a file that can not even be looked at is in the account', async () => {
  for (const n of [1, 2]) write(`${n}.svg`, n)
  images.closed.add('1.svg')
  expect(await adoptAll()).toMatchObject({ adopted: 1, refused: 1 })
  expect(errors).toEqual(["1.svg: it can't be read (EACCES)"])
})

test('a source of the earlier index that is too long is left out, not the image', async () => {
  write('a.svg', 1)
  const legacy = readLegacyIndex(
    JSON.stringify({ 'a.svg': { source_url: `http://example.org/${'x'.repeat(3000)}` } })
  )
  expect(await adoptAll(legacy)).toMatchObject({ adopted: 1, refused: 0 })
  expect(image('a.svg')?.sourceUrl).toBeUndefined()
})
