// Whether bytes may be kept under a name, and what they are: the one question the rest of the node
// asks of this folder. The reasons are in src/decisions/0003-what-bytes-are.md.

import type { Word } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { Decoder, type DecoderOptions, isDecodable } from './decoder.ts'
import { scanHeader } from './dimensions.ts'
import {
  acceptsKind,
  extensionOfKind,
  type ImageKind,
  kindOfExtension,
  mediaTypeOf,
  nameOfKind,
  UNRECOGNIZED_MEDIA_TYPE
} from './kinds.ts'
import { foreignFacts, type Sniffed, sniff } from './sniff.ts'

/**
 * Bytes that came in completely. Where `head` is not all of them, `whole` or `file` should be there
 * too.
 */
export interface InspectedBytes {
  /** The first bytes; 64 KiB or all are enough for nearly every header. */
  readonly head: Uint8Array
  /** The length of it all. */
  readonly bytes: number
  readonly whole?: Uint8Array | undefined
  /** Absolute name of a file with all bytes. */
  readonly file?: string | undefined
}

export interface InspectOptions {
  /** Of the name the bytes are to have: any case, without the dot. */
  readonly extension: string
  /** Keep only what decodes to its last row. */
  readonly strict: boolean
  /** How the sentences call the file. */
  readonly name?: string | undefined
}

export type Inspection =
  /** Recognised: the header is that of an image of this kind. Sizes in pixels, as stored. */
  | {
      readonly ok: true
      readonly recognized: true
      readonly kind: ImageKind
      readonly mediaType: string
      readonly width: number | undefined
      readonly height: number | undefined
    }
  /** Kept as they are, and served as bytes that nothing shows or runs. */
  | {
      readonly ok: true
      readonly recognized: false
      readonly kind: undefined
      readonly mediaType: string
      readonly width: undefined
      readonly height: undefined
    }
  | {
      readonly ok: false
      readonly code: 'CONTENT_MISMATCH'
      /** For a person: what the bytes are, and what to do. */
      readonly reason: string
      readonly said: Word
      /** The kind they are instead: "html", "png". */
      readonly found: string | undefined
    }

interface Size {
  readonly width?: number | undefined
  readonly height?: number | undefined
}

const UNRECOGNIZED: Inspection = {
  ok: true,
  recognized: false,
  kind: undefined,
  mediaType: UNRECOGNIZED_MEDIA_TYPE,
  width: undefined,
  height: undefined
}

/** Errors: BUSY when too many images wait for the decoder. No bytes make it throw anything else. */
export type InspectImage = (blob: InspectedBytes, options: InspectOptions) => Promise<Inspection>

export function createInspector(
  parts: { readonly clock: Clock },
  limits: DecoderOptions = {}
): InspectImage {
  const decoder = new Decoder(parts, limits)
  return async (blob, options) => {
    const sniffed = sniff(blob.whole ?? blob.head, blob.bytes)
    const refusal = refusalOf(sniffed, options)
    if (refusal !== undefined) return refusal
    const kind = acceptedKind(sniffed, options.extension)
    if (options.strict) return inspectStrictly(decoder, kind, blob, options)
    if (kind === undefined) return UNRECOGNIZED
    const size = await readHeader(decoder, kind, blob)
    return size === undefined ? UNRECOGNIZED : recognized(kind, size)
  }
}

/** What the own scan can't confirm, the decoder may; undefined if neither does. */
async function readHeader(
  decoder: Decoder,
  kind: ImageKind,
  blob: InspectedBytes
): Promise<Size | undefined> {
  const scan = scanHeader(kind, blob.whole ?? blob.head, blob.bytes)
  if (scan?.is === 'sound') return scan
  const input = allBytesOf(blob)
  if (isDecodable(kind) && input !== undefined) return decoder.header(kind, input)
  // A valid start of a kind that nothing here decodes, with a header that lies deeper than the
  // head.
  return scan?.is === 'short' ? {} : undefined
}

