// GET /api/events and /stream-logs: what happens here, as it happens.

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { NodeError } from '../../base/errors.ts'
import { FEED_KINDS, type Watched } from '../../flows/feed.ts'
import {
  eventStream,
  lastSeen,
  messageStream,
  textLines,
  type WriteWatched
} from '../event-text.ts'
import type { HttpParts } from '../ports.ts'
import { Pulse } from '../pulse.ts'
import type { ApiRequest, Route } from '../route.ts'

/** Each is a connection that stays open. */
const WATCHERS_MAX = 200
/** How long clients wait before they connect again. */
const RETRY_MS = 2000

const querySchema = z.strictObject({
  last_event_id: z
    .string()
    .max(100)
    .optional()
    .describe('As the header Last-Event-ID, for clients that can set no headers'),
  kinds: z
    .string()
    .optional()
    .transform((text) => text?.split(',').map((kind) => kind.trim()))
    .pipe(z.array(z.enum(FEED_KINDS)).optional())
    .describe(`Which ones, separated by commas; all without it: ${FEED_KINDS.join(', ')}`)
})

type EventsQuery = z.output<typeof querySchema>

export function eventRoutes(parts: HttpParts): Route[] {
  const pulse = new Pulse(parts)
  const run = parts.node.startedAtMs.toString(36)
  const common = { method: 'GET', who: 'read', tag: 'operations' } as const
  const refused = { 503: { means: 'Too many watch already' } }
  return [
    {
      ...common,
      url: '/api/events',
      summary: 'What happens here as it happens, as server-sent events',
      query: querySchema,
      answers: { 200: { means: 'A stream that stays open (text/event-stream)' }, ...refused },
      async handle(request, reply) {
        const query = request.query as EventsQuery
        const { feed } = parts.flows
        const id = request.headers['last-event-id'] ?? query.last_event_id
        // ids of another run say nothing of this one: all that is still known is new then
        const after = id === undefined ? feed.last : (lastSeen(run, String(id)) ?? 0)
        const begin = `retry: ${RETRY_MS}\nid: ${run}-${after}\n\n`
        return watch(
          parts,
          { pulse, after, begin, write: eventStream(run, query.kinds) },
          request,
          reply
        )
      }
    },
    {
      ...common,
      tag: 'documented',
      url: '/stream-logs',
      summary: 'What happens here as it happens, as lines of text, or messages of an EventSource',
      answers: { 200: { means: 'A stream that stays open' }, ...refused },
      async handle(request, reply) {
        const asMessages = /\btext\/event-stream\b/.test(request.headers.accept ?? '')
        const write = asMessages ? messageStream : textLines
        const begin = asMessages ? `retry: ${RETRY_MS}\n\n` : ''
        return watch(parts, { pulse, after: 0, begin, write }, request, reply)
      }
    }
  ]
}

interface Watching {
  readonly pulse: Pulse
  readonly after: number
  /** Sent at once. */
  readonly begin: string
  readonly write: WriteWatched
}

function watch(
  { flows: { feed } }: HttpParts,
  watching: Watching,
  request: ApiRequest,
  reply: FastifyReply
): Readable {
  if (feed.watchers >= WATCHERS_MAX) {
    throw new NodeError('BUSY', `${WATCHERS_MAX} clients watch already. Close one of them.`)
  }
  const isEvents = watching.begin !== ''
  reply.headers({
    'Content-Type': isEvents ? 'text/event-stream' : 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no' // a proxy that collects them would hold them back
  })
  const watched = feed.watch(watching.after, request.signal)
  watching.pulse.begin()
  return Readable.from(textsOf(watching, watched), { objectMode: false })
}

async function* textsOf(
  { begin, write }: Watching,
  watched: AsyncIterable<Watched>
): AsyncGenerator<string> {
  if (begin !== '') yield begin
  for await (const one of watched) yield write(one)
}
