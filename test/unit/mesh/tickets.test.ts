import { hash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Invite, Ticket } from '../../../protocols/invite.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { type AskSideDoor, redeem, TICKETS_MAX, Tickets } from '../../../src/mesh/tickets.ts'
import { CounterTable } from '../../../src/network/counters.ts'
import { askSideDoor } from '../../../src/network/lane-tls.ts'
import { Lanes } from '../../../src/network/lanes.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

const SECRET = new Uint8Array(32).fill(9)
const FACTS = { name: 'photos', secret: SECRET, isFixed: false, decidedMs: 7 }
const HOUR_MS = 3_600_000
const never = new AbortController().signal

let node: MemoryNode
let tickets: Tickets
let lanes: Lanes
beforeEach(async () => {
  node = await openMemoryNode()
  const { flows } = node
  tickets = new Tickets({ ...flows, cluster: () => FACTS })
  const options = { host: '127.0.0.1', port: undefined }
  lanes = new Lanes({ ...flows, counters: new CounterTable() }, options)
  lanes.use({
    network: {
      handle: () => {},
      onPeer: () => () => {},
      peers: () => [],
      open: () => Promise.reject()
    },
    serve: async () => {}
  })
  lanes.sideDoor = tickets
  await lanes.start()
})
afterEach(async () => {
  await lanes.stop()
  await node.close()
})

async function invite(uses?: number): Promise<Invite & { readonly ticket: Ticket }> {
  const expiresMs = node.clock.now() + HOUR_MS
  const secret = await tickets.make({ expiresMs, uses })
  const addresses = ['/ip4/127.0.0.1/tcp/4001/p2p/A']
  return { cluster: 'photos', secret, addresses, ticket: { port: lanes.port ?? 0, expiresMs } }
}
const ask = (one: Invite & { readonly ticket: Ticket }, by: AskSideDoor = askSideDoor) =>
  redeem({ ask: by, clock: node.clock }, one, never)

test('who has the key gets the secret, over a real connection, as often as it may', async () => {
  const many = await invite()
  const twice = await invite(2)
  for (let n = 0; n < 3; n++) {
    expect(await ask(many)).toEqual({
      cluster: 'photos',
      isRotated: false,
      decidedMs: FACTS.decidedMs,
      secret: Buffer.from(SECRET)
    })
  }
  await ask(twice)
  await ask(twice)
  await expect(ask(twice)).rejects.toMatchObject({
    ...{ code: 'BAD_INVITE', message: expect.stringContaining('used as often as it may be') }
  })
})

test('one use is one use, however many ask at once', async () => {
  const once = await invite(1)
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => ask(once)))
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('its time ends, and it can be revoked', async () => {
  const first = await invite()
  node.clock.advance(HOUR_MS - 1)
  await ask(first)
  node.clock.advance(1)
  await expect(ask(first)).rejects.toMatchObject({ message: expect.stringContaining('expired') })
  const second = await invite()
  expect(await tickets.revoke()).toBe(1)
  await expect(ask(second)).rejects.toMatchObject({ message: expect.stringContaining('revoked') })
  expect(await tickets.revoke()).toBe(0)
})

test('open ones are bounded, and revoking makes room for others', async () => {
  const expiresMs = node.clock.now() + HOUR_MS
  await Promise.all(Array.from({ length: TICKETS_MAX }, () => tickets.make({ expiresMs })))
  await expect(tickets.make({ expiresMs })).rejects.toMatchObject({ code: 'VALIDATION' })
  expect(await tickets.revoke()).toBe(TICKETS_MAX)
  const one = await invite()
  expect(await ask(one)).toMatchObject({ cluster: 'photos' })
  expect(node.flows.index.meta('tickets')).toHaveLength(TICKETS_MAX)
})

test('another key gets nothing, and the caller is told to ask for another line', async () => {
  const one = await invite()
  const wrong = { ...one, secret: new Uint8Array(32) }
  await expect(ask(wrong)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  expect(tickets.open('0'.repeat(32))).toBeUndefined()
})

test.each(['', '{}', 'no json', '{"status":"ok","cluster":"photos"}', '{"status":"odd"}'])(
  'an answer that is none is no secret: %s',
  async (text) => {
    await expect(ask(await invite(), async () => text)).rejects.toMatchObject({
      code: expect.stringMatching(/^(PEER_UNREACHABLE|BAD_INVITE)$/)
    })
  }
)

test('who knocks without a key costs one look, however many invites there are', async () => {
  let reads = 0
  const { index: own } = node.flows
  const index = {
    change: own.change.bind(own),
    meta(name: string) {
      reads++
      return own.meta(name)
    }
  } as unknown as ImageIndex
  const watched = new Tickets({ ...node.flows, index, cluster: () => FACTS })
  for (let n = 0; n < 5; n++) await watched.make({ expiresMs: node.clock.now() + HOUR_MS })
  for (let n = 0; n < 1000; n++) expect(watched.open('0'.repeat(32))).toBeUndefined()
  expect(reads).toBeLessThanOrEqual(1)
  const key = await watched.make({ expiresMs: node.clock.now() + HOUR_MS })
  const hex = Buffer.from(key).toString('hex')
  const identity = hash('sha256', `tumesh ticket ${hex}`).slice(0, 32)
  expect(watched.open(identity)?.secret.toString('hex')).toBe(hex)
})
