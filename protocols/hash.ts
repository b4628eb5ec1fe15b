// Content hashes: SHA-256, as 64 hex digits inside the program, 32 bytes on the wire, a CID for the
// IPFS world.

import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as digest from 'multiformats/hashes/digest'
import { WireError } from './wire-error.ts'

declare const contentHash: unique symbol
/** SHA-256 of a blob as 64 lower-case hex digits. Only made by the functions below. */
export type ContentHash = string & { readonly [contentHash]: true }

declare const md5Hash: unique symbol
/** MD5 of a blob as 32 lower-case hex digits, for clients of the documented interface. */
export type Md5 = string & { readonly [md5Hash]: true }

export const HASH_BYTES = 32
export const MD5_BYTES = 16

const SHA2_256 = 0x12

/** 64 hex digits in either case. Throws WireError BAD_HASH. */
export function parseHash(text: string): ContentHash {
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new WireError('BAD_HASH', `not a SHA-256 in hex: ${JSON.stringify(text.slice(0, 80))}`)
  }
  return text.toLowerCase() as ContentHash
}

/** 32 hex digits in either case. Throws WireError BAD_HASH. */
export function parseMd5(text: string): Md5 {
  if (!/^[0-9a-f]{32}$/i.test(text)) {
    throw new WireError('BAD_HASH', `not an MD5 in hex: ${JSON.stringify(text.slice(0, 80))}`)
  }
  return text.toLowerCase() as Md5
}

/** 32 bytes from the wire or a digest. Throws WireError BAD_HASH for any other length. */
export function hashFromBytes(bytes: Uint8Array): ContentHash {
  if (bytes.byteLength !== HASH_BYTES) {
    throw new WireError('BAD_HASH', `a SHA-256 has ${HASH_BYTES} bytes, not ${bytes.byteLength}`)
  }
  return hex(bytes) as ContentHash
}

/** 16 bytes from the wire or a digest. Throws WireError BAD_HASH for any other length. */
export function md5FromBytes(bytes: Uint8Array): Md5 {
  if (bytes.byteLength !== MD5_BYTES) {
    throw new WireError('BAD_HASH', `an MD5 has ${MD5_BYTES} bytes, not ${bytes.byteLength}`)
  }
  return hex(bytes) as Md5
}

export function hashBytes(hash: ContentHash | Md5): Uint8Array {
  return Buffer.from(hash, 'hex')
}

/** CIDv1, codec raw, base32: `bafkrei…`. */
export function cidOf(hash: ContentHash): string {
  return CID.createV1(raw.code, digest.create(SHA2_256, hashBytes(hash))).toString()
}

/** A CID of a raw SHA-256 block in any of its multibase forms. Throws WireError BAD_CID. */
export function parseCid(text: string): ContentHash {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new WireError('BAD_CID', `not a CID: ${JSON.stringify(text.slice(0, 120))}`, { cause })
  }
  if (cid.code !== raw.code || cid.multihash.code !== SHA2_256) {
    throw new WireError('BAD_CID', 'only CIDs of raw blocks with SHA-256 name an image (bafkrei…)')
  }
  return hashFromBytes(cid.multihash.digest)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
