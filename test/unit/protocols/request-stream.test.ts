import { describe, expect, test } from 'vitest'
import { type FrameReader, frameOf, FrameReader as Reader } from '../../../protocols/frame.ts'
import { RequestStream } from '../../../protocols/request-stream.ts'
import { never } from '../../support/serve-pair.ts'
import { type StreamEnd, streamPair } from '../../support/stream-pair.ts'

const read = async (reader: FrameReader) => (await reader.nextFrame(10))[0]
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** The other side: counts requests, and answers when told. */
function answerer(stream: StreamEnd) {
  const requests: number[] = []
  const listening = (async () => {
    const reader = new Reader(stream.source)
    for (;;) {
      const frame = await reader.frame(10)
      if (frame === undefined) return stream.end()
      requests.push(frame[0] as number)
    }
  })().catch(() => {})
  const answer = (value: number) => stream.write(frameOf(Uint8Array.of(value)))
  return { requests, answer, listening }
}

function setUp(outstandingMax: number) {
  const { left, right } = streamPair()
  return { requests: new RequestStream(left, { outstandingMax }), left, other: answerer(right) }
}

const ask = (requests: RequestStream, value: number, signal = never) =>
  requests.ask(Uint8Array.of(value), read, signal)

describe('RequestStream', () => {
  test('sends some requests ahead, no more, and gives each its answer', async () => {
    const { requests, other } = setUp(2)
    const answers = [1, 2, 3].map((value) => ask(requests, value))
    await settled()
    expect(other.requests).toEqual([1, 2])
    await other.answer(11)
    expect(await answers[0]).toBe(11)
    await settled()
    expect(other.requests).toEqual([1, 2, 3])
    await other.answer(12)
    await other.answer(13)
    expect(await Promise.all(answers)).toEqual([11, 12, 13])
    expect(requests.asked).toBe(3)
    await requests.end(never)
  })

  test('a call given up while it waits leaves the stream as it is', async () => {
    const { requests, other } = setUp(1)
    const first = ask(requests, 1)
    const aborter = new AbortController()
    const second = ask(requests, 2, aborter.signal)
    const third = ask(requests, 3)
    aborter.abort(new Error('given up'))
    await expect(second).rejects.toThrow('given up')
    await other.answer(11)
    await other.answer(13)
    expect(await Promise.all([first, third])).toEqual([11, 13])
    expect(other.requests).toEqual([1, 3])
  })

  test('a call given up in the moment of its turn leaves the stream as it is', async () => {
    const { requests, other } = setUp(1)
    const aborter = new AbortController()
    const first = ask(requests, 1).then(() => aborter.abort(new Error('given up')))
    const second = ask(requests, 2, aborter.signal)
    const third = ask(requests, 3)
    await other.answer(11)
    await expect(second).rejects.toThrow('given up')
    await other.answer(13)
    expect(await third).toBe(13)
    await first
    expect(other.requests).toEqual([1, 3])
  })

  test('a call given up under way breaks the stream for all', async () => {
    const { requests, left } = setUp(2)
    const aborter = new AbortController()
    const first = ask(requests, 1, aborter.signal)
    const second = ask(requests, 2)
    await settled()
    aborter.abort(new Error('given up'))
    await expect(first).rejects.toThrow('given up')
    await expect(second).rejects.toThrow('given up')
    await expect(ask(requests, 3)).rejects.toThrow('given up')
    expect(left.aborted).toMatchObject({ message: 'given up' })
  })

  test('a signal that is aborted already sends nothing', async () => {
    const { requests, other } = setUp(1)
    await expect(ask(requests, 1, AbortSignal.abort(new Error('no')))).rejects.toThrow('no')
    await settled()
    expect(other.requests).toEqual([])
  })

  test('says no when too many calls wait', async () => {
    const { requests } = setUp(1)
    const calls = Array.from({ length: 300 }, (_, at) => ask(requests, at % 100))
    await expect(calls[299]).rejects.toMatchObject({ status: 3 })
    requests.abort(new Error('done'))
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  })

  test('an end without an answer is TRUNCATED', async () => {
    const { left, right } = streamPair()
    await right.end()
    const call = ask(new RequestStream(left, { outstandingMax: 1 }), 1)
    await expect(call).rejects.toMatchObject({ fault: 'TRUNCATED' })
  })

  test.each([[0], [1]])('an answer of %i bytes to nothing is BAD', async (length) => {
    const { left, right } = streamPair()
    await right.write(frameOf(new Uint8Array(length)))
    const end = new RequestStream(left, { outstandingMax: 1 }).end(never)
    await expect(end).rejects.toMatchObject({ name: 'WireError' })
  })

  test('leaves no listener on the signal', async () => {
    const { requests, other } = setUp(1)
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const call = ask(requests, 1, signal)
    await settled()
    expect(listeners).toBe(1)
    await other.answer(1)
    await call
    expect(listeners).toBe(0)
  })
})
