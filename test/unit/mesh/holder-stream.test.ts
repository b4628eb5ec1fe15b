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
