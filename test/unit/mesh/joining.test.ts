import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeInvite, encodeInvite } from '../../../protocols/invite.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { memberRecord } from '../../../src/flows/members.ts'
import { admissionOf, type ClusterFacts, sumOf } from '../../../src/mesh/cluster.ts'
import { Joining } from '../../../src/mesh/joining.ts'
import { SecretKeeper } from '../../../src/mesh/secret-keeper.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'

const never = new AbortController().signal
const address = '/ip4/10.0.0.2/tcp/4001/p2p/B'
const OPEN: ClusterFacts = { name: 'default', secret: undefined, isFixed: false, decidedMs: 0 }
const INVITE = { cluster: 'other', secret: new Uint8Array(32).fill(7), addresses: [address] }

let node: MemoryNode
let joining: Joining
let keeper: SecretKeeper
/** What the network was told, in its order. */
let calls: string[]
let admitted: string[]
let save: () => Promise<void>
let open: () => Promise<never>
let dial: () => Promise<{ id: string }>
/** What the node that made an invite answers. */
let answers: object[]

beforeEach(async () => {
  node = await openMemoryNode()
  calls = []
  admitted = []
  save = async () => {}
  open = () => Promise.reject(new Error('not in this test'))
  dial = async () => ({ id: 'B' })
  answers = []
  const idOf = (facts: Pick<ClusterFacts, 'name' | 'secret'>) =>
    admissionOf({ ...OPEN, ...facts }).serviceTag
  const named = new Map([
    [idOf(OPEN), 'nobody'],
    [idOf({ name: INVITE.cluster, secret: INVITE.secret }), 'the invited']
  ])
  const network = {
    id: 'own',
    addresses: () => [`${address.slice(0, -1)}A`],
    peers: () => [{ id: 'member' }, { id: 'stranger' }],
    admit: async ({ serviceTag }: { serviceTag: string }) =>
      void calls.push(`admit ${named.get(serviceTag) ?? 'those with a new secret'}`),
    dial: () => dial(),
    hangUp: async (id: string) => void calls.push(`hang up ${id}`)
  } as never
  const admittedPeers = {
    peers: () => admitted.map((id) => ({ id })),
    has: (id: string) => admitted.includes(id),
    onPeer: () => () => {},
    handle: () => {},
    open: () => open()
  } as never
  const { clock, flows } = node
  keeper = new SecretKeeper(
    { network, admitted: admittedPeers, clock, log: silentLog, save: () => save() },
    OPEN
  )
  const none = {} as never
  const members = {
    ...{ others: () => [], isRemoved: false },
    takeBack: (_: unknown, meet: () => Promise<unknown>) => meet(),
    refresh: async () => void calls.push('read who is removed')
  } as never
  const meetings = { heard: () => undefined, merge: async () => {} } as never
  joining = new Joining({
    ...{ network, flows, members, meetings, keeper },
    tickets: {
      tickets: {} as never,
      port: () => undefined,
      ask: async () => JSON.stringify(answers.shift() ?? { status: 'used' })
    },
    ...{ resolve: none, compare: async (id: string) => void calls.push(`compare with ${id}`) }
  })
})
afterEach(() => node.close())

test('two first invites at once hold the same secret, and it is the one that counts', async () => {
  const [one, two] = await Promise.all([joining.invite(), joining.invite()])
  const secrets = [one, two].map(({ line }) => Buffer.from(decodeInvite(line).secret))
  expect(secrets).toEqual(
    [keeper.facts.secret, keeper.facts.secret].map((s) => Buffer.from(s as Uint8Array))
  )
  expect([one.made, two.made]).toEqual([true, false])
})

test('an invite that can not be made leaves the next one possible', async () => {
  save = () => Promise.reject(new Error('the disk is full'))
  await expect(joining.invite()).rejects.toThrow('the disk is full')
  save = async () => {}
  expect((await joining.invite()).made).toBe(true)
})

