import { expect, test } from 'vitest'
import { blobsProtocol } from '../../../protocols/blobs/serve.ts'
import { parseHash } from '../../../protocols/hash.ts'
import { HolderStream } from '../../../src/mesh/holder-stream.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { MICROTASKS, microtasks, settled } from '../../support/microtasks.ts'
import { servePair } from '../../support/serve-pair.ts'

const never = new AbortController().signal

test.each(MICROTASKS)('who asks %i steps after another was answered is answered too', async (n) => {
  const open = async () => servePair(blobsProtocol, new MemoryBlobSource()).stream
  const stream = new HolderStream({ network: { open }, clock: new ManualClock() }, 'p')
  await stream.ask(parseHash('0a'.repeat(32)), never)
  await microtasks(n)
  let answer: boolean | undefined
  void stream.ask(parseHash('0b'.repeat(32)), never).then((has) => {
    answer = has
  })
  await settled()
  expect(answer).toBe(false)
  await stream.close()
})

test('who says more is believed, who says less as well, and both beside a wait for proof', async () => {
  const source = new MemoryBlobSource()
  const hash = source.add(Uint8Array.of(1))
  const open = async () => servePair(blobsProtocol, source).stream
  const clock = new ManualClock()
  const stream = new HolderStream({ network: { open }, clock }, 'p')
  expect(await stream.explain(hash, never)).toEqual({ has: true, copy: undefined })
  Object.assign(source, { copy: async () => ({ state: 'held', verifiedMs: 5 }) })
  const absent = parseHash('0c'.repeat(32))
  const waits = new AbortController()
  const waiting = [1, 2].map(() => stream.untilHeld(absent, waits.signal))
  await clock.run(async () => {
    expect(await stream.explain(hash, never)).toMatchObject({
      ...{ has: true, copy: { state: 'held', verifiedMs: 5 } }
    })
    expect(await stream.ask(absent, never)).toBe(false)
    waits.abort()
    expect(await Promise.all(waiting)).toEqual([undefined, undefined])
    await stream.close()
  })
})
