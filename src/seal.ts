// Seals texts with the secret of the mesh, as it is at each call.

import { createHmac } from 'node:crypto'
import type { Seal } from './flows/keys.ts'

/**
 * With which addresses are signed, in hex: the same on all nodes of a mesh with a secret, and
 * another one on each without.
 */
export function createSigningKey(seal: Seal, localKey: string): () => string {
  const text = 'tumesh signed urls 1'
  return () => seal(text) ?? createHmac('sha256', localKey).update(text).digest('hex')
}

export function createSeal(secret: () => Uint8Array | undefined): Seal {
  return (text) => {
    const key = secret()
    return key && createHmac('sha256', key).update(text).digest('hex')
  }
}
