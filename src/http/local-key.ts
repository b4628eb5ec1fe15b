// The key that the node keeps in its own folder for the command line. Who can read the file may do
// all, from this machine.

import { hash, timingSafeEqual } from 'node:crypto'
import { invariant } from '../base/errors.ts'
import type { Grant } from './plan-access.ts'

/** Looks up keys that callers present. Comparisons take the same time whatever is presented. */
export interface KeyRing {
  grantOf(bearer: string): Grant | undefined
  /** Whether addresses that the key with this id has signed still open anything. */
  maySign(id: string): boolean
}

const LOCAL_GRANT: Grant = { name: 'local', scopes: ['admin'], loopbackOnly: true }

export function createLocalKey(secret: string): KeyRing {
  invariant(secret !== '', 'the local key is not empty')
  const expected = digest(secret)
  return {
    grantOf: (bearer) => (timingSafeEqual(digest(bearer), expected) ? LOCAL_GRANT : undefined),
    maySign: () => false
  }
}

/** Digests have one length, so that comparing them tells nothing about the key's. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
