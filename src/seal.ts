// Seals texts with the secret of the mesh, as it is at each call, and knows those that were sealed
// with the one of before while that still holds.

import { createHmac } from 'node:crypto'
import type { Seal } from './flows/keys.ts'

/** The secrets of a mesh; none where anybody may join. */
interface Secrets {
  readonly secret: Uint8Array | undefined
  readonly former?: { readonly secret: Uint8Array } | undefined
}

/**
 * With which addresses are signed, in hex, and those that are good too: the same on all nodes of a
 * mesh with a secret, and another one on each without.
 */
export function createSigningKeys(
  seal: Seal,
  localKey: string
): () => readonly [string, ...string[]] {
  const text = 'tumesh signed urls 1'
  return () => {
    const former = seal.former(text)
    const current = seal(text) ?? createHmac('sha256', localKey).update(text).digest('hex')
    return former === undefined ? [current] : [current, former]
  }
}

export function createSeal(secrets: () => Secrets | undefined): Seal {
  const sealed = (key: Uint8Array | undefined, text: string) =>
    key && createHmac('sha256', key).update(text).digest('hex')
  return Object.assign((text: string) => sealed(secrets()?.secret, text), {
    former: (text: string) => sealed(secrets()?.former?.secret, text)
  })
}
