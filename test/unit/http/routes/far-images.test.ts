import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { cidOf, parseHash } from '../../../../protocols/hash.ts'
import type { ReadableBlob } from '../../../../src/flows/parts.ts'
import { want } from '../../../support/blob-holders.ts'
import { fakeRemote } from '../../../support/fake-remote.ts'
import { startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

describe('an image that other servers have', () => {
  const FAR = Buffer.concat([tinyImage(1), Buffer.alloc(400_000, ' ')])
  const FAR_HASH = createHash('sha256').update(FAR).digest('hex')

  /** A node that lacks it, and others of which `b` may send it. */
  async function startBeside(sends: boolean) {
    const asked: string[] = []
    const blob: ReadableBlob = {
      bytes: FAR.byteLength,
      async *read(start, end) {
        yield FAR.subarray(start, end)
      },
      close: () => asked.push('close')
    }
    const remote = fakeRemote({
      open: async () => {
        asked.push('open')
        return sends ? { blob, from: 'b' } : undefined
      },
      find: async () => {
        asked.push('find')
        return sends ? 'b' : undefined
      }
    })
    const beside = await startHttpNode({
      parts: ({ flows }) => ({ flows: { ...flows, remote } })
    })
    await want(beside.node, 'far.svg', FAR)
    return { beside, asked }
  }

  it('is sent with the name of the server that has it', async () => {
    const { beside, asked } = await startBeside(true)
    const addresses = [
      '/images/far.svg',
      `/blobs/${FAR_HASH}`,
      `/ipfs/${cidOf(parseHash(FAR_HASH))}?format=raw`
    ]
    for (const address of addresses) {
      const { status, headers, bytes } = await beside.send(address)
      expect([status, bytes.equals(FAR)]).toEqual([200, true])
      expect(headers).toMatchObject({
        etag: `"${FAR_HASH}"`,
        'content-length': String(FAR.byteLength),
        'x-image-source': 'peer:b'
      })
    }
    const range = await beside.send('/images/far.svg', { headers: { Range: 'bytes=1-4' } })
    expect([range.status, range.bytes]).toEqual([206, FAR.subarray(1, 5)])
    expect(asked).toEqual(Array.from({ length: 4 }, () => ['open', 'close']).flat())
    await beside.close()
  })

  it('is not fetched for HEAD, nor for who has it already', async () => {
    const { beside, asked } = await startBeside(true)
    const head = await beside.send('/images/far.svg', { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(head.headers).toMatchObject({
      'content-length': String(FAR.byteLength),
      'x-image-source': 'peer:b'
    })
    const same = await beside.send('/images/far.svg', {
      headers: { 'If-None-Match': `"${FAR_HASH}"` }
    })
    expect([same.status, asked]).toEqual([304, ['find']])
    await beside.close()
  })

  it('is not available when nobody sends it', async () => {
    const { beside } = await startBeside(false)
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await beside.send('/images/far.svg', { method })
      expect(status).toBe(503)
      expect(headers['cache-control']).toBe('no-store')
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    }
    await beside.close()
  })
})

describe('a path that this node does not know', () => {
  it('is asked of servers that may know more', async () => {
    const asked: string[] = []
    const beside = await startHttpNode({
      parts: ({ flows, put }) => {
        const learn = async (path: string) => {
          asked.push(path)
          if (path === 'new.svg') await put(path, tinyImage(7))
        }
        return { flows: { ...flows, remote: fakeRemote({ learn }) } }
      }
    })
    expect((await beside.send('/images/new.svg')).status).toBe(200)
    expect((await beside.send('/images/nothing.svg')).status).toBe(404)
    expect((await beside.send('/images/new.svg')).status).toBe(200)
    expect(asked).toEqual(['new.svg', 'nothing.svg'])
    await beside.close()
  })

  it('is no final answer while the node has just started', async () => {
    let started = false
    const remote = fakeRemote({ isCatchingUp: () => !started })
    const beside = await startHttpNode({
      parts: ({ flows }) => ({ flows: { ...flows, remote } })
    })
    const { status, headers } = await beside.send('/images/nothing.svg')
    expect([status, headers['retry-after'], headers['cache-control']]).toEqual([
      ...[503, '2', 'no-store']
    ])
    started = true
    expect((await beside.send('/images/nothing.svg')).status).toBe(404)
    await beside.close()
  })
})
