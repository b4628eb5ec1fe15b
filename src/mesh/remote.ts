// Other servers, for parts that are built before there is a mesh.

import type { Remote } from '../flows/parts.ts'
import type { Mesh } from './mesh.ts'

/** There may be no mesh, or none yet: then nobody has anything. */
export function remoteOf(mesh: () => Mesh | undefined): Remote {
  return {
    fetch: async (hash) => mesh()?.fetch(hash),
    open: async (hash) => mesh()?.open(hash),
    find: async (hash) => mesh()?.find(hash),
    learn: async (path) => mesh()?.learn(path),
    isCatchingUp: () => mesh()?.isCatchingUp() ?? false,
    history: async (path) => (await mesh()?.history(path)) ?? { servers: [], silent: [] },
    bring: async (hash, bytes, peerIds) => mesh()?.bring(hash, bytes, peerIds)
  }
}
