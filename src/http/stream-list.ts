// Long lists go out piece by piece: what is in memory does not grow with the list or with a slow
// reader.

import { Readable } from 'node:stream'

/** Small items share a chunk. */
const CHUNK_LENGTH = 16 * 1024

/** `{…head, "<name>": [items], …tail}`. `tail` is asked when all items are written. */
export function streamJson(
  head: object,
  name: string,
  items: AsyncIterable<object>,
  tail: () => object
): Readable {
  return readableOf(jsonTexts(head, name, items, tail))
}

/** One item a line. */
export function streamLines(items: AsyncIterable<object>): Readable {
  return readableOf(lineTexts(items))
}

async function* jsonTexts(
  head: object,
  name: string,
  items: AsyncIterable<object>,
  tail: () => object
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`
  let separator = '\n'
  for await (const item of items) {
    yield separator + JSON.stringify(item)
    separator = ',\n'
  }
  yield `\n],${JSON.stringify(tail()).slice(1)}`
}

async function* lineTexts(items: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`
}

/**
 * Small texts as larger chunks. Destroying it, as the server does when the client leaves, ends the
 * generators and closes what they read.
 */
export function readableOf(texts: AsyncIterable<string>): Readable {
  return Readable.from(chunksOf(texts), { objectMode: false, highWaterMark: CHUNK_LENGTH })
}

async function* chunksOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = ''
  for await (const text of texts) {
    chunk += text
    if (chunk.length < CHUNK_LENGTH) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}
