// What stands in the head of a request, each reader by itself: they are asked millions of times
// where a whole server is asked thousands.

import type { IncomingMessage } from 'node:http'
import { BlockList } from 'node:net'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { systemRandom } from '../../../src/base/clock.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { clientAddress } from '../../../src/http/client-address.ts'
import { planConditional } from '../../../src/http/conditional.ts'
import { attachment } from '../../../src/http/content-disposition.ts'
import { encodeCursor, parseCursor } from '../../../src/http/cursor.ts'
import { mayShow } from '../../../src/http/hotlink.ts'
import { filesQuery, hashField, parseTime } from '../../../src/http/list-query.ts'
import { planImageResponse } from '../../../src/http/plan-image-response.ts'
import { planRanges } from '../../../src/http/ranges.ts'
import { isFromOwnPage, Sessions } from '../../../src/http/sessions.ts'
import { checkSigned, signedQuery } from '../../../src/http/signed-url.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { must, type Opened, only, type Target } from '../target.ts'

const BYTES = 1000
const ETAG = `"${'ab'.repeat(32)}"`

/** Lines `name: value`, of which the last of a name counts. */
function headersOf(input: Buffer): Record<string, string> {
  const lines = input.toString('latin1').split('\n')
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, Math.max(at, 0)).trim().toLowerCase(), line.slice(at + 1).trim()]
    })
  )
}

function runRanges(input: Buffer): void {
  const headers = headersOf(input)
  const plan = planRanges(headers.range, BYTES)
  if (typeof plan !== 'string') {
    const total = plan.reduce((sum, { start, end }) => sum + end - start, 0)
    must(total <= BYTES && plan.length <= 16, 'no more is sent than there is')
    must(
      plan.every(({ start, end }) => start >= 0 && start < end && end <= BYTES),
      'in bounds'
    )
  }
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
    planConditional(method, headers, { etag: ETAG, modifiedMs: 1_700_000_000_000 })
    planConditional(method, headers, undefined)
  }
  const image = {
    ...{ hash: 'ab'.repeat(32) as ContentHash, md5: 'cd'.repeat(16) as Md5, bytes: BYTES },
    ...{ mediaType: 'image/png', modifiedMs: 0, fileName: 'a.png', cacheControl: 'no-cache' },
    recognized: true
  }
  planImageResponse({ method: 'GET', url: '/images/a.png', headers }, image)
}

const SIGNING_KEY = '0f'.repeat(32)
const SIGNED = [
  { scope: { by: 'path', name: 'cats/a b.jpg' }, address: '/images/cats/a%20b.jpg' },
  { scope: { by: 'prefix', name: 'cats/' }, address: '/images/cats/any.png' },
  { scope: { by: 'hash', name: 'ab'.repeat(32) }, address: `/blobs/${'ab'.repeat(32)}` }
] as const
const EXPIRES = 2_000_000_000
const KEY_ID = 'ab'.repeat(6)
const PATHS = ['/images/', '/file-sync/api/file-sync/download/', '/static/data/images/']

/** Addresses that open something, made with the one key that counts. */
export function signedSamples(): string[] {
  return SIGNED.flatMap(({ scope, address }) =>
    [undefined, KEY_ID].map(
      (id) => address + signedQuery(SIGNING_KEY, { scope, expires: EXPIRES }, id)
    )
  )
}

/** Whatever is changed: what opens is what was signed. */
function runSigned(input: Buffer): void {
  const url = input.toString()
  const nowMs = 1_900_000_000_000
  const keys = { maySign: (id: string) => id === KEY_ID }
  if (checkSigned(url, { signingKeys: [SIGNING_KEY], keys }, nowMs) !== 'valid') return
  const name = decodeURIComponent(url.slice(0, url.indexOf('?'))).normalize('NFC')
  const isOne = name.endsWith('/cats/a b.jpg') || name.toLowerCase().endsWith('ab'.repeat(32))
  const isBelow = PATHS.some((prefix) => name.startsWith(`${prefix}cats/`))
  must(isOne || isBelow, 'only what was signed opens')
}

function openSessions(): Opened {
  const sessions = new Sessions({ clock: new ManualClock(), random: systemRandom })
  const cookie = sessions.begin('secret', { isSecure: false }).split(';', 1)[0] ?? ''
  return {
    run(input) {
      const headers = headersOf(input)
      for (const text of [headers.cookie ?? '', input.toString('latin1')]) {
        must(sessions.bearerOf({ headers: { cookie: text } }) === undefined, 'nobody is logged in')
      }
      isFromOwnPage({ headers })
      must(sessions.bearerOf({ headers: { cookie } }) === 'secret', 'who is, stays it')
    }
  }
}

function runQuery(input: Buffer): void {
  const text = input.toString()
  const query = Object.fromEntries(new URLSearchParams(text))
  const { success, data } = filesQuery.safeParse(query)
  if (success) {
    must((data.limit ?? 1) >= 1 && (data.since ?? 0) >= 0, 'a limit and a time are some')
    must(Number.isFinite(data.since ?? 0), 'a time is finite')
  }
  parseTime(text)
  hashField.safeParse(text)
  for (const order of ['path', 'version', 'want', 'trash'] as const) {
    only([NodeError], () => parseCursor(order, query.cursor ?? text))
  }
  must(parseCursor('path', encodeCursor('path', [text]))[0] === text, 'a cursor comes back')
}

const PROXIES = new BlockList()
PROXIES.addSubnet('10.0.0.0', 8)

function runNames(input: Buffer): void {
  const text = input.toString('latin1')
  const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': text } }
  const address = clientAddress(request as unknown as IncomingMessage, PROXIES)
  must(/^[0-9a-f:.]+$/i.test(address), 'who asks is an address')
  must(/^[\x20-\x7e]*$/.test(attachment(input.toString())), 'a header is ASCII, in one line')
  const rules = { allowed: ['*.a.example', 'b.example:81'], withoutReferer: 'refuse' } as const
  const headers = { referer: text, host: 'images.example' }
  if (mayShow({ headers } as unknown as IncomingMessage, { ...rules, placeholder: undefined })) {
    must(/(^|\.)(a|b|images)\.example$/.test(new URL(text).hostname), 'only pages that are listed')
  }
}

export const HEAD_TARGETS: readonly Target[] = [
  {
    name: 'ranges',
    shape: 'text',
    words: ['range: ', 'bytes=', '0-', '-1', '999-', 'if-none-match: ', 'if-range: ', 'W/', ETAG],
    open: () => ({ run: runRanges })
  },
  {
    name: 'signed',
    shape: 'text',
    words: ['?expires=', '&signature=', '&prefix=', '%2F', '..%2f', '#', '/images/', '/blobs/'],
    open: () => ({ run: runSigned })
  },
  {
    name: 'cookies',
    shape: 'text',
    words: ['tumesh_session=', '; ', 'cookie: ', 'A'.repeat(43), 'origin: ', 'host: '],
    open: openSessions
  },
  {
    name: 'query',
    shape: 'text',
    words: ['limit=', 'cursor=', 'since=', 'prefix=', 'state=ok', '2026-01-31T12:00:00Z', '&'],
    open: () => ({ run: runQuery })
  },
  {
    name: 'names',
    shape: 'text',
    words: ['10.0.0.2', '::ffff:10.0.0.3', '[::1]:80', ', ', 'https://', 'x.a.example', '@'],
    open: () => ({ run: runNames })
  }
]
