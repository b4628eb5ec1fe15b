import { expect, test } from 'vitest'
import type { Heard } from '../../../protocols/hello/hello.ts'
import { EMPTY_NODE } from '../../../protocols/time-tree-shape.ts'
import type { ServerStatus } from '../../../src/flows/status.ts'
import {
  AWAY_MS,
  clockTroubles,
  diskTroubles,
  type ServerFacts,
  serverOf,
  unreachableTrouble
} from '../../../src/mesh/server-list.ts'

const NOW = 1_700_000_000_000
const PEER = { id: 'peer-b', address: '/ip4/10.0.0.2/tcp/1', dialled: true, sinceMs: NOW - 5 }
const MEMBER = { id: 'peer-b', name: 'b', addresses: ['/ip4/10.0.0.2/tcp/7'] }
const REFUSAL = {
  message: 'Another secret.',
  reason: 'other-cluster',
  place: '10.0.0.2:7',
  refused: true,
  atMs: NOW
}

function stateOf(facts: Partial<ServerFacts>): ServerStatus {
  const none = { member: MEMBER, peer: undefined, waits: false, heard: undefined }
  const unknown = { report: undefined, etaSeconds: undefined, failure: undefined, faults: 0 }
  return serverOf({ id: 'peer-b', ...none, ...unknown, seenMs: undefined, ...facts }, NOW)
}

function report(equal: boolean, wantsFiles: number) {
  const status = {
    root: EMPTY_NODE,
    wantsFiles,
    wantsBytes: 7 * wantsFiles,
    wantRanges: [],
    horizon: 0
  }
  return { status, equal, atMs: NOW - 1 }
}

test.each([
  ['online', { peer: PEER, report: report(true, 0) }],
  ['syncing', { peer: PEER, report: report(true, 3) }],
  ['syncing', { peer: PEER, report: report(false, 0) }],
  ['syncing', { peer: PEER }],
  ['refused', { peer: PEER, waits: true }],
  ['offline', {}],
  ['offline', { seenMs: NOW - AWAY_MS }],
  ['offline', { failure: { ...REFUSAL, refused: false } }],
  ['away', { seenMs: NOW - AWAY_MS - 1 }],
  ['refused', { failure: REFUSAL, seenMs: 0 }]
] as const)('%s, of what is known in case %#', (state, facts) => {
  expect(stateOf(facts).state).toBe(state)
})

test('a connected one is as it says, one that is gone as it was last', () => {
  const here = stateOf({ peer: PEER, report: report(true, 2), etaSeconds: 4, failure: REFUSAL })
  expect(here).toMatchObject({ lastSeenMs: NOW, missingFiles: 2, missingBytes: 14, etaSeconds: 4 })
  expect(here.lastError).toBeUndefined()
  const gone = stateOf({ report: report(true, 2), etaSeconds: 4, failure: REFUSAL, seenMs: 9 })
  expect(gone).toMatchObject({ lastSeenMs: 9, missingFiles: 2, lastError: 'Another secret.' })
  expect([gone.etaSeconds, gone.connectedAtMs, gone.address]).toEqual([
    undefined,
    undefined,
    '/ip4/10.0.0.2/tcp/7'
  ])
  expect(stateOf({ member: undefined, id: 'some-long-peer-id' }).name).toBe('-peer-id')
})

test('one that waits for a person says what to do', () => {
  expect(stateOf({ peer: PEER, waits: true }).lastError).toContain(`join -- ${PEER.address}`)
})

test('clocks that are far apart are told, with who is ahead', () => {
  const offBy = (clockOffsetMs: number) => {
    return stateOf({
      peer: PEER,
      heard: { clockOffsetMs, addresses: [], name: 'b' } as unknown as Heard
    })
  }
  expect(clockTroubles([offBy(600_000), offBy(-600_000), stateOf({})])).toEqual([])
  expect(clockTroubles([offBy(720_000), offBy(-600_001)]).map(({ text }) => text)).toEqual([
    'The clock of b is 12 minutes ahead of that of this server. Set both, best by NTP.',
    'The clock of b is 10 minutes behind that of this server. Set both, best by NTP.'
  ])
})

test('a connected server whose disk is full is a trouble, with since when', () => {
  const of = (state: 'low' | 'full', facts: Partial<ServerFacts>) => {
    const { status, ...said } = report(true, 0)
    return stateOf({
      report: { ...said, status: { ...status, disk: { state, sinceMs: NOW } } },
      ...facts
    })
  }
  expect(of('full', {}).disk).toEqual({ state: 'full', sinceMs: NOW })
  const servers = [
    of('full', { peer: PEER }),
    of('low', { peer: PEER }),
    of('full', {}),
    stateOf({})
  ]
  expect(diskTroubles(servers).map(({ text }) => text)).toEqual([
    'The disk of b is full, since 2023-11-14 22:13 UTC: new images are not kept there. Make room on it.'
  ])
})

test('a server that names a time that no calendar has is a trouble like any other', () => {
  const { status, ...said } = report(true, 0)
  const disk = { state: 'full', sinceMs: Number.MAX_SAFE_INTEGER } as const
  const server = stateOf({ peer: PEER, report: { ...said, status: { ...status, disk } } })
  expect(diskTroubles([server])).toMatchObject([
    { code: 'server_disk_full', text: expect.stringContaining('The disk of b is full') }
  ])
})

test('offline servers are a trouble only if something is lacking', () => {
  const servers = [stateOf({}), stateOf({ peer: PEER })]
  expect(unreachableTrouble(servers, 0)).toBeUndefined()
  expect(unreachableTrouble([], 5)).toEqual({
    code: 'images_nowhere',
    text: '5 images are neither here nor on any server that is connected. They come with a server that has them: join it, or put them in again.',
    details: { count: 5, servers: '' }
  })
  expect(unreachableTrouble(servers, 5)).toEqual({
    code: 'images_unreachable',
    text: '5 images are neither here nor on any server that is connected. Not connected: b.',
    details: { count: 5, servers: 'b' }
  })
})

test('a server that said it would be off is away until then, and is as others are while it is there', () => {
  const member = { ...MEMBER, awayUntilMs: NOW + 60_000 }
  expect(stateOf({ member })).toMatchObject({
    state: 'away',
    lastError: 'It said that it is switched off until 2023-11-14 22:14 UTC.',
    lastCause: { code: 'away_until', details: { until: '2023-11-14T22:14:20.000Z' } }
  })
  expect(stateOf({ member: { ...member, awayUntilMs: NOW } })).toMatchObject({ state: 'offline' })
  const forEver = { ...member, awayUntilMs: NOW + 100 * 86_400_000 }
  expect(stateOf({ member: forEver })).toMatchObject({ state: 'offline' })
  expect(stateOf({ member, peer: PEER })).toMatchObject({ state: 'syncing', lastError: undefined })
  expect(stateOf({ member, failure: REFUSAL })).toMatchObject({ state: 'refused' })
})
