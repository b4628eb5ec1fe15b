// What is answered to a reader of an image: status, headers, and which bytes. Pure.

import type { IncomingHttpHeaders } from 'node:http'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { planConditional } from './conditional.ts'
import { attachment } from './content-disposition.ts'
import { kindOfMediaType } from './media-kind.ts'
import { type ByteRange, planRanges } from './ranges.ts'

/** The image as its entry and this node's settings describe it. */
export interface ImageFacts {
  readonly hash: ContentHash
  readonly md5: Md5
  readonly bytes: number
  readonly mediaType: string
  readonly modifiedMs: number
  /** Under which a browser saves it: the last part of its path. */
  readonly fileName: string
  readonly cacheControl: string
  /** Whether a decoder knows the bytes as what the media type says. */
  readonly recognized: boolean
}

export interface ImageRequest {
  readonly method: string
  /** As in the request line. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** Bytes of the image, or text between them. */
export type Piece = ByteRange | Uint8Array

export type ImagePlan =
  | {
      readonly send: 'pieces'
      readonly status: 200 | 206
      readonly headers: string[]
      readonly pieces: readonly Piece[]
    }
  | { readonly send: 'nothing'; readonly status: 304; readonly headers: string[] }
  | { readonly send: 'error'; readonly code: 'PRECONDITION_FAILED' | 'RANGE_NOT_SATISFIABLE' }

/** Nothing runs, nothing is loaded; styles inside the picture itself work. */
const HARMLESS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

/** Where the bytes come from: `from` is the name of another server. */
export function sourceOf(from: string | undefined): string {
  return from === undefined ? 'local' : `peer:${from.replace(/[^\x21-\x7e]/g, '_')}`
}

/** `headers` come as a flat list of names and values, as `writeHead` takes it. */
export function planImageResponse(request: ImageRequest, image: ImageFacts): ImagePlan {
  const etag = `"${image.hash}"`
  const { modifiedMs, bytes } = image
  const conditional = planConditional(request.method, request.headers, { etag, modifiedMs })
  if (conditional.answer === 'precondition-failed') {
    return { send: 'error', code: 'PRECONDITION_FAILED' }
  }
  const headers = [
    'ETag',
    etag,
    'Last-Modified',
    new Date(modifiedMs).toUTCString(),
    'Cache-Control',
    image.cacheControl,
    'X-File-Hash',
    image.md5,
    'X-Content-Type-Options',
    'nosniff'
  ]
  if (conditional.answer === 'not-modified') return { send: 'nothing', status: 304, headers }

  const ranges = planRanges(conditional.rangeCounts ? request.headers.range : undefined, bytes)
  if (ranges === 'unsatisfiable') return { send: 'error', code: 'RANGE_NOT_SATISFIABLE' }
  const mediaType = addContentHeaders(headers, request.url, image)
  if (ranges === 'whole') {
    headers.push('Content-Type', mediaType, 'Content-Length', String(bytes))
    return { send: 'pieces', status: 200, headers, pieces: [{ start: 0, end: bytes }] }
  }
  const [range, ...more] = ranges
  if (more.length === 0) {
    headers.push('Content-Type', mediaType, 'Content-Length', String(range.end - range.start))
    headers.push('Content-Range', contentRange(range, bytes))
    return { send: 'pieces', status: 206, headers, pieces: ranges }
  }
  // Bytes can't contain their own hash, so the boundary is in none of them.
  const boundary = `tumesh-${image.hash.slice(0, 32)}`
  const pieces = piecesOf(ranges, boundary, mediaType, bytes)
  headers.push('Content-Type', `multipart/byteranges; boundary=${boundary}`)
  headers.push('Content-Length', String(pieces.reduce((sum, piece) => sum + lengthOf(piece), 0)))
  return { send: 'pieces', status: 206, headers, pieces }
}

export function lengthOf(piece: Piece): number {
  return 'start' in piece ? piece.end - piece.start : piece.byteLength
}

/**
 * Returns the media type to send. Entries come from other nodes too: only an image is ever served
 * as what it says.
 */
function addContentHeaders(headers: string[], url: string, image: ImageFacts): string {
  const isImage = image.recognized && /^image\/[a-z0-9][a-z0-9.+-]*$/i.test(image.mediaType)
  // a browser takes whatever ends in +xml for a page
  const isPlain = isImage && !['svg', undefined].includes(kindOfMediaType(image.mediaType))
  headers.push('Accept-Ranges', 'bytes')
  if (!isPlain) headers.push('Content-Security-Policy', HARMLESS)
  if (!isImage || asksForDownload(url)) {
    headers.push('Content-Disposition', attachment(image.fileName))
  }
  return isImage ? image.mediaType : 'application/octet-stream'
}

function asksForDownload(url: string): boolean {
  const at = url.indexOf('?')
  return at !== -1 && new URLSearchParams(url.slice(at + 1)).has('download')
}

function piecesOf(
  ranges: readonly ByteRange[],
  boundary: string,
  mediaType: string,
  bytes: number
): Piece[] {
  const parts = ranges.flatMap((range, at) => [
    Buffer.from(
      `${at === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${mediaType}\r\n` +
        `Content-Range: ${contentRange(range, bytes)}\r\n\r\n`
    ),
    range
  ])
  return [...parts, Buffer.from(`\r\n--${boundary}--\r\n`)]
}

function contentRange({ start, end }: ByteRange, bytes: number): string {
  return `bytes ${start}-${end - 1}/${bytes}`
}
