// Other servers, for parts that are built before there is a mesh.

import { listMembers } from '../flows/members.ts'
import type { Remote } from '../flows/parts.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { Mesh } from './mesh.ts'

/** There may be no mesh, or none yet: then nobody has anything, and members say nothing. */
export function remoteOf(
  mesh: () => Mesh | undefined,
  { index, ownId }: { readonly index: ImageIndex; readonly ownId: string }
): Remote {
  const history: Remote['history'] = async () => {
    const others = (await listMembers(index)).filter(({ id }) => id !== ownId)
    return { servers: [], silent: others.map(({ name }) => name).sort() }
  }
  return {
    fetch: async (hash) => mesh()?.fetch(hash),
    open: async (hash) => mesh()?.open(hash),
    find: async (hash) => mesh()?.find(hash),
    learn: async (path) => mesh()?.learn(path),
    isCatchingUp: () => mesh()?.isCatchingUp() ?? false,
    history: (path) => mesh()?.history(path) ?? history(path),
    bring: async (hash, bytes, peerIds) => mesh()?.bring(hash, bytes, peerIds)
  }
}
