// Who this node is: an Ed25519 key, whose public half gives the peer id.

import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { NodeError } from '../base/errors.ts'

export interface Identity {
  readonly privateKey: PrivateKey
  /** `12D3KooW…` */
  readonly peerId: string
}

/** A new identity, and the bytes of its key file. */
export async function createIdentity(): Promise<{ identity: Identity; bytes: Uint8Array }> {
  const privateKey = await generateKeyPair('Ed25519')
  return { identity: identityOf(privateKey), bytes: privateKeyToProtobuf(privateKey) }
}

/** Reads a key file. Throws DISK_FAULT if the bytes are no private key. */
export function readIdentity(bytes: Uint8Array, file: string): Identity {
  try {
    return identityOf(privateKeyFromProtobuf(bytes))
  } catch (cause) {
    throw new NodeError(
      'DISK_FAULT',
      `${file} is not a key. Put back a copy of it, or delete it: then this node starts under a new peer id.`,
      { file },
      { cause }
    )
  }
}

function identityOf(privateKey: PrivateKey): Identity {
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString() }
}
