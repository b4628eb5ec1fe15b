import { expect, test } from 'vitest'
import { AnswerFeed, type AnswerSink } from '../../../../protocols/blobs/answer-feed.ts'
import { KNOWN_PACKINGS } from '../../../../protocols/blobs/packing.ts'
import { fetchRequest } from '../../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../../protocols/blobs/serve.ts'
import type { ContentHash } from '../../../../protocols/hash.ts'
import { WireError } from '../../../../protocols/wire-error.ts'
import { collect, testBytes } from '../../../support/data-folder.ts'
import { MemoryBlobSource } from '../../../support/memory-blob-source.ts'
import { streamPair } from '../../../support/stream-pair.ts'

const UNPACKING = { packings: KNOWN_PACKINGS }
const LOST = 'f'.repeat(64) as ContentHash

/** What a node answers to a request for blobs of these sizes and one that it lacks. */
async function answersTo(sizes: readonly number[]): Promise<Uint8Array> {
  const source = new MemoryBlobSource()
  const items = sizes.map((size, n) => ({ hash: source.add(testBytes(size, n + 1)), offset: 0 }))
  const { left, right } = streamPair()
  const serving = blobsProtocol.serve(right, source, 'asker')
  await left.write(fetchRequest([...items, { hash: LOST, offset: 0 }], UNPACKING))
  await left.end()
  const [answers] = await Promise.all([collect(left.source), serving])
  return answers
}

function reading() {
  const said: string[] = []
  let bytes = 0
  const sink: AnswerSink = {
    begin: (status, length) => said.push(`${status} ${length}`),
    bytes: (piece) => {
      bytes += piece.byteLength
    },
    end: () => said.push('end'),
    refused: ({ status }) => said.push(`refused ${status}`)
  }
  return { feed: new AnswerFeed(sink, UNPACKING), said, bytes: () => bytes }
}

test.each([1, 2, 3, 7, 64, 65_536])('answers in pieces of %i bytes are the same', async (piece) => {
  const answers = await answersTo([0, 1, 300, 70_000])
  const { feed, said, bytes } = reading()
  for (let at = 0; at < answers.byteLength; at += piece) {
    feed.feed(answers.subarray(at, at + piece))
  }
  const expected = ['1 0', 'end', '1 1', 'end', '1 300', 'end', '1 70000', 'end', '2 0', 'end']
  expect([said, bytes()]).toEqual([expected, 70_301])
})

test('whatever bytes come, nothing but WireError is thrown', async () => {
  const answers = await answersTo([10, 200])
  for (let seed = 1; seed <= 400; seed++) {
    const noise = testBytes(16, seed)
    const changed = Uint8Array.from(answers)
    for (const [n, byte] of noise.entries()) {
      if (n % 4 === 0) changed[(byte * 7 + seed * 13) % changed.length] = noise[n + 1] as number
    }
    try {
      reading().feed.feed(changed)
    } catch (error) {
      expect(error).toBeInstanceOf(WireError)
    }
  }
})

test.each([
  ['a length that is no varint', [0x80, 0x80, 0x80, 0x80, 0x80]],
  ['a length that has a shorter form', [0x81, 0x00]],
  ['an answer that is too long', [0xff, 0xff, 0x7f]],
  ['an answer that says nothing', [0x00]]
])('%s is refused', (_, bytes) => {
  expect(() => reading().feed.feed(Uint8Array.from(bytes))).toThrow(WireError)
})
