import { describe, expect, test } from 'vitest'
import { batchesOf } from '../../../../protocols/entries/batch.ts'
import { encodeRefs, refOf } from '../../../../protocols/entries/entry-ref.ts'
import {
  BATCH_BYTES,
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  FETCH_REFS_MAX,
  HISTORY_PAST_MAX,
  PAGE_BYTES,
  PAGE_PAIRS_MAX,
  PAIRS_NODES_MAX,
  SENT_TO_MAX,
  TREE_CHILDREN_MAX,
  TREE_NODES_MAX
} from '../../../../protocols/entries/limits.ts'
import { EntriesClient } from '../../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../../protocols/entries/serve.ts'
import type { EntriesSource } from '../../../../protocols/entries/source.ts'
import {
  type Entry,
  encodeEntry,
  KIND_RECORD,
  SOURCE_URL_BYTES_MAX
} from '../../../../protocols/entry.ts'
import { type ImagePath, parsePath } from '../../../../protocols/path.ts'
import { STATUS, StatusError } from '../../../../protocols/status.ts'
import { ROOT_KEY, treeKey } from '../../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../../protocols/version.ts'
import { imageEntry, MemoryEntries } from '../../../support/memory-entries.ts'
import { never, servePair } from '../../../support/serve-pair.ts'

const NOW_MS = 1_700_000_000_000
const entry = imageEntry('a.png', versionAt(NOW_MS))
const many = (count: number, stepMs = 0) =>
  Array.from({ length: count }, (_, at) =>
    imageEntry(`p/${at}.png`, versionAt(NOW_MS - at * stepMs) + BigInt(at % 5))
  )
const raws = (entries: readonly Entry[]) => entries.map(({ raw }) => raw)

/** Records as large as they may be. */
const large = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    encodeEntry({
      kind: KIND_RECORD,
      path: `r/${at}`,
      deleted: false,
      version: versionAt(NOW_MS + at),
      writer: 'a',
      bytes: 0,
      mediaType: '',
      createdMs: NOW_MS,
      value: new Uint8Array(4096)
    })
  )

function setUp(source: EntriesSource = new MemoryEntries()) {
  const served = servePair(entriesProtocol, source)
  return { client: new EntriesClient(served.stream), ...served }
}

describe('push', () => {
  test('hands entries over with who has them and where they come from', async () => {
    const source = new MemoryEntries()
    const { client } = setUp(source)
    const pushed = await client.push([entry.raw], ['b', 'c'], never)
    expect(pushed).toEqual({ accepted: 1, malformed: 0 })
    expect(source.pushes).toMatchObject([{ sentTo: ['b', 'c'], from: 'asker' }])
    expect(source.pushes[0]?.entries[0]?.path).toBe('a.png')
  })

  test('leaves out what it cannot read, and takes the rest', async () => {
    const source = new MemoryEntries()
    const pushed = await setUp(source).client.push([Uint8Array.of(1), entry.raw], [], never)
    expect(pushed).toEqual({ accepted: 1, malformed: 1 })
    expect(source.size).toBe(1)
  })

  test.each<[string, readonly Uint8Array[], readonly string[]]>([
    ['entries', Array(BATCH_ENTRIES_MAX + 1).fill(entry.raw), []],
    ['bytes', [new Uint8Array(BATCH_BYTES_MAX), entry.raw], []],
    ['peers', [entry.raw], Array(SENT_TO_MAX + 1).fill('p')]
  ])('refuses too many %s, and the stream goes on', async (_, entries, sentTo) => {
    const source = new MemoryEntries()
    const { client } = setUp(source)
    const refused = { status: STATUS.TOO_LARGE }
    await expect(client.push(entries, sentTo, never)).rejects.toMatchObject(refused)
    expect(source.size).toBe(0)
    expect(await client.push([entry.raw], [], never)).toEqual({ accepted: 1, malformed: 0 })
  })

  test('takes every batch that is cut for it, the largest too', async () => {
    const source = new MemoryEntries()
    const { client } = setUp(source)
    const entries = [...large(50), ...many(600)]
    const batches = [...batchesOf(raws(entries))]
    for (const batch of batches)
      await client.push(batch, Array(SENT_TO_MAX).fill('p'.repeat(64)), never)
    expect(source.size).toBe(650)
    const sizes = batches.map((batch) => batch.reduce((sum, one) => sum + one.byteLength, 0))
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(BATCH_BYTES)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(BATCH_BYTES_MAX)
    expect(batches.flat()).toEqual(raws(entries))
  })
})

