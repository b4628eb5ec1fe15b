// Addresses of the HTTP interface, as commands write them.

import { NodeError } from '../base/errors.ts'

export const API = '/file-sync/api/file-sync'

/**
 * Each part of a path is encoded, its slashes stay. Throws BAD_REQUEST for a part that would lead
 * out of the images: addresses are tidied before they are sent, and encoding does not keep them
 * from it.
 */
export function inAddress(path: string): string {
  const parts = path.split('/')
  const out = parts.find((part) => part === '.' || part === '..')
  if (out !== undefined) throw new NodeError('BAD_REQUEST', `A path can't have the part "${out}".`)
  return parts.map(encodeURIComponent).join('/')
}
