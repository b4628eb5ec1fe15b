// Makes a stream from outside safe to take: it can't be longer than allowed, and can't hang past an
// abort.

import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { formatSize } from '../base/units.ts'
import type { StageOptions } from './blob-store.ts'

/**
 * The source's pieces. Throws BLOB_TOO_LARGE with the first byte too many, or the signal's reason.
 */
export async function* boundedSource(
  source: AsyncIterable<Uint8Array>,
  { bytesMax, signal }: StageOptions
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of signal === undefined ? source : abortable(source, signal)) {
    bytes += piece.byteLength
    if (bytes > bytesMax) {
      throw new NodeError(
        'BLOB_TOO_LARGE',
        `The image is larger than ${formatSize(bytesMax)}, the most this node takes (file_storage.max_file_size).`,
        { bytesMax, ...saidAs('image_large', { max: formatSize(bytesMax) }) }
      )
    }
    yield piece
  }
}

async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let fail: ((reason: unknown) => void) | undefined
  const onAbort = () => fail?.(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let ended = false
  try {
    while (true) {
      signal.throwIfAborted()
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done) {
        ended = true
        return
      }
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a source that hangs would hang its own end too.
    if (!ended) iterator.return?.()?.catch(() => {})
  }
}