describe('tree', () => {
  test('describes nodes with their children, highest first', async () => {
    const source = new MemoryEntries([
      imageEntry('a.png', versionAt(1)),
      imageEntry('b.png', versionAt(2 ** 32 * 5)),
      imageEntry('c.png', versionAt(2 ** 32 * 5 + 1), { deleted: true })
    ])
    const keys = [ROOT_KEY, treeKey(1, 0), treeKey(3, 0), treeKey(1, 2 ** 40)]
    const nodes = await setUp(source).client.tree(
      keys.map((key) => ({ key })),
      never
    )
    expect(nodes.map(({ node }) => node)).toEqual(keys.map((key) => source.node(key)))
    expect(nodes.map(({ children }) => children.map(({ index }) => index))).toEqual([
      [5, 0],
      [0],
      [],
      []
    ])
    expect(nodes[0]?.children[0]?.node).toEqual(source.node(treeKey(1, 2 ** 32 * 5)))
  })

  test('gives many children in pages', async () => {
    const times = Array.from({ length: TREE_CHILDREN_MAX + 20 }, (_, at) => at * 2 ** 32 + 1)
    const source = new MemoryEntries(times.map((ms) => imageEntry(`${ms}.png`, versionAt(ms))))
    const { client } = setUp(source)
    const [first] = await client.tree([{ key: ROOT_KEY }], never)
    expect(first).toMatchObject({ more: true })
    const before = first?.children.at(-1)?.index
    const [second] = await client.tree([{ key: ROOT_KEY, before }], never)
    expect(second).toMatchObject({ more: false })
    const indexes = [first, second].flatMap((page) => page?.children.map(({ index }) => index))
    expect(indexes).toEqual([...times.keys()].reverse())
  })

  test.each<[string, { key: string; before?: number }[]]>([
    ['too many nodes', Array(TREE_NODES_MAX + 1).fill({ key: ROOT_KEY })],
    ['no node', [{ key: '999999999' }]],
    ['no child', [{ key: treeKey(1, 0), before: 257 }]]
  ])('refuses %s, and the stream goes on', async (_, nodes) => {
    const { client } = setUp()
    await expect(client.tree(nodes, never)).rejects.toBeInstanceOf(StatusError)
    expect(await client.tree([{ key: ROOT_KEY }], never)).toHaveLength(1)
  })
})

describe('pairs and range', () => {
  const more = many(PAGE_PAIRS_MAX + 1, 1000)

  test.each([0, 1, PAGE_PAIRS_MAX - 1, PAGE_PAIRS_MAX, PAGE_PAIRS_MAX + 1])(
    'tell all of %i entries once, newest first',
    async (count) => {
      const source = new MemoryEntries(more.slice(0, count))
      const { client } = setUp(source)
      const pairs = []
      let page = await client.pairs(ROOT_KEY, undefined, never)
      for (; ; page = await client.pairs(ROOT_KEY, page.next, never)) {
        pairs.push(...page.refs)
        if (page.next === undefined) break
      }
      expect(pairs).toEqual(await Array.fromAsync(source.pairs(ROOT_KEY)))
      expect(pairs).toHaveLength(count)
      const entries = []
      let some = await client.range(ROOT_KEY, undefined, never)
      for (; ; some = await client.range(ROOT_KEY, some.next, never)) {
        entries.push(...some.entries)
        if (some.next === undefined) break
      }
      expect(entries.map(refOf)).toEqual(pairs)
    }
  )

  test('pages of the largest entries stay within their bounds', async () => {
    const source = new MemoryEntries(large(200))
    const { client } = setUp(source)
    const { entries, next } = await client.range(ROOT_KEY, undefined, never)
    expect(entries.length).toBeLessThan(70)
    expect(next).toEqual(refOf(entries.at(-1) as Entry))
  })

  test('keep to the node they are asked for', async () => {
    const source = new MemoryEntries(many(10, 65_536))
    const key = treeKey(3, NOW_MS - 5 * 65_536)
    const { client } = setUp(source)
    expect((await client.pairs(key, undefined, never)).refs).toHaveLength(1)
    expect((await client.range(key, undefined, never)).entries[0]?.path).toBe('p/5.png')
  })
})

