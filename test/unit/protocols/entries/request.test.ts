import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { encodeRefs } from '../../../../protocols/entries/entry-ref.ts'
import { HISTORY_PAST_MAX } from '../../../../protocols/entries/limits.ts'
import { RequestSchema, ResponseSchema } from '../../../../protocols/entries/messages_pb.ts'
import { EntriesClient } from '../../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../../protocols/entries/serve.ts'
import { FrameReader, frameOf } from '../../../../protocols/frame.ts'
import { encodeMessage, parseMessage } from '../../../../protocols/message.ts'
import { parsePath } from '../../../../protocols/path.ts'
import { STATUS } from '../../../../protocols/status.ts'
import { ROOT_KEY, treeKey } from '../../../../protocols/time-tree-shape.ts'
import { imageEntry, MemoryEntries } from '../../../support/memory-entries.ts'
import { never, servePair } from '../../../support/serve-pair.ts'
import { streamPair } from '../../../support/stream-pair.ts'

type Answer = NonNullable<MessageInitShape<typeof ResponseSchema>['kind']>

/** A client whose only answer lies ready. */
async function answered(kind: Answer, status: number = STATUS.OK) {
  const { left, right } = streamPair()
  await right.write(frameOf(encodeMessage(ResponseSchema, { status, kind })))
  return { client: new EntriesClient(left), left }
}

const ref = (version: bigint) => ({ version, pathHash: '0'.repeat(32) })
const refs = (...versions: bigint[]) => encodeRefs(versions.map(ref))

describe('an answer that can not be is a WireError, and breaks the stream:', () => {
  const asks: Record<string, [Answer, (client: EntriesClient) => Promise<unknown>]> = {
    'to something else': [{ case: 'push', value: {} }, (client) => client.status(never)],
    'more pushed than sent': [
      { case: 'push', value: { accepted: 2 } },
      (client) => client.push([Uint8Array.of(1)], [], never)
    ],
    'too few nodes': [
      { case: 'tree', value: { nodes: [] } },
      (client) => client.tree([{ key: ROOT_KEY }], never)
    ],
    'children in disorder': [
      { case: 'tree', value: { nodes: [{ children: [{ index: 1 }, { index: 1 }] }] } },
      (client) => client.tree([{ key: ROOT_KEY }], never)
    ],
    'a child that can not be': [
      { case: 'tree', value: { nodes: [{ children: [{ index: 256 }] }] } },
      (client) => client.tree([{ key: treeKey(1, 0) }], never)
    ],
    'a child of a leaf': [
      { case: 'tree', value: { nodes: [{ children: [{ index: 0 }] }] } },
      (client) => client.tree([{ key: treeKey(3, 0) }], never)
    ],
    'a child above the page': [
      { case: 'tree', value: { nodes: [{ children: [{ index: 7 }] }] } },
      (client) => client.tree([{ key: ROOT_KEY, before: 7 }], never)
    ],
    'more children below none': [
      { case: 'tree', value: { nodes: [{ more: true }] } },
      (client) => client.tree([{ key: ROOT_KEY }], never)
    ],
    'a sum of 31 bytes': [
      { case: 'report', value: { root: { liveSum: new Uint8Array(31) } } },
      (client) => client.status(never)
    ],
    'an impossible count': [
      { case: 'report', value: { root: { live: 2n ** 60n } } },
      (client) => client.status(never)
    ],
    'ranges in disorder': [
      {
        case: 'report',
        value: {
          wantRanges: [
            { from: 5, to: 7 },
            { from: 7, to: 9 }
          ]
        }
      },
      (client) => client.status(never)
    ],
    'too many ranges': [
      {
        case: 'report',
        value: { wantRanges: Array.from({ length: 1025 }, (_, at) => ({ from: at, to: at })) }
      },
      (client) => client.status(never)
    ],
    'refs in disorder': [
      { case: 'pairs', value: { refs: refs(1n, 2n) } },
      (client) => client.pairs(ROOT_KEY, undefined, never)
    ],
    'more nodes than were asked for': [
      { case: 'pairs', value: { refs: refs(2n), more: [refs(1n)] } },
      (client) => client.pairs(ROOT_KEY, undefined, never)
    ],
    'refs of a further node in disorder': [
      { case: 'pairs', value: { more: [refs(1n, 2n)] } },
      (client) => client.pairsOfMany([ROOT_KEY, ROOT_KEY], never)
    ],
    'half a ref': [
      { case: 'pairs', value: { refs: new Uint8Array(30) } },
      (client) => client.pairs(ROOT_KEY, undefined, never)
    ],
    'refs above the page': [
      { case: 'pairs', value: { refs: refs(9n) } },
      (client) => client.pairs(ROOT_KEY, ref(9n), never)
    ],
    'a page that does not go on': [
      { case: 'range', value: { next: refs(9n) } },
      (client) => client.range(ROOT_KEY, ref(9n), never)
    ],
    'two cursors': [
      { case: 'range', value: { next: refs(9n, 8n) } },
      (client) => client.range(ROOT_KEY, undefined, never)
    ],
    'no ref looked at': [
      { case: 'fetch', value: { served: 0 } },
      (client) => client.fetch([ref(1n)], never)
    ],
    'more entries than refs': [
      { case: 'fetch', value: { served: 1, entries: [new Uint8Array(1), new Uint8Array(1)] } },
      (client) => client.fetch([ref(1n)], never)
    ],
    'the history of another path': [
      { case: 'history', value: { current: imageEntry('b.png', 1n).raw } },
      (client) => client.history(parsePath('a.png'), never)
    ],
    'a past version of another path': [
      { case: 'history', value: { past: [{ entry: imageEntry('b.png', 1n).raw }] } },
      (client) => client.history(parsePath('a.png'), never)
    ],
    'too long a history': [
      { case: 'history', value: { past: Array(HISTORY_PAST_MAX + 1).fill({}) } },
      (client) => client.history(parsePath('a.png'), never)
    ]
  }

  test.each(Object.entries(asks))('%s', async (_, [answer, ask]) => {
    const { client, left } = await answered(answer)
    await expect(ask(client)).rejects.toMatchObject({ name: 'WireError' })
    expect(left.aborted).toBeDefined()
  })

  test('without a status', async () => {
    const { client } = await answered({ case: 'report', value: {} }, 0)
    await expect(client.status(never)).rejects.toMatchObject({ fault: 'BAD_MESSAGE' })
  })
})

