// A mass of changes that spreads, and a person's word on it that spreads too: three nodes that hear
// of all that the others write.

import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Entry, encodeEntry, type ImageEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { AuditLog, tellAudit } from '../../../src/flows/audit.ts'
import { Blocks } from '../../../src/flows/blocks.ts'
import { type Brake, Brakes } from '../../../src/flows/brakes.ts'
import { confirmChanges, followConfirmations, undoBrake } from '../../../src/flows/decide-brakes.ts'
import { remove } from '../../../src/flows/remove.ts'
import { pageOfChanges } from '../../../src/http/describe-changes.ts'
import { eventually } from '../../support/eventually.ts'
import {
  addEntries,
  DAY_MS,
  type MemoryNode,
  openMemoryNode,
  tinyImage
} from '../../support/memory-node.ts'

const IMAGES = 400
const pathOf = (n: number) => parsePath(`${n}.svg`)
const signal = new AbortController().signal
const control = { signal, total: () => {}, processed: () => {}, error: () => {} }

let a: MemoryNode
let b: MemoryNode
let x: MemoryNode
let all: MemoryNode[]
const written = new Map<MemoryNode, Entry[]>()

beforeEach(async () => {
  a = await openMemoryNode({ peerId: 'a' })
  b = await openMemoryNode({ peerId: 'b', clock: a.clock })
  x = await openMemoryNode({ peerId: 'x', clock: a.clock })
  all = [a, b, x]
  written.clear()
  for (const node of all) {
    const own: Entry[] = []
    written.set(node, own)
    node.flows.index.onNews((news) => {
      own.push(...news.filter(({ from }) => from === undefined).map(({ entry }) => entry))
    })
  }
  await addEntries(
    a,
    Array.from({ length: IMAGES }, (_, n) => pathOf(n))
  )
  await spread()
  a.clock.advance(120_000)
})
afterEach(() => Promise.all(all.map((node) => node.close())))

/** Until nobody has anything new to tell. */
async function spread(): Promise<void> {
  while ([...written.values()].some((own) => own.length > 0)) {
    for (const [node, own] of written) {
      const entries = own.splice(0)
      const from = entries[0]?.writer ?? ''
      for (const other of all.filter((one) => one !== node)) {
        await other.flows.index.change((tx) => {
          for (const entry of entries) tx.receive(entry, from)
        })
      }
    }
  }
}

const engaged = ({ flows }: MemoryNode) => flows.brakes.engaged('changes')
const confirm = ({ flows }: MemoryNode) => {
  const brake = flows.brakes.engaged('changes')
  if (brake === undefined) throw new Error('nothing has stopped')
  return confirmChanges(flows, brake)
}

/** How many went before it stopped. */
async function removeOn(node: MemoryNode, from: number, to: number): Promise<number> {
  for (let n = from; n < to; n++) {
    if (n % 10 === 0) await spread()
    try {
      await remove(node.flows, { trashKeepMs: DAY_MS }, pathOf(n))
    } catch (error) {
      expect(error).toMatchObject({ code: 'BRAKE_ENGAGED' })
      await spread()
      return n - from
    }
  }
  await spread()
  return to - from
}

/** As a member does that keeps to no rules. */
async function hostile(name: string, value: unknown): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value))
  await x.flows.index.change((tx) => tx.putRecord(name, bytes))
  await spread()
}

async function hostileDeletes(from: number, to: number, { writer = 'x', ms = a.clock.now() } = {}) {
  const about = { kind: KIND_IMAGE, deleted: true, bytes: 0, mediaType: '', createdMs: 1 }
  const entries = Array.from({ length: to - from }, (_, n) =>
    encodeEntry({ ...about, path: pathOf(from + n), writer, version: versionAt(ms) + BigInt(n) })
  )
  for (const { flows } of all) {
    await flows.index.change((tx) => {
      for (const entry of entries) tx.receive(entry, 'x')
    })
  }
}