test('a secret that can not be kept changes nothing', async () => {
  save = () => Promise.reject(new Error('the disk is full'))
  await expect(joining.meet(encodeInvite(INVITE), never)).rejects.toThrow('the disk is full')
  expect(calls).toEqual(['admit the invited', 'hang up B', 'admit nobody'])
  expect(keeper.facts).toEqual(OPEN)
})

test('a stranger is hung up on before the secret is handed to members', async () => {
  admitted = ['member']
  open = () => {
    calls.push('hand over')
    return new Promise(() => {})
  }
  void joining.invite()
  await settled()
  expect(calls).toEqual(['admit those with a new secret', 'hang up stranger', 'hand over'])
})

test.each([
  ['without a secret', undefined],
  ['with one of its own', new Uint8Array(32).fill(8)]
])('a node %s, minutes ahead, joins and takes each newer secret from then on', async (_, own) => {
  if (own !== undefined) await keeper.take({ cluster: 'default', secret: own, decidedMs: 5 })
  const meshMs = node.clock.now() - 5 * 60_000
  await joining.meet(encodeInvite(INVITE), never)
  expect(keeper.facts.name).toBe('other')
  const rotation = { former: sumOf(INVITE.secret), formerUntilMs: meshMs + 3_600_000 }
  const newer = { cluster: 'other', secret: new Uint8Array(32).fill(9), decidedMs: meshMs }
  expect(await keeper.take({ ...newer, rotation })).toBe('take')
})

test('who is removed hears of it before this node hangs up', async () => {
  const id = '12D3KooWRemoved'
  await node.flows.index.change((tx) => tx.putRecord(memberRecord(id), Buffer.from('{}')))
  expect(await joining.remove(id)).toBe(true)
  expect(calls).toEqual([`compare with ${id}`, 'read who is removed'])
})

function ticketLine(): string {
  const { cluster, addresses } = INVITE
  const ticket = { port: 4002, expiresMs: 2_000_000_000_000 }
  return encodeInvite({ cluster, addresses, secret: new Uint8Array(32).fill(8), ticket })
}

const entranceOf = (secret: Uint8Array) => ({
  ...{ status: 'ok', cluster: INVITE.cluster, secret: Buffer.from(secret).toString('hex') }
})

test('an invite that is given again does not bring back the secret of before', async () => {
  answers = [entranceOf(INVITE.secret), entranceOf(INVITE.secret)]
  for (let n = 0; n < 2; n++) await joining.meet(ticketLine(), never)
  const secret = new Uint8Array(32).fill(9)
  const { decidedMs } = keeper.facts
  await keeper.take({ cluster: INVITE.cluster, secret, decidedMs: decidedMs + 1000 })
  answers = [entranceOf(secret)]
  await joining.meet(ticketLine(), never)
  expect(Buffer.from(keeper.facts.secret ?? [])).toEqual(Buffer.from(secret))
})

test('an invite whose secret was exchanged since the last try is asked anew', async () => {
  const secret = new Uint8Array(32).fill(9)
  answers = [entranceOf(INVITE.secret), entranceOf(secret)]
  dial = () => Promise.reject(new Error('its port is closed'))
  await expect(joining.meet(ticketLine(), never)).rejects.toThrow('its port is closed')
  let dials = 0
  dial = async () => {
    if (++dials > 1) return { id: 'B' }
    throw new NodeError('PEER_UNREACHABLE', 'another secret', { reason: 'other-cluster' })
  }
  expect(await joining.meet(ticketLine(), never)).toMatchObject({ id: 'B' })
  expect(keeper.facts.secret).toEqual(Buffer.from(secret))
})

test('an invite for one use is good until it has led into the mesh', async () => {
  const { cluster, secret } = INVITE
  const line = ticketLine()
  answers = [entranceOf(secret)]
  dial = () => Promise.reject(new Error('its port is closed'))
  await expect(joining.meet(line, never)).rejects.toThrow('its port is closed')
  dial = async () => ({ id: 'B' })
  expect(await joining.meet(line, never)).toMatchObject({ id: 'B' })
  expect(keeper.facts).toMatchObject({ name: cluster, secret: Buffer.from(secret) })
  await expect(joining.meet(line, never)).rejects.toMatchObject({ code: 'BAD_INVITE' })
})
