// Reading images: by path, by hash, by CID. The busiest routes of a node, so they are answered
// before the web framework is asked; it knows them too, for other spellings of an address and for
// the API page.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { answerFailure } from '../answer-failure.ts'
import type { Guard } from '../guard.ts'
import { hotlinked, isHotlinkOn, isInvited, mayShow } from '../hotlink.ts'
import { choicesShape, ImageReader, type ReaderParts } from '../image-reader.ts'
import type { HttpOptions } from '../options.ts'
import type { Access } from '../plan-access.ts'
import type { Route } from '../route.ts'

export interface ImageReads {
  /** Whether it reads an image in the usual spelling. */
  isRead(request: IncomingMessage): boolean
  /**
   * Answers the request if it reads an image in the usual spelling; false if it is somebody else's.
   */
  tryAnswer(request: IncomingMessage, response: ServerResponse): boolean
  readonly routes: readonly Route[]
}

export interface ImageReadParts extends ReaderParts {
  readonly guard: Guard
  /** Hears of every answer under way, so that a stop can wait for it. */
  readonly track: (work: Promise<unknown>) => void
}

interface Place {
  readonly prefix: string
  /** The rest of the address in the framework's notation. */
  readonly rest: string
  readonly by: 'byPath' | 'byHash' | 'byCid'
  readonly summary: string
}

const SAME = 'The same as /images/{path}'
const PLACES: readonly Place[] = [
  { prefix: '/images/', rest: '*', by: 'byPath', summary: 'Read an image' },
  { prefix: '/file-sync/api/file-sync/download/', rest: '*', by: 'byPath', summary: SAME },
  { prefix: '/static/data/images/', rest: '*', by: 'byPath', summary: SAME },
  { prefix: '/blobs/', rest: ':hash', by: 'byHash', summary: 'Read bytes by SHA-256, CID or MD5' },
  { prefix: '/ipfs/', rest: ':cid', by: 'byCid', summary: 'Read a raw block (trustless gateway)' }
]

export function createImageReads(
  parts: ImageReadParts,
  {
    read,
    hotlink,
    ...options
  }: Pick<HttpOptions, 'read' | 'pathMaxAgeMs' | 'accelLocation' | 'hotlink'>
): ImageReads {
  const reader = new ImageReader(parts, { ...options, isPublic: read === 'public' })
  const isGuarded = isHotlinkOn(hotlink)
  /** Whether the page that asks may show images; false: it was answered. Throws FORBIDDEN. */
  const maySee = (request: IncomingMessage, response: ServerResponse, access: Access): boolean => {
    response.appendHeader('Vary', 'Referer')
    if (mayShow(request, hotlink) || isInvited(access)) return true
    if (hotlink.placeholder === undefined) throw hotlinked()
    parts.track(answerInstead(hotlink.placeholder, request, response))
    return false
  }
  const answerInstead = async (
    path: string,
    request: IncomingMessage,
    response: ServerResponse
  ): Promise<void> => {
    try {
      await reader.byPath(request, response, path, { isPlaceholder: true })
    } catch {
      answerFailure(parts, request, response, hotlinked())
    }
  }
  /** Never rejects. */
  const answer: Answer = async (by, name, request, response) => {
    try {
      await reader[by](request, response, name)
    } catch (error) {
      answerFailure(parts, request, response, error)
    }
  }
  const answerGuarded: GuardedAnswer = async (by, name, request, response, access) => {
    try {
      if (isGuarded && !maySee(request, response, access)) return
    } catch (error) {
      return answerFailure(parts, request, response, error)
    }
    await answer(by, name, request, response)
  }
  return {
    isRead: (request) => placeOf(request) !== undefined,
    tryAnswer(request, response) {
      const { url = '' } = request
      const place = placeOf(request)
      if (place === undefined) return false
      try {
        const access = parts.guard.check(request, 'public')
        if (isGuarded && !maySee(request, response, access)) return true
        parts.timing?.enter(response, 'kept')
        if (parts.hot.tryAnswer(request, response)) return true
        parts.timing?.enter(response, 'index')
        const name = decodeName(url, place.prefix.length)
        parts.track(answer(place.by, name, request, response))
      } catch (error) {
        answerFailure(parts, request, response, error)
      }
      return true
    },
    routes: PLACES.map((place) => routeOf(place, answerGuarded))
  }
}

function placeOf({ method, url = '' }: IncomingMessage): Place | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  return PLACES.find(({ prefix }) => url.startsWith(prefix))
}

type Answer = (
  by: Place['by'],
  name: string,
  request: IncomingMessage,
  response: ServerResponse
) => Promise<void>

type GuardedAnswer = (...asked: [...Parameters<Answer>, Access]) => Promise<void>

function routeOf({ prefix, rest, by, summary }: Place, answer: GuardedAnswer): Route {
  return {
    method: 'GET',
    url: `${prefix}${rest}`,
    who: 'public',
    tag: 'images',
    summary,
    answers: {
      200: { means: 'The bytes; ETag is the SHA-256, X-File-Hash the MD5' },
      206: { means: 'The ranges that were asked for' },
      ...(by === 'byHash' && {
        300: { means: 'Several images have this MD5: their addresses', shape: choicesShape }
      }),
      304: { means: 'The client has these bytes already' },
      404: { means: 'There never was such an image here' },
      410: { means: 'It was deleted' },
      416: { means: 'The range is outside of the image' },
      451: { means: 'These bytes are blocked' },
      503: { means: 'The bytes are not here now' }
    },
    async handle({ raw, params, access }, reply) {
      reply.hijack()
      const [name = ''] = Object.values(params as Record<string, string>)
      await answer(by, name, raw, reply.raw, access)
    }
  }
}

/** What follows the prefix in the address, without the query, decoded once. Throws BAD_REQUEST. */
function decodeName(url: string, prefixLength: number): string {
  const end = url.search(/[?#]/)
  const name = url.slice(prefixLength, end === -1 ? undefined : end)
  try {
    return decodeURIComponent(name)
  } catch (cause) {
    const sentence =
      'The address has a percent sign that begins no escape, or bytes that are no UTF-8.'
    throw new NodeError('BAD_REQUEST', sentence, saidAs('address_escapes'), { cause })
  }
}