describe('a confirmation', () => {
  test('releases the others that stopped for the same, and those go on hearing of the rest', async () => {
    expect(await removeOn(a, 0, IMAGES)).toBe(100)
    expect([engaged(a), engaged(b)]).toMatchObject([{ count: 100 }, { count: 100 }])
    await confirm(a)
    await spread()
    await eventually(() => expect(engaged(b)).toBeUndefined())
    expect(await removeOn(a, 100, IMAGES)).toBe(300)
    for (const node of all) await eventually(() => expect(engaged(node)).toBeUndefined())
    expect(b.flows.brakes.releases()).toMatchObject([
      { how: 'confirm', by: 'a', from: 'a', count: 100, of: IMAGES }
    ])
  })

  test('on another server than where it happens does as well', async () => {
    expect(await removeOn(a, 0, IMAGES)).toBe(100)
    await confirm(b)
    await spread()
    await eventually(() => expect(engaged(a)).toBeUndefined())
    expect(await removeOn(a, 100, IMAGES)).toBe(300)
    for (const node of all) await eventually(() => expect(engaged(node)).toBeUndefined())
  })

  test('allows nobody else anything, neither where it was given nor elsewhere', async () => {
    await removeOn(a, 0, IMAGES)
    await confirm(a)
    await spread()
    await eventually(() => expect(engaged(b)).toBeUndefined())
    await hostileDeletes(200, 320)
    for (const node of [a, b]) expect(engaged(node)).toMatchObject({ count: 120 })
  })

  test('is used up by what it was given for, also by versions from then', async () => {
    const fromMs = a.clock.now()
    await removeOn(a, 0, IMAGES)
    await confirm(a)
    await spread()
    await eventually(() => expect(engaged(b)).toBeUndefined())
    await hostileDeletes(200, 320, { writer: 'a', ms: fromMs })
    expect(engaged(b)).toMatchObject({ count: 120 })
  })

  test('is told to whom it releases, in the audit log', async () => {
    let text = ''
    const file = {
      append: async (more: string) => {
        text += more
      },
      texts: () => [text],
      close: async () => {}
    }
    const audit = new AuditLog({ ...b.flows, file })
    tellAudit({ ...b.flows, audit })
    await removeOn(a, 0, IMAGES)
    await confirm(a)
    await spread()
    await eventually(() => expect(engaged(b)).toBeUndefined())
    await eventually(async () => {
      const lines = await Array.fromAsync(audit.lines())
      expect(lines.map(({ action, by }) => [action, by])).toEqual([['release brake', 'server a']])
    })
  })

  test('reaches a server that was restarted meanwhile', async () => {
    await removeOn(a, 0, IMAGES)
    const brakes = new Brakes(b.flows)
    const flows = { ...b.flows, brakes }
    followConfirmations({ ...flows, blocks: await Blocks.open(flows) })
    expect(brakes.engaged('changes')).toBeDefined()
    await confirm(a)
    await spread()
    await eventually(() => expect(brakes.engaged('changes')).toBeUndefined())
  })

  test('of blocks that wait lets those through', async () => {
    await addEntries(b, []) // nothing of its own
    const hashes = (await Array.fromAsync(a.flows.index.list())).map(({ hash }) => hash)
    for (const hash of hashes.slice(0, 100)) {
      await a.flows.blocks.add(hash, { reason: 'court', node: 'a' })
    }
    await spread()
    const more = digest('sha256', 'more') as ContentHash
    expect(b.flows.blocks.has(more)).toBe(false)
    expect(engaged(b)).toMatchObject({ count: 100 })
    await confirm(a)
    await spread()
    await eventually(() => expect(engaged(b)).toBeUndefined())
    expect(b.flows.blocks.waiting.held).toBe(0)
  })
})

describe('a member that is hostile', () => {
  const blank = (writer: string, toMs: number) => ({
    token: 'x',
    groups: [{ writer, count: 1_000_000, fromMs: 0, toMs }]
  })

  test('opens nothing with the record of before', async () => {
    await removeOn(a, 0, IMAGES)
    await hostile('brake/allowed', { untilMs: a.clock.now() + 600_000 })
    for (const node of [a, b]) expect(engaged(node)).toBeDefined()
  })

  test('opens nothing by a word on other changes, or on such as are to come', async () => {
    await removeOn(a, 0, IMAGES)
    await hostile('brake/confirmed/x', blank('x', a.clock.now()))
    await hostile('brake/confirmed/x', blank('a', a.clock.now() + DAY_MS))
    await hostile('brake/confirmed/x', 'nonsense')
    await x.flows.index.change((tx) => tx.deleteRecord('brake/confirmed/x'))
    await spread()
    for (const node of [a, b]) expect(engaged(node)).toBeDefined()
  })

  test('can say nothing before it happens', async () => {
    await hostile('brake/confirmed/x', blank('x', a.clock.now() + DAY_MS))
    await hostileDeletes(0, 120)
    for (const node of [a, b]) expect(engaged(node)).toMatchObject({ count: 120 })
  })

  test('that confirms what it does as it does it is stopped, and named', async () => {
    for (let n = 0; n < 120; n += 20) {
      await hostile('brake/confirmed/x', blank('x', a.clock.now()))
      await hostileDeletes(n, n + 20)
    }
    for (const { flows } of [a, b]) {
      await eventually(() => expect(flows.brakes.releases()).toMatchObject([{ by: 'x' }]))
    }
  })

  test('is named where it has released a brake', async () => {
    await removeOn(a, 0, IMAGES)
    await hostile('brake/confirmed/x', blank('a', a.clock.now()))
    await eventually(() => expect(engaged(b)).toBeUndefined())
    expect(b.flows.brakes.releases()).toMatchObject([{ by: 'x', from: 'x' }])
  })
})

