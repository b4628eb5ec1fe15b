// Small pictures of images, by the hash of their bytes.

import { z } from 'zod'
import { parseCid, parseHash } from '../../../protocols/hash.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { THUMBNAIL_SIZES } from '../../store/thumbnail-files.ts'
import { planConditional } from '../conditional.ts'
import { hotlinked, isHotlinkOn, isInvited, mayShow } from '../hotlink.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const YEAR_S = 365 * 86_400

const params = z.object({ hash: z.string() })
const query = z.object({
  size: z.coerce
    .number()
    .pipe(z.literal(THUMBNAIL_SIZES))
    .default(THUMBNAIL_SIZES[0])
    .describe('Most pixels of the longer side')
})

/** A signature opens the image too. */
function queryOf({ url = '' }: ApiRequest['raw']): string {
  return url.includes('signature=') ? url.slice(url.indexOf('?')) : ''
}

export function thumbnailRoutes(
  { flows }: Pick<HttpParts, 'flows'>,
  { read, hotlink }: Pick<ApiOptions, 'read' | 'hotlink'>
): Route[] {
  return [
    {
      method: 'GET',
      url: '/thumbnails/:hash',
      who: 'public',
      tag: 'images',
      summary: 'A small picture of an image, by SHA-256 or CID',
      params,
      query,
      answers: {
        200: { means: 'WebP, upright, its longer side of that size at most' },
        304: { means: 'The client has it already' },
        307: {
          means: 'The image itself is to be shown: it is small, or nothing can be drawn of it'
        },
        404: { means: 'There is no such image, or its bytes can not be drawn' },
        503: { means: 'The bytes are not here now, or too many pictures are asked for' }
      },
      async handle(request, reply) {
        const { hash: name } = request.params as z.output<typeof params>
        const { size } = request.query as z.output<typeof query>
        const hash = /^[0-9a-f]{64}$/i.test(name) ? parseHash(name) : parseCid(name)
        if (isHotlinkOn(hotlink)) {
          reply.raw.appendHeader('Vary', 'Referer')
          if (!mayShow(request.raw, hotlink) && !isInvited(request.access)) throw hotlinked()
        }
        if (flows.thumbnails === undefined) {
          throw new NodeError('NOT_FOUND', 'None are made here.', saidAs('thumbnails_off'))
        }
        const bytes = await flows.thumbnails.get(flows, hash, size)
        if (bytes === undefined) {
          return reply
            .header('Cache-Control', 'no-store')
            .redirect(`../blobs/${hash}${queryOf(request.raw)}`, 307)
        }
        const etag = `"${hash}-${size}"`
        reply.headers({
          ETag: etag,
          'Cache-Control': `${read === 'public' ? 'public' : 'private'}, max-age=${YEAR_S}, immutable`,
          'X-Content-Type-Options': 'nosniff'
        })
        const { method = 'GET' } = request.raw
        const { answer } = planConditional(method, request.headers, { etag, modifiedMs: 0 })
        if (answer === 'not-modified') return reply.code(304).send()
        if (answer === 'precondition-failed') {
          throw new NodeError('PRECONDITION_FAILED', 'It is another picture than If-Match says.')
        }
        return reply.type('image/webp').send(bytes)
      }
    }
  ]
}