describe('pairs of many nodes', () => {
  const leaf = (number: number) => treeKey(3, NOW_MS - number * 65_536)

  test('come in one answer, in the order in which they are asked for', async () => {
    const { client } = setUp(new MemoryEntries(many(10, 65_536)))
    const keys = [leaf(2), leaf(20), leaf(1)]
    const pages = await client.pairsOfMany(keys, never)
    expect(pages.map(({ refs }) => refs.length)).toEqual([1, 0, 1])
    const [first] = await Array.fromAsync(new MemoryEntries(many(10, 65_536)).pairs(leaf(2)))
    expect(pages[0]?.refs).toEqual([first])
  })

  test('are told whole, or left out where they do not fit', async () => {
    const small = many(2, 65_536)
    const source = new MemoryEntries([...many(PAGE_PAIRS_MAX, 1), ...small])
    const { client } = setUp(source)
    const pages = await client.pairsOfMany([leaf(1), ROOT_KEY, leaf(0)], never)
    expect(pages.every(({ next }) => next === undefined)).toBe(true)
    expect(pages).toHaveLength(1)
    const [first] = await client.pairsOfMany([ROOT_KEY, leaf(1)], never)
    expect(first?.next).toEqual(first?.refs.at(-1))
  })

  test('are refused beyond their number, and the stream goes on', async () => {
    const { client } = setUp(new MemoryEntries(many(1, 1)))
    const keys = Array.from({ length: PAIRS_NODES_MAX + 1 }, () => ROOT_KEY)
    await expect(client.pairsOfMany(keys, never)).rejects.toBeInstanceOf(StatusError)
    expect(await client.pairsOfMany(keys.slice(1), never)).toHaveLength(PAIRS_NODES_MAX)
  })
})

describe('fetch', () => {
  test('gives those that are still there', async () => {
    const [first, second, third] = many(3) as [Entry, Entry, Entry]
    const { client } = setUp(new MemoryEntries([first, third]))
    const { entries } = await client.fetch([refOf(third), refOf(second), refOf(first)], never)
    expect(entries.map(({ path }) => path)).toEqual([third.path, first.path])
  })

  test('gives as many of the largest as may be asked for, in several answers', async () => {
    const entries = large(FETCH_REFS_MAX)
    const { client } = setUp(new MemoryEntries(entries))
    const fetched = await client.fetch(entries.map(refOf), never)
    expect(fetched.entries.map(({ path }) => path)).toEqual(entries.map(({ path }) => path))
    expect(client.asked).toBeGreaterThan(1)
    await expect(client.fetch(Array(FETCH_REFS_MAX + 1).fill(refOf(entry)), never)).rejects.toThrow(
      'refs'
    )
  })
})

test('status tells the whole, and what is wanted', async () => {
  const source = new MemoryEntries([entry])
  const status = {
    root: source.node(ROOT_KEY),
    wantsFiles: 3,
    wantsBytes: 2 ** 40,
    wantRanges: [
      { from: 1, to: 1 },
      { from: 5, to: 2 ** 32 - 1 }
    ],
    horizon: 7
  }
  source.status = () => status
  expect(await setUp(source).client.status(never)).toEqual(status)
})

