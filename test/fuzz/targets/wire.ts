// What other nodes send: each protocol from both sides, entries, frames, invites.

import { deepStrictEqual } from 'node:assert/strict'
import { fromBinary } from '@bufbuild/protobuf'
import { AnswerFeed, type AnswerSink } from '../../../protocols/blobs/answer-feed.ts'
import { KNOWN_PACKINGS } from '../../../protocols/blobs/packing.ts'
import type { ByteStream } from '../../../protocols/byte-stream.ts'
import { EntrySchema } from '../../../protocols/entries/messages_pb.ts'
import { decodeEntry, encodeEntry } from '../../../protocols/entry.ts'
import { FrameReader } from '../../../protocols/frame.ts'
import { parseCid, parseHash, parseMd5 } from '../../../protocols/hash.ts'
import { decodeInvite, encodeInvite } from '../../../protocols/invite.ts'
import { requestGrant } from '../../../protocols/lane/request.ts'
import { laneProtocol } from '../../../protocols/lane/serve.ts'
import { parsePath } from '../../../protocols/path.ts'
import { readEntryFields } from '../../../protocols/read-entry-fields.ts'
import { StatusError } from '../../../protocols/status.ts'
import { WireError } from '../../../protocols/wire-error.ts'
import { talks } from '../../support/protocol-talks.ts'
import { never } from '../../support/serve-pair.ts'
import { must, only, type Target } from '../target.ts'

/** A stream whose other side has said all that it will. It takes whatever is written. */
function said(bytes: Buffer): ByteStream {
  return {
    source: inPieces(bytes),
    write: async () => {},
    end: async () => {},
    abort: () => {}
  }
}

/** The size of the pieces is the first byte. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const step = 1 + (bytes[0] ?? 0) * 7
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

const laneKey = { port: 4001, identity: 'ab'.repeat(16), secret: new Uint8Array(32) }
const laneSource = { grant: () => laneKey, offered: () => {} }
const lane = {
  name: 'lane',
  serve: (stream: ByteStream) => laneProtocol.serve(stream, laneSource, 'asker'),
  ask: (stream: ByteStream) => requestGrant(stream, never)
}

const conversations: readonly Target[] = [...talks, lane].flatMap(({ name, serve, ask }) => [
  {
    name: `serve-${name}`,
    shape: 'frames',
    open: () => ({ run: (input) => only([WireError], () => serve(said(input))) })
  },
  {
    name: `ask-${name}`,
    shape: 'frames',
    open: () => ({ run: (input) => only([WireError, StatusError], () => ask(said(input))) })
  }
])

function runEntry(input: Buffer): void {
  const quick = readEntryFields(input)
  if (quick !== undefined) {
    const { $typeName: _, $unknown, ...general } = fromBinary(EntrySchema, input)
    must($unknown === undefined, 'the quick reader leaves unknown fields to the general one')
    deepStrictEqual(plain(quick), plain(general))
  }
  only([WireError], () => {
    const { raw: _, id, ...view } = decodeEntry(input)
    const { raw, id: written, ...again } = encodeEntry(view)
    deepStrictEqual(plain(again), plain(view))
    if (Buffer.compare(raw, input) === 0) deepStrictEqual(plain({ id }), plain({ id: written }))
  })
}

/** Whichever class of arrays its bytes have. */
function plain(fields: object): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    ])
  )
}

async function runFrames(input: Buffer): Promise<void> {
  const reader = new FrameReader(inPieces(input))
  for (let frames = 0; frames <= input.length; frames++) {
    const frame = await reader.frame(1000)
    if (frame === undefined) return
    must(frame.byteLength <= 1000, 'no frame is longer than its limit')
    for await (const piece of reader.bytes(frame.byteLength % 5)) must(piece.length > 0, 'a piece')
  }
  must(false, 'every frame takes bytes')
}

function runFeed(input: Buffer): void {
  let [begun, ended, bytes, saved] = [0, 0, 0, 0]
  const sink: AnswerSink = {
    begin: () => begun++,
    bytes: (piece) => {
      bytes += piece.byteLength
    },
    end: () => ended++,
    refused: () => {}
  }
  const onSaved = (count: number) => {
    saved += count
  }
  const feed = new AnswerFeed(sink, { packings: KNOWN_PACKINGS, onSaved })
  const step = 1 + (input[0] ?? 0)
  for (let at = 0; at < input.length; at += step) feed.feed(input.subarray(at, at + step))
  must(ended <= begun && bytes <= input.length + saved, 'no more comes out than went in')
}

function runPath(input: Buffer): void {
  const path = parsePath(input.toString())
  must(path === path.normalize('NFC') && Buffer.byteLength(path) <= 1024, 'a path is bounded, NFC')
  must(!path.split('/').some((part) => ['', '.', '..'].includes(part)), 'a path stays inside')
  must(!/[\p{Cc}\\:]/u.test(path) && encodeURIComponent(path) !== '', 'a path is plain')
  must(parsePath(path) === path, 'a path is its own normal form')
}

function runInvite(input: Buffer): void {
  const invite = decodeInvite(input.toString())
  must(invite.secret.byteLength === 32 && invite.addresses.length > 0, 'an invite is whole')
  deepStrictEqual(decodeInvite(encodeInvite(invite)), invite)
}

function runHash(input: Buffer): void {
  const text = input.toString()
  for (const parse of [parseHash, parseCid, parseMd5]) {
    only([WireError], () => must(/^([0-9a-f]{32}){1,2}$/.test(parse(text)), 'a hash is hex'))
  }
}

export const WIRE_TARGETS: readonly Target[] = [
  ...conversations,
  { name: 'entry', shape: 'message', bytesMax: 9000, open: () => ({ run: runEntry }) },
  {
    name: 'frames',
    shape: 'frames',
    open: () => ({ run: (input) => only([WireError], () => runFrames(input)) })
  },
  {
    name: 'answer-feed',
    shape: 'frames',
    open: () => ({ run: (input) => only([WireError, StatusError], () => runFeed(input)) })
  },
  {
    name: 'invite',
    shape: 'text',
    bytesMax: 7000,
    open: () => ({ run: (input) => only([WireError], () => runInvite(input)) })
  },
  {
    name: 'path',
    shape: 'text',
    words: ['..', 'a\u0308', '\u202e', 'COM1', 'nul.txt', '.tumesh', '%2e%2e%2f', 'x'.repeat(255)],
    open: () => ({ run: (input) => only([WireError], () => runPath(input)) })
  },
  {
    name: 'hash',
    shape: 'text',
    words: ['bafkrei', 'Qm', 'z', 'ab'.repeat(32), 'AB'.repeat(16), 'f01551220', 'b'],
    open: () => ({ run: runHash })
  }
]
