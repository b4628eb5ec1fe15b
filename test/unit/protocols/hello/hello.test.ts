import { describe, expect, test } from 'vitest'
import { FrameReader, frameOf } from '../../../../protocols/frame.ts'
import { type Heard, type Hello, helloMessage } from '../../../../protocols/hello/hello.ts'
import { RequestSchema, ResponseSchema } from '../../../../protocols/hello/messages_pb.ts'
import { requestHello } from '../../../../protocols/hello/request.ts'
import { type HelloSource, helloProtocol } from '../../../../protocols/hello/serve.ts'
import { encodeMessage, parseMessage } from '../../../../protocols/message.ts'
import { STATUS, StatusError } from '../../../../protocols/status.ts'
import { helloOf } from '../../../support/protocol-talks.ts'
import { never, servePair } from '../../../support/serve-pair.ts'

const mine = helloOf('left')

function source(changes: Partial<HelloSource> = {}) {
  const heard: [Heard, string][] = []
  return {
    heard: (hello: Heard, from: string) => heard.push([hello, from]),
    hello: () => helloOf('right'),
    now: () => 5000,
    ...changes,
    seen: heard
  }
}

/** Clocks that show one time after the other. */
const clock =
  (...times: number[]) =>
  () =>
    times.shift() ?? Number.NaN

describe('hello', () => {
  test('makes two nodes known to each other in one round trip', async () => {
    const right = source()
    const { stream, outcome } = servePair(helloProtocol, right)
    expect(await requestHello(stream, mine, () => 5000, never)).toEqual({
      ...helloOf('right'),
      clockOffsetMs: 0
    })
    expect(right.seen).toEqual([[{ ...mine, clockOffsetMs: 0 }, 'asker']])
    expect(await outcome).toBeUndefined()
  })

  test('tells how far the clocks are apart, whatever the way took', async () => {
    // the other clock is 1,000 ms ahead; the way takes 30 ms, the answer 10 ms
    const right = source({ now: clock(6030, 6040) })
    const { stream } = servePair(helloProtocol, right)
    const heard = await requestHello(stream, mine, clock(5000, 5070), never)
    expect(heard.clockOffsetMs).toBe(1000)
    expect(right.seen[0]?.[0].clockOffsetMs).toBe(-1030)
  })

  test('a node without images and ports says so by leaving them out', async () => {
    const bare: Hello = { ...mine, clusterIds: [], httpPort: undefined, hasImages: false }
    const { stream } = servePair(helloProtocol, source({ hello: () => bare }))
    expect(await requestHello(stream, mine, () => 1, never)).toMatchObject(bare)
  })

  test.each<[string, Partial<Hello>]>([
    ['a long name', { name: 'n'.repeat(129) }],
    ['a name of two lines', { name: 'a\nb' }],
    ['too many addresses', { addresses: Array(17).fill('/ip4/127.0.0.1/tcp/1') }],
    ['a long address', { addresses: ['/'.repeat(257)] }],
    ['too many protocols', { protocols: Array(33).fill('/x/1') }],
    ['a port that is none', { httpPort: 65_536 }]
  ])('%s is refused by either side, and the stream goes on', async (_, wrong) => {
    const { stream, outcome } = servePair(helloProtocol, source())
    const reader = new FrameReader(stream.source)
    for (const hello of [{ ...mine, ...wrong }, mine]) {
      const frame = encodeMessage(RequestSchema, { hello: helloMessage(hello, 1) })
      await stream.write(frameOf(frame))
    }
    const statuses = [await reader.nextFrame(10_000), await reader.nextFrame(10_000)].map(
      (frame) => parseMessage(ResponseSchema, frame).status
    )
    expect(statuses[0]).not.toBe(STATUS.OK)
    expect(statuses[1]).toBe(STATUS.OK)
    await stream.end()
    expect(await outcome).toBeUndefined()

    const other = servePair(helloProtocol, source({ hello: () => ({ ...mine, ...wrong }) }))
    const heard = requestHello(other.stream, mine, () => 1, never)
    await expect(heard).rejects.toMatchObject({ name: 'WireError' })
  })

  test('a node that refuses is heard', async () => {
    const hello = () => {
      throw new StatusError(STATUS.REFUSED, 'this mesh has another cluster id')
    }
    const { stream, outcome } = servePair(helloProtocol, source({ hello }))
    await expect(requestHello(stream, mine, () => 1, never)).rejects.toMatchObject({
      status: STATUS.REFUSED,
      message: 'this mesh has another cluster id'
    })
    expect(await outcome).toBeInstanceOf(Error) // the asker broke the stream
  })

  test('throws what its source threw', async () => {
    const hello = () => {
      throw new Error('no disk')
    }
    const { stream, outcome } = servePair(helloProtocol, source({ hello }))
    await expect(requestHello(stream, mine, () => 1, never)).rejects.toThrow('aborted')
    expect(await outcome).toMatchObject({ message: 'no disk' })
  })
})
