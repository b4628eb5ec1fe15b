// Signed addresses: made here, or by any program that has the signing key.

import { z } from 'zod'
import { parseHash } from '../../../protocols/hash.ts'
import { PATH_BYTES_MAX, parsePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { isoTime } from '../../base/iso-time.ts'
import { imageUrl } from '../describe-image.ts'
import { messageFor } from '../messages.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'
import { type SignedScope, signedQuery } from '../signed-url.ts'

const VALID_SECONDS_MAX = 10 * 366 * 86_400

const bodyShape = z
  .strictObject({
    path: z.string().max(PATH_BYTES_MAX).optional(),
    prefix: z.string().min(1).max(PATH_BYTES_MAX).optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'must be a SHA-256 in hex')
      .optional(),
    expires_in: z.int().min(1).max(VALID_SECONDS_MAX).default(3600).describe('Seconds')
  })
  .refine(({ path, prefix, sha256 }) => [path, prefix, sha256].filter((one) => one).length === 1, {
    error: 'name one of "path", "prefix" and "sha256"',
    params: saidAs('field_sign_one')
  })
const shape = z.object({
  status: z.literal('success'),
  message: z.string(),
  url: z.string().describe('Relative to this server, or any other of the mesh'),
  query: z.string().describe('What follows the address of each image, for a prefix'),
  expires_at: z.iso.datetime()
})

export function signRoutes(
  parts: HttpParts,
  { signedUrls }: Pick<ApiOptions, 'signedUrls'>
): Route[] {
  const requireOn = () => {
    if (signedUrls) return
    const sentence =
      'Signed addresses are not looked at here: set http.signed_urls, on all servers.'
    throw new NodeError('FORBIDDEN', sentence, saidAs('sign_off'))
  }
  return [
    {
      method: 'POST',
      url: '/api/sign',
      who: 'write',
      tag: 'operations',
      summary:
        'Make an address that opens an image, or all below a prefix, for a while, or until the key is revoked',
      body: bodyShape,
      answers: {
        200: { means: 'The address', shape },
        403: { means: 'Signed addresses are not switched on' }
      },
      async handle(request) {
        requireOn()
        return sign(parts, request)
      }
    },
    {
      method: 'GET',
      url: '/api/signing-key',
      who: 'admin',
      tag: 'operations',
      summary: 'The key with which programs sign addresses themselves',
      answers: {
        200: { means: 'The key in hex', shape: z.object({ key: z.string() }) },
        403: { means: 'Signed addresses are not switched on' }
      },
      async handle() {
        requireOn()
        return { key: parts.signingKeys()[0] }
      }
    }
  ]
}

function sign({ signingKeys, clock }: HttpParts, request: ApiRequest): z.output<typeof shape> {
  const wish = request.body as z.output<typeof bodyShape>
  const scope = scopeOf(wish)
  const expires = Math.floor(clock.now() / 1000) + wish.expires_in
  const query = signedQuery(signingKeys()[0], { scope, expires }, request.access.keyId)
  const address = scope.by === 'hash' ? `/blobs/${scope.name}` : imageUrl(scope.name)
  return {
    status: 'success',
    message: messageFor(request, 'The address is signed.', '地址已签名。'),
    url: `${address}${query}`,
    query,
    expires_at: isoTime(expires * 1000)
  }
}

function scopeOf({ path, prefix, sha256 }: z.output<typeof bodyShape>): SignedScope {
  if (path !== undefined) return { by: 'path', name: parsePath(path) }
  if (prefix !== undefined) return { by: 'prefix', name: prefix.normalize('NFC') }
  return { by: 'hash', name: parseHash((sha256 ?? '').toLowerCase()) }
}
