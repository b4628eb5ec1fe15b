import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeEntry, KIND_RECORD } from '../../../protocols/entry.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { silentLog } from '../../../src/base/log.ts'
import { BLOCKS_PER_WRITER_MAX, Blocks } from '../../../src/flows/blocks.ts'
import { Brakes } from '../../../src/flows/brakes.ts'
import { BlockEnforcer } from '../../../src/flows/enforce-blocks.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { eventually } from '../../support/eventually.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { DAY_MS, type MemoryNode, tinyImage } from '../../support/memory-node.ts'

const IMAGES = 250
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash
const pathOf = (n: number) => parsePath(`${n}.svg`)

let http: HttpNode
let node: MemoryNode
beforeEach(async () => {
  http = await startHttpNode()
  node = http.node
})
afterEach(async () => {
  await node.flows.settler.idle()
  expect(await auditIndex(node.database)).toEqual([])
  await http.close()
})

async function putImages(): Promise<void> {
  for (let n = 0; n < IMAGES; n++) await node.put(pathOf(n), tinyImage(n))
  await node.flows.settler.idle()
}

const block = (hash: ContentHash) =>
  http.send('/api/blocks', { method: 'POST', body: JSON.stringify({ sha256: hash, reason: 'r' }) })
const brake = async () => (await http.send('/api/brakes')).json.brakes[0]
const decide = (body: unknown) =>
  http.send('/api/brakes', { method: 'POST', body: JSON.stringify(body) })
const waiting = async () => {
  const { total, held, left_out } = (await http.send('/api/blocks')).json
  return { total, held, left_out }
}
const isThere = async (n: number) => (await http.send(`/images/${n}.svg`)).status

/** As another server of the mesh writes them. */
async function hear(hashes: readonly string[], writer = 'b', ms = 0): Promise<void> {
  await node.flows.index.change((tx) => {
    for (const hash of hashes) {
      const about = { kind: KIND_RECORD, path: `block/${hash}`, writer, createdMs: 1, bytes: 0 }
      const version = versionAt(node.clock.now() + ms)
      const value = Buffer.from('{"reason":"spite"}')
      const entry = encodeEntry({ ...about, deleted: false, mediaType: '', version, value })
      tx.receive(entry, writer)
    }
  })
}
const allHashes = () => Array.from({ length: IMAGES }, (_, n) => hashOf(n))

describe('blocking in masses', () => {
  beforeEach(putImages)

  test('a block from before the brake holds after a restart, though it was not carried out', async () => {
    await putImages()
    await node.clock.advance(DAY_MS)
    await hear([hashOf(0)])
    await block(hashOf(1))
    await node.flows.settler.idle()
    await node.clock.advance(DAY_MS)
    await hear(allHashes().slice(2), 'c')
    await eventually(async () => expect((await brake()).kind).toBe('changes'))
    // as damaged rows are put together anew
    await node.flows.index.change((tx) => {
      for (const n of [0, 1]) tx.setBlob(hashOf(n), { state: 'wanted' })
    })
    const brakes = new Brakes(node.flows)
    const again = await Blocks.open({ ...node.flows, brakes })
    expect([again.has(hashOf(0)), again.has(hashOf(1))]).toEqual([true, true])
    expect(again.since(brakes.engaged('changes')?.fromMs ?? 0)).toHaveLength(IMAGES - 2)
  })

  test('with one key stops, and goes on once confirmed', async () => {
    const answers: number[] = []
    for (let n = 0; n < 120; n++) answers.push((await block(hashOf(n))).status)
    expect(answers.filter((status) => status === 200)).toHaveLength(100)
    expect(answers.slice(100)).toEqual(Array(20).fill(409))
    // nobody was told of a block that is only held
    expect(await waiting()).toEqual({ total: 100, held: 0, left_out: 0 })
    await eventually(async () => expect(await isThere(99)).toBe(451))
    const { token, ...engaged } = await brake()
    expect(engaged).toMatchObject({ kind: 'changes', count: 100, of: IMAGES })
    expect(engaged.reason).toContain('blocked')
    expect((await block(hashOf(0))).status).toBe(200) // another reason for what is blocked already
    await decide({ token })
    expect((await block(hashOf(119))).status).toBe(200)
  })

  test('together with deletions is counted as one', async () => {
    for (let n = 0; n < 50; n++) await block(hashOf(n))
    for (let n = 50; n < 100; n++) await http.send(`/images/${n}.svg`, { method: 'DELETE' })
    expect(await brake()).toMatchObject({ count: 100 })
  })

  test('by another server takes nothing away before somebody has looked, also over a restart', async () => {
    await hear(allHashes())
    expect(await brake()).toMatchObject({ count: IMAGES })
    expect(await waiting()).toEqual({ total: 0, held: IMAGES, left_out: 0 })
    expect(await isThere(7)).toBe(200)
    const brakes = new Brakes(node.flows)
    const again = await Blocks.open({ ...node.flows, brakes })
    expect([again.size, again.waiting.held]).toEqual([0, IMAGES])
    await new BlockEnforcer({ ...node.flows, blocks: again }).enforceAll()
    expect(await isThere(7)).toBe(200)
  })

  test('is carried out where it is confirmed', async () => {
    await hear(allHashes())
    await decide({ token: (await brake()).token })
    await eventually(async () => expect(await isThere(7)).toBe(451))
    expect(await waiting()).toEqual({ total: IMAGES, held: 0, left_out: 0 })
  })

  test('is undone as a whole, with what was carried out before it stopped', async () => {
    for (let n = 0; n < 120; n++) await block(hashOf(n))
    await hear(allHashes())
    expect(await isThere(3)).toBe(451)
    const { json } = await decide({ token: (await brake()).token, action: 'undo' })
    expect(json.message).toContain(`blocked no more, on all servers: ${IMAGES}`)
    expect(await waiting()).toEqual({ total: 0, held: 0, left_out: 0 })
    await eventually(async () => expect([await isThere(3), await isThere(200)]).toEqual([200, 200]))
  })

  test('that goes on once it was undone stops again', async () => {
    await hear(allHashes())
    const { json } = await decide({ token: (await brake()).token, action: 'undo' })
    const { tasks } = node.http
    await eventually(() => expect(tasks.get(json.task_id)?.status).toBe('completed'))
    await hear(allHashes(), 'b', 120_000)
    expect(await waiting()).toEqual({ total: 0, held: IMAGES, left_out: 0 })
  })

  test('of bytes that nobody has is no mass', async () => {
    await hear(Array.from({ length: 500 }, (_, n) => digest('sha256', `none ${n}`)))
    expect(await brake()).toBeUndefined()
    expect(await waiting()).toEqual({ total: 500, held: 0, left_out: 0 })
  })
})

