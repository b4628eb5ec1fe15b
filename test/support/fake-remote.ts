// Other servers that have nothing, but for what a test says.

import type { Remote } from '../../src/flows/parts.ts'

export function fakeRemote(methods: Partial<Remote>): Remote {
  return {
    fetch: async () => undefined,
    open: async () => undefined,
    find: async () => undefined,
    learn: async () => {},
    isCatchingUp: () => false,
    history: async () => ({ servers: [], silent: [] }),
    bring: async () => undefined,
    ...methods
  }
}
