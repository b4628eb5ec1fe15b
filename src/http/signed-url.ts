// Addresses that open one image, or all below a prefix, to whoever has them, until their time is
// over. Any program with the signing key makes them:
//
//   <address>?expires=<seconds since 1970>[&prefix=<prefix>][&key=<id>]&signature=<hex>
//
// where the signature is HMAC-SHA256 of "tumesh-url-v1", the seconds and the scope, each on a line.
// The scope is "path:<path of the image>", "prefix:<prefix>" or "hash:<SHA-256 in hex>". Where it
// was made for somebody with a key, its id is named, the signature is made with a key of its own,
// HMAC-SHA256 of "key:<id>" with the signing key, and the address ends with that key.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from './local-key.ts'

export interface SignedScope {
  readonly by: 'path' | 'prefix' | 'hash'
  /** Not escaped. */
  readonly name: string
}

export interface Signed {
  readonly scope: SignedScope
  /** Seconds since 1970. */
  readonly expires: number
}

export type Verdict = 'unsigned' | 'valid' | 'expired' | 'revoked' | 'wrong'

export interface SignedBy {
  /** Hex; that of now, and that of before while it holds. */
  readonly signingKeys: readonly string[]
  readonly keys: Pick<KeyRing, 'maySign'>
}

const PATH_PREFIXES = ['/images/', '/file-sync/api/file-sync/download/', '/static/data/images/']
const HASH_PREFIXES = ['/blobs/', '/thumbnails/']

export function signatureOf(keyHex: string, { scope, expires }: Signed): string {
  const text = `tumesh-url-v1\n${expires}\n${scope.by}:${scope.name}`
  return createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('hex')
}

/** What follows the address of an image; `keyId` is that of the key that asked for it. */
export function signedQuery(signingKey: string, signed: Signed, keyId?: string): string {
  const { scope, expires } = signed
  const prefix = scope.by === 'prefix' ? `&prefix=${encodeURIComponent(scope.name)}` : ''
  const key = keyId === undefined ? '' : `&key=${keyId}`
  const signature = signatureOf(keyOf(signingKey, keyId), signed)
  return `?expires=${expires}${prefix}${key}&signature=${signature}`
}

function keyOf(signingKey: string, keyId: string | undefined): string {
  if (keyId === undefined) return signingKey
  return createHmac('sha256', Buffer.from(signingKey, 'hex')).update(`key:${keyId}`).digest('hex')
}

/** Of an address as a client sends it. Never throws. */
export function checkSigned(url: string, { signingKeys, keys }: SignedBy, nowMs: number): Verdict {
  const at = url.indexOf('?')
  if (at === -1 || !url.includes('signature=', at) || !isSignable(url)) return 'unsigned'
  const query = new URLSearchParams(url.slice(at + 1))
  const signature = query.get('signature') ?? ''
  const expires = query.get('expires') ?? ''
  const scope = scopeOf(url.slice(0, at), query.get('prefix'))
  if (scope === undefined || !/^\d{1,12}$/.test(expires) || !/^[0-9a-f]{64}$/i.test(signature)) {
    return 'wrong'
  }
  const keyId = query.get('key') ?? undefined
  const isRight = signingKeys.some((one) => {
    const right = signatureOf(keyOf(one, keyId), { scope, expires: Number(expires) })
    return timingSafeEqual(Buffer.from(right, 'hex'), Buffer.from(signature, 'hex'))
  })
  if (!isRight) return 'wrong'
  if (keyId !== undefined && !keys.maySign(keyId)) return 'revoked'
  return nowMs < Number(expires) * 1000 ? 'valid' : 'expired'
}

function isSignable(url: string): boolean {
  return [...PATH_PREFIXES, ...HASH_PREFIXES].some((prefix) => url.startsWith(prefix))
}

function scopeOf(address: string, prefix: string | null): SignedScope | undefined {
  const path = nameAfter(address, PATH_PREFIXES)
  if (path !== undefined && prefix === null) return { by: 'path', name: path }
  if (path !== undefined && prefix !== null) {
    return path.startsWith(prefix) ? { by: 'prefix', name: prefix } : undefined
  }
  const hash = nameAfter(address, HASH_PREFIXES)?.toLowerCase()
  return hash !== undefined && /^[0-9a-f]{64}$/.test(hash) ? { by: 'hash', name: hash } : undefined
}

function nameAfter(address: string, prefixes: readonly string[]): string | undefined {
  const prefix = prefixes.find((one) => address.startsWith(one))
  // whoever reads the image takes what follows a `#` for no part of its name
  if (prefix === undefined || address.includes('#')) return undefined
  try {
    return decodeURIComponent(address.slice(prefix.length)).normalize('NFC')
  } catch {
    return undefined
  }
}
