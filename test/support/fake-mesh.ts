// A mesh that does nothing by itself: tests say what it answers.

import type { ServerStatus } from '../../src/flows/status.ts'
import type { MeshPort } from '../../src/http/ports.ts'

export function fakeMesh(methods: Partial<MeshPort>): MeshPort {
  const unexpected = () => Promise.reject(new Error('the test does not expect this'))
  return {
    addresses: () => [],
    servers: () => [],
    syncNow: async () => {},
    meet: unexpected,
    invite: unexpected,
    revokeInvites: unexpected,
    remove: unexpected,
    rotate: unexpected,
    secretState: () => NO_SECRET,
    sayAway: unexpected,
    awayUntilMs: () => undefined,
    ...methods
  }
}

const NO_SECRET = {
  origin: 'none',
  decidedMs: undefined,
  formerUntilMs: undefined,
  servers: []
} as const

/** Peer b, of which only what a test asks for is told. */
export function fakeServer(server: Partial<ServerStatus>): ServerStatus {
  return { name: 'b', peerId: 'peer-b', addresses: [], ...server } as ServerStatus
}