async function inspectStrictly(
  decoder: Decoder,
  kind: ImageKind | undefined,
  blob: InspectedBytes,
  options: InspectOptions
): Promise<Inspection> {
  const refuse = (code: string, why: string) => {
    const reason = `${subjectOf(options)} ${why}. Only images that decode are kept here ${STRICT}.`
    return mismatch(reason, kind, { code, details: { name: subjectOf(options) } })
  }
  if (blob.bytes === 0) return refuse('content_empty', 'is empty')
  if (kind === undefined) return refuse('content_unknown', 'holds no image that this node knows')
  const input = allBytesOf(blob)
  if (!isDecodable(kind) || input === undefined) {
    return refuse('content_unreadable', `holds ${nameOfKind(kind)}, which this node can't decode`)
  }
  const decoded = await decoder.decode(kind, input)
  if (decoded.is === 'decoded') {
    // The same sizes as without strict, where both have an opinion.
    const scan = scanHeader(kind, blob.whole ?? blob.head, blob.bytes)
    return recognized(kind, scan?.is === 'sound' ? scan : decoded)
  }
  switch (decoded.why) {
    case 'damaged':
      return refuse('content_damaged', `holds ${nameOfKind(kind)} that is damaged or incomplete`)
    case 'pixels':
      return refuse('content_pixels', 'has more pixels than this node decodes')
    case 'time':
      return refuse('content_slow', 'took too long to decode')
    default:
      return decoded.why satisfies never
  }
}

const STRICT = '(file_storage.content: strict)'

function recognized(kind: ImageKind, size: Size): Inspection {
  const { width, height } = size
  return { ok: true, recognized: true, kind, mediaType: mediaTypeOf(kind), width, height }
}

function mismatch(reason: string, found: string | undefined, said: Word): Inspection {
  return { ok: false, code: 'CONTENT_MISMATCH', reason, found, said }
}

/** The kind, if the bytes are one that the extension may name. */
function acceptedKind(sniffed: Sniffed, extension: string): ImageKind | undefined {
  return sniffed.is === 'image' && acceptsKind(extension, sniffed.kind) ? sniffed.kind : undefined
}

/**
 * An extension this node knows is a promise: bytes that are positively something else break it. One
 * it does not know was allowed by whoever runs the node, for bytes nobody here understands: only
 * programs and pages are refused.
 */
function refusalOf(sniffed: Sniffed, options: InspectOptions): Inspection | undefined {
  const expected = kindOfExtension(options.extension)
  const subject = subjectOf(options)
  if (sniffed.is === 'foreign') {
    const { name, runs = false, hint } = foreignFacts(sniffed.kind)
    if (expected === undefined && !runs) return undefined
    const instead = expected === undefined ? '' : `, not ${nameOfKind(expected)}`
    const advice = hint === undefined ? '' : ` ${hint}`
    return mismatch(`${subject} holds ${name}${instead}.${advice}`, sniffed.kind, {
      code: 'content_foreign',
      details: { name: subject, found: sniffed.kind }
    })
  }
  if (sniffed.is === 'unknown' || expected === undefined || !sniffed.certain) return undefined
  if (acceptsKind(options.extension, sniffed.kind)) return undefined
  const extension = extensionOfKind(sniffed.kind)
  return mismatch(
    `${subject} holds ${nameOfKind(sniffed.kind)}; name it .${extension}.`,
    sniffed.kind,
    { code: 'content_misnamed', details: { name: subject, found: sniffed.kind, extension } }
  )
}

function subjectOf({ name, extension }: InspectOptions): string {
  return name ?? `The .${extension} file`
}

/** All bytes, in memory or on disk. */
function allBytesOf(blob: InspectedBytes): Uint8Array | string | undefined {
  return blob.whole ?? (blob.head.length === blob.bytes ? blob.head : blob.file)
}