describe('history', () => {
  const path = parsePath('a.png')
  const older = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      entry: imageEntry('a.png', versionAt(NOW_MS - 1 - at)),
      sinceMs: NOW_MS - at
    }))

  test('tells the current version, a tombstone too, and the earlier ones', async () => {
    const source = new MemoryEntries([imageEntry('a.png', versionAt(NOW_MS), { deleted: true })])
    source.past = [...older(2), { entry: imageEntry('b.png', versionAt(1)), sinceMs: 1 }]
    const { current, past } = await setUp(source).client.history(path, never)
    expect(current?.deleted).toBe(true)
    expect(past).toEqual(older(2))
  })

  test('of what never was is empty', async () => {
    expect(await setUp().client.history(path, never)).toEqual({
      ...{ current: undefined, past: [], isAll: true }
    })
  })

  test('leaves out the oldest where there are too many', async () => {
    const source = new MemoryEntries([entry])
    source.past = older(HISTORY_PAST_MAX + 1)
    const told = await setUp(source).client.history(path, never)
    expect(told).toMatchObject({ past: source.past.slice(0, -1), isAll: false })
  })

  test('fits an answer with the largest entries', async () => {
    const source = new MemoryEntries([entry])
    const sourceUrl = `http://x/${'u'.repeat(SOURCE_URL_BYTES_MAX - 9)}`
    source.past = older(HISTORY_PAST_MAX).map(({ entry: { raw: _, id: _id, ...fields } }) => ({
      entry: encodeEntry({ ...fields, sourceUrl }),
      sinceMs: NOW_MS
    }))
    const { past, isAll } = await setUp(source).client.history(path, never)
    expect(isAll).toBe(false)
    const bytes = past.slice(0, -1).reduce((sum, one) => sum + one.entry.raw.byteLength, 0)
    expect(bytes).toBeLessThan(PAGE_BYTES)
    expect(past.length).toBeGreaterThan(PAGE_BYTES / SOURCE_URL_BYTES_MAX / 2)
  })

  test.each(['', '../x.png', 'e\u0301.png'])('refuses %j, and the stream goes on', async (no) => {
    const { client } = setUp(new MemoryEntries([entry]))
    const refused = { status: STATUS.BAD_REQUEST }
    await expect(client.history(no as ImagePath, never)).rejects.toMatchObject(refused)
    expect((await client.history(path, never)).current?.path).toBe('a.png')
  })
})

test('refs sort as bytes as they do as refs', () => {
  const refs = many(50, 1)
    .map(refOf)
    .map((ref) => Buffer.from(encodeRefs([ref])))
  const sorted = [...many(50, 1)].map(refOf).sort((a, b) => (a.version < b.version ? -1 : 1))
  expect(refs.sort(Buffer.compare)).toEqual(sorted.map((ref) => Buffer.from(encodeRefs([ref]))))
})

describe('a source that', () => {
  test('says no is heard, and the stream goes on', async () => {
    const source = new MemoryEntries()
    const { client } = setUp(source)
    source.before = () => {
      throw new StatusError(STATUS.BUSY, 'too much to do')
    }
    const busy = { status: STATUS.BUSY, message: 'too much to do' }
    await expect(client.status(never)).rejects.toMatchObject(busy)
    source.before = () => {}
    expect(await client.status(never)).toMatchObject({ wantsFiles: 0 })
  })

  test('fails ends the stream with its own error', async () => {
    const source = new MemoryEntries()
    source.before = () => {
      throw new TypeError('no disk')
    }
    const { client, outcome } = setUp(source)
    await expect(client.status(never)).rejects.toThrow('aborted')
    expect(await outcome).toBeInstanceOf(TypeError)
  })
})
