// Whether a blob is packed on its way. Pure.

import type { ImageKind } from '../content/kinds.ts'
import { sniff } from '../content/sniff.ts'

/** For servers outside the networks of this machine, for all or for none. */
export const COMPRESS = ['remote', 'always', 'never'] as const
export type Compress = (typeof COMPRESS)[number]

/** What is packed already: to look into it costs time and never saves any bytes. */
const PACKED_KINDS: ReadonlySet<ImageKind> = new Set([
  ...(['jpeg', 'png', 'gif', 'webp', 'avif'] as const),
  ...(['heic', 'heif', 'jxl'] as const)
])
/** Packing costs a server eight times what sending does: with less it is not worth it. */
const SAVED_SHARE_MIN = 0.2

/** Whether to pack for a server. */
export function packsFor(compress: Compress, isRemote: boolean): boolean {
  return compress === 'always' || (compress === 'remote' && isRemote)
}

/** Whether it might pay for a blob with these first bytes. */
export function mayPay(head: Uint8Array): boolean {
  const found = sniff(head, head.byteLength)
  return found.is !== 'image' || !PACKED_KINDS.has(found.kind)
}

/** Whether it pays for a blob of whose first bytes so many are left when they are packed. */
export function pays(bytes: number, packedBytes: number): boolean {
  return packedBytes <= bytes * (1 - SAVED_SHARE_MIN)
}