test('one server does not take the room of the others, and its oldest are kept', async () => {
  const hashes = Array.from({ length: BLOCKS_PER_WRITER_MAX + 10 }, (_, n) =>
    digest('sha256', `${n}`)
  )
  for (let at = 0; at < hashes.length; at += 1000) await hear(hashes.slice(at, at + 1000), 'b', at)
  const { blocks } = node.flows
  expect(blocks.size).toBe(BLOCKS_PER_WRITER_MAX)
  expect(blocks.waiting).toEqual({ held: 0, leftOut: 10 })
  const { json } = await http.send('/api/storage-status')
  expect([json.status, json.status_reasons.join()]).toEqual([
    'degraded',
    expect.stringContaining('10 blocked hashes')
  ])
  const mine = digest('sha256', 'mine') as ContentHash
  expect((await block(mine)).status).toBe(200)
  expect(blocks.has(mine)).toBe(true)
  const again = await Blocks.open({ ...node.flows, log: silentLog })
  expect([again.waiting.leftOut, again.has(hashes[0] as ContentHash)]).toEqual([10, true])
  expect(again.has(hashes.at(-1) as ContentHash)).toBe(false)
  // where one goes another comes
  await blocks.remove(hashes[5] as ContentHash)
  expect([blocks.size, blocks.waiting.leftOut]).toEqual([BLOCKS_PER_WRITER_MAX + 1, 9])
}, 60_000)

test('blocks count from when they were heard of, also after a restart', async () => {
  const hash = digest('sha256', 'late') as ContentHash
  const heardMs = node.clock.now()
  const value = Buffer.from(JSON.stringify({ reason: 'old', createdMs: heardMs - DAY_MS }))
  const about = { kind: KIND_RECORD, path: `block/${hash}`, writer: 'x', createdMs: 1, bytes: 0 }
  const version = versionAt(heardMs - DAY_MS)
  const entry = encodeEntry({ ...about, deleted: false, mediaType: '', version, value })
  await node.flows.index.change((tx) => tx.receive(entry, 'x'))
  await node.flows.index.change(() => {})
  const again = await Blocks.open(node.flows)
  for (const blocks of [node.flows.blocks, again]) {
    expect(blocks.since(heardMs).map(({ reason }) => reason)).toEqual(['old'])
    expect(blocks.since(heardMs + 1)).toEqual([])
  }
  await node.flows.blocks.remove(hash)
  await node.flows.index.change(() => {})
  expect(node.flows.index.meta(`block-heard/${hash}`)).toBeUndefined()
})
