// Seals texts with the secret of the mesh, as it is at each call.

import { createHmac } from 'node:crypto'
import type { Seal } from './flows/keys.ts'

export function createSeal(secret: () => Uint8Array | undefined): Seal {
  return (text) => {
    const key = secret()
    return key && createHmac('sha256', key).update(text).digest('hex')
  }
}
