// A real server that sends one image, from blobs in memory that count and break.

import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { SpareBuffers } from '../../src/base/spare-buffers.ts'
import { type ImageToSend, sendImage } from '../../src/http/image-response.ts'
import { SMALL_BLOB_BYTES_MAX } from '../../src/store/blob-store.ts'
import { FakeBlob, type FakeBlobOptions } from './fake-blob.ts'

export const HASH = 'ab'.repeat(32) as ContentHash
export const ETAG = `"${HASH}"`
export const MODIFIED = 'Sat, 01 Jan 2022 12:00:00 GMT'
/** Sent in nine pieces. */
export const LARGE = SMALL_BLOB_BYTES_MAX * 8 + 17

export interface Got {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export class ImageServer {
  image: ImageToSend
  /** Every blob that was opened. */
  readonly blobs: FakeBlob[] = []
  readonly faults: unknown[] = []
  readonly #buffers = new SpareBuffers({ bytesMax: SMALL_BLOB_BYTES_MAX, keptBytesMax: 2 ** 20 })
  #ended = 0
  #wake = () => {}

  readonly server = createServer(async (incoming, response) => {
    await sendImage(incoming, response, this.image, {
      buffers: this.#buffers,
      onFault: (error) => this.faults.push(error)
    })
    this.#ended++
    this.#wake()
  })

  constructor() {
    this.image = this.serve(contentOf(1000))
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  close(): Promise<unknown> {
    this.server.closeAllConnections()
    return new Promise((resolve) => this.server.close(resolve))
  }

  serve(
    content: Uint8Array,
    facts: Partial<ImageToSend> = {},
    options: FakeBlobOptions = {}
  ): ImageToSend {
    this.image = {
      hash: HASH,
      md5: 'cd'.repeat(16) as Md5,
      bytes: content.byteLength,
      mediaType: 'image/png',
      modifiedMs: Date.parse(MODIFIED) + 400,
      fileName: '图.png',
      cacheControl: 'no-cache',
      recognized: true,
      open: () => {
        const blob = new FakeBlob(content, options)
        this.blobs.push(blob)
        return { blob }
      },
      openInstead: () => Promise.reject(new Error('there is nothing else to open')),
      find: async () => {
        const { blob, from } = await this.image.open()
        blob.close()
        return { bytes: blob.bytes, from }
      },
      ...facts
    }
    return this.image
  }

  get(headers: Record<string, string> = {}, method = 'GET', path = '/images/a'): Promise<Got> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, path, method, headers, agent: false }
      const outgoing = request(options, (incoming) => {
        const pieces: Buffer[] = []
        incoming.on('data', (piece) => pieces.push(piece))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const { statusCode: status, headers } = incoming
          resolve({ status, headers, body: Buffer.concat(pieces) })
        })
      })
      outgoing.on('error', reject)
      outgoing.end()
    })
  }

  /** Waits until `count` answers have ended, however they did. */
  async answers(count: number): Promise<void> {
    while (this.#ended < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** Bytes that differ from their neighbours and from those 256 further. */
export function contentOf(bytes: number): Buffer {
  const content = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at++) content[at] = (at * 31 + (at >> 8)) & 255
  return content
}