test('a server that stopped for something else is not released', async () => {
  const entry = (n: number) => {
    const about = { kind: KIND_IMAGE, deleted: true, bytes: 0, mediaType: '', createdMs: 1 }
    return encodeEntry({
      ...about,
      path: pathOf(n),
      writer: 'x',
      version: versionAt(a.clock.now()) + BigInt(n)
    })
  }
  await b.flows.index.change((tx) => {
    for (let n = 200; n < 320; n++) tx.receive(entry(n), 'x')
  })
  expect(await removeOn(a, 0, 150)).toBe(100)
  await confirm(a)
  await spread()
  await eventually(() => expect(engaged(a)).toBeUndefined())
  expect(engaged(b)).toMatchObject({ count: 120 })
})

test('an undo on one server releases the others, and is seen before', async () => {
  for (let n = 0; n < 150; n++) await a.put(`real/${n}.svg`, tinyImage(n))
  await spread()
  const before = (await Array.fromAsync(a.flows.index.list())).map(({ path }) => path)
  for (let n = 0; n < 100; n++) {
    await remove(a.flows, { trashKeepMs: DAY_MS }, parsePath(`real/${n}.svg`))
  }
  await spread()
  const brake = engaged(a) as Brake
  for (const node of all) expect(engaged(node)).toBeDefined()
  const page = (cursor?: string) => pageOfChanges(a.flows, brake, { limit: 60, cursor, signal })
  const first = await page()
  expect(first).toMatchObject({ images: 100, missing: 0, uncounted: false, blocks: 0 })
  const second = await page(first.next_cursor as string)
  expect(second).toMatchObject({ images: null, missing: null, next_cursor: null })
  expect(new Set([...first.changes, ...second.changes].map(({ path }) => path)).size).toBe(100)
  expect(first.changes[0]).toMatchObject({ what: 'deleted', by: 'a', here: true, held: false })

  const undone = await undoBrake(a.flows, brake, control)
  expect(undone).toEqual({ restored: 100, failed: 0, unblocked: 0 })
  await spread()
  for (const node of all) {
    await eventually(() => expect(engaged(node)).toBeUndefined())
    expect((await Array.fromAsync(node.flows.index.list())).map(({ path }) => path)).toEqual(before)
  }
  expect(a.flows.brakes.releases()).toMatchObject([{ how: 'undo' }])
})

test('an undo that is broken off leaves the brake, and what is left can be undone', async () => {
  for (let n = 0; n < 150; n++) await a.put(`real/${n}.svg`, tinyImage(n))
  for (let n = 0; n < 100; n++) {
    await remove(a.flows, { trashKeepMs: DAY_MS }, parsePath(`real/${n}.svg`))
  }
  const brake = engaged(a) as Brake
  const stop = new AbortController()
  const processed = (count: number) => {
    if (count === 30) stop.abort(new Error('the node is stopping'))
  }
  const broken = undoBrake(a.flows, brake, { ...control, processed, signal: stop.signal })
  await expect(broken).rejects.toThrow('stopping')
  const again = new Brakes(a.flows).engaged('changes') as Brake
  const left = await pageOfChanges(a.flows, again, { limit: 1, signal })
  expect(left).toMatchObject({ images: 70, uncounted: false })
  expect(await undoBrake(a.flows, again, control)).toMatchObject({ restored: 70, failed: 0 })
  expect(engaged(a)).toBeUndefined()
})

test('what is held is shown as such before it is undone', async () => {
  await removeOn(a, 0, IMAGES)
  const { hash } = a.flows.index.image(pathOf(399)) as ImageEntry
  const value = Buffer.from('{"reason":"court order"}')
  await x.flows.index.change((tx) => tx.putRecord(`block/${hash}`, value))
  await spread()
  const page = await pageOfChanges(a.flows, engaged(a) as Brake, { limit: 1, signal })
  expect(page).toMatchObject({ images: 100, missing: 100, blocks: 1 })
  expect(page.changes).toMatchObject([
    { what: 'blocked', sha256: hash, by: 'x', reason: 'court order', held: true }
  ])
})