test.each([
  [0, undefined],
  [3, { state: 'full', sinceMs: 7 }],
  [4, undefined]
])('a disk of state %i is %o', async (disk, told) => {
  const root = {
    liveSum: new Uint8Array(32),
    deadSum: new Uint8Array(32),
    imageDeadSum: new Uint8Array(32)
  }
  const { client } = await answered({ case: 'report', value: { root, disk, diskSinceMs: 7n } })
  expect((await client.status(never)).disk).toEqual(told)
})

test('entries that this node can not read are left out of a page', async () => {
  const { client } = await answered({ case: 'range', value: { entries: [new Uint8Array(3)] } })
  const page = await client.range(ROOT_KEY, undefined, never)
  expect(page).toEqual({ entries: [], malformed: 1, next: undefined })
})

test('versions that this node can not read are left out of a history', async () => {
  const entry = imageEntry('a.png', 1n)
  const past = [{ entry: new Uint8Array(3) }, { entry: entry.raw, sinceMs: 7n }]
  const { client } = await answered({ case: 'history', value: { current: Uint8Array.of(9), past } })
  const told = await client.history(parsePath('a.png'), never)
  expect(told).toEqual({ current: undefined, past: [{ entry, sinceMs: 7 }], isAll: false })
})

describe('requests of later versions:', () => {
  test('a kind that is not known is a BAD_REQUEST, and the stream goes on', async () => {
    const { stream, outcome } = servePair(entriesProtocol, new MemoryEntries())
    const reader = new FrameReader(stream.source)
    await stream.write(frameOf(Uint8Array.of(0xfa, 0x07, 0x00))) // field 127, no bytes
    const refusal = parseMessage(ResponseSchema, await reader.nextFrame(1000))
    expect(refusal).toMatchObject({
      status: STATUS.BAD_REQUEST,
      reason: expect.stringContaining('knows no such')
    })
    const known = encodeMessage(RequestSchema, { kind: { case: 'report', value: {} } })
    await stream.write(frameOf(known))
    const answer = parseMessage(ResponseSchema, await reader.nextFrame(1000))
    expect(answer).toMatchObject({ status: STATUS.OK })
    await stream.end()
    expect(await outcome).toBeUndefined()
  })

  test('fields that are not known pass', async () => {
    const { stream } = servePair(entriesProtocol, new MemoryEntries())
    const known = encodeMessage(RequestSchema, { kind: { case: 'report', value: {} } })
    await stream.write(frameOf(Buffer.concat([known, Uint8Array.of(0xfa, 0x07, 0x01, 0x05)])))
    const answer = parseMessage(
      ResponseSchema,
      await new FrameReader(stream.source).nextFrame(1000)
    )
    expect(answer.status).toBe(STATUS.OK)
    expect(answer.kind.case).toBe('report')
  })
})
