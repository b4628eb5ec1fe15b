import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import type { KnownBlock } from '../../../src/flows/blocks.ts'
import type { Brake } from '../../../src/flows/brakes.ts'
import { imagesChangedSince } from '../../../src/flows/mass-changes.ts'
import { pageOfChanges } from '../../../src/http/describe-changes.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const IMAGES = 30
const { signal } = new AbortController()

let node: MemoryNode
let brake: Brake
/** Past versions that were read. */
let read: number
beforeEach(async () => {
  read = 0
  node = await openMemoryNode()
  for (let n = 0; n < IMAGES; n++) await node.put(`${n}.svg`, tinyImage(n))
  node.clock.advance(1000)
  const sinceMs = node.clock.now()
  const about = { token: 't', sinceMs, fromMs: sinceMs, count: 1, of: 1, reason: '' }
  brake = { kind: 'changes', ...about }
  for (let n = 0; n < 3 * IMAGES; n++) {
    if (n % 4 === 0) node.clock.advance(1)
    const path = parsePath(`${(7 * n) % IMAGES}.svg`)
    if (n % 5 === 0) await node.flows.index.change((tx) => tx.deleteImage(path))
    else await node.put(path, tinyImage(100 + n))
  }
})
afterEach(() => node.close())

function countReads(): void {
  const { index } = node.flows
  const pastSince = index.pastSince.bind(index)
  index.pastSince = async function* (ms, after) {
    for await (const one of pastSince(ms, after)) {
      read++
      yield one
    }
  }
}

function partsWith(blocks: readonly KnownBlock[] = []) {
  const known = { since: () => blocks, has: () => true } as unknown as MemoryNode['flows']['blocks']
  return { index: node.flows.index, blocks: known }
}

async function everything(limit: number, blocks: readonly KnownBlock[] = [], lookedAtMax?: number) {
  const parts = partsWith(blocks)
  const told: string[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const page = await pageOfChanges(parts, brake, { limit, cursor, signal }, lookedAtMax)
    expect(page.changes.length).toBeLessThanOrEqual(limit)
    told.push(...page.changes.map(({ path, sha256 }) => `${path} ${sha256}`))
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined && pages++ < 200)
  return told
}

test('pages of any size tell each change once, blocks first', async () => {
  const block = (n: number): KnownBlock => ({
    ...{ hash: n.toString(16).repeat(64) as ContentHash, reason: '', writer: 'x' },
    ...{ node: 'x', createdMs: 0, sinceMs: 0, versionMs: 0 }
  })
  const blocks = [3, 1, 2].map(block)
  const changed = await Array.fromAsync(imagesChangedSince(node.flows.index, brake.fromMs))
  const images = changed.map(({ path, before }) => `${path} ${before.hash}`)
  expect(images.length).toBeGreaterThan(IMAGES / 2)
  const all = [...[1, 2, 3].map((n) => `null ${block(n).hash}`), ...images]
  for (const limit of [1, 2, 3, 4, 7, 1000]) {
    expect([limit, await everything(limit, blocks)]).toEqual([limit, all])
  }
  // however few are looked at for one page
  for (const lookedAtMax of [1, 2, 10])
    expect(await everything(5, blocks, lookedAtMax)).toEqual(all)
})

test('a page behind a cursor costs what it shows, and the first one a bounded part', async () => {
  const all = await Array.fromAsync(node.flows.index.pastSince(brake.fromMs))
  countReads()
  const parts = partsWith()
  const first = await pageOfChanges(parts, brake, { limit: 3, signal }, 20)
  expect([first.uncounted, read]).toEqual([true, 21])
  read = 0
  const cursor = first.next_cursor as string
  const second = await pageOfChanges(parts, brake, { limit: 3, cursor, signal })
  expect(second.changes).toHaveLength(3)
  expect(read).toBeLessThan(10)
  read = 0
  const whole = await pageOfChanges(parts, brake, { limit: 3, signal })
  expect(read).toBe(all.length)
  expect(whole).toMatchObject({ uncounted: false })
})
