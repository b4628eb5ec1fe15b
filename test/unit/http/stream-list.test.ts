import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { streamJson, streamLines } from '../../../src/http/stream-list.ts'

/** Numbers, with a count of those taken and whether the source was closed. */
function source(count: number) {
  const state = { taken: 0, closed: false }
  async function* items() {
    try {
      for (let n = 0; n < count; n++) {
        state.taken++
        yield { n, text: 'x'.repeat(100) }
      }
    } finally {
      state.closed = true
    }
  }
  return { state, items: items() }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('JSON of 5,000 items is whole, head and tail around them', async () => {
  const { items } = source(5000)
  const text = await textOf(streamJson({ status: 'x' }, 'list', items, () => ({ end: true })))
  const value = JSON.parse(text)
  expect(Object.keys(value)).toEqual(['status', 'list', 'end'])
  expect(value.list.map(({ n }: { n: number }) => n)).toEqual(
    Array.from({ length: 5000 }, (_, n) => n)
  )
})

test('no items', async () => {
  const text = await textOf(streamJson({ a: 1 }, 'list', source(0).items, () => ({ b: 2 })))
  expect(JSON.parse(text)).toEqual({ a: 1, list: [], b: 2 })
  expect(await textOf(streamLines(source(0).items))).toBe('')
})

test('a slow reader holds the source up', async () => {
  const { state, items } = source(5000)
  const reader = streamLines(items)[Symbol.asyncIterator]()
  let lines = 0
  for (let next = await reader.next(); !next.done; next = await reader.next()) {
    lines += next.value.toString().split('\n').length - 1
    for (let turn = 0; turn < 3; turn++) await setImmediate()
    expect(state.taken - lines).toBeLessThan(600) // a few chunks of 16 KiB
  }
  expect(lines).toBe(5000)
  expect(state).toEqual({ taken: 5000, closed: true })
})

test('a reader that leaves closes the source', async () => {
  const { state, items } = source(5000)
  const stream = streamJson({ a: 1 }, 'list', items, () => ({}))
  for await (const _ of stream) break
  await setImmediate()
  expect(state.closed).toBe(true)
  expect(state.taken).toBeLessThan(1000)
})

test('a source that fails breaks the stream, so that nobody takes it for the whole', async () => {
  async function* failing() {
    yield { n: 1 }
    throw new Error('disk')
  }
  const stream = streamJson({ a: 1 }, 'list', failing(), () => ({}))
  await expect(textOf(stream)).rejects.toThrow('disk')
})
