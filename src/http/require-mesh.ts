// The other servers, for routes that are of no use without them.

import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { HttpParts, MeshPort } from './ports.ts'

/** Errors: NOT_AVAILABLE on a node that stands alone. */
export function requireMesh({ mesh }: Pick<HttpParts, 'mesh'>): MeshPort {
  if (mesh !== undefined) return mesh
  throw new NodeError(
    'NOT_AVAILABLE',
    'This node stands alone: file_sync.enabled is false. Start it with true to meet others.',
    saidAs('stands_alone')
  )
}
