import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { accelPathOf } from '../../../src/http/accel.ts'
import { type HttpNodeChanges, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const IMAGE = tinyImage(1)
const HASH = createHash('sha256').update(IMAGE).digest('hex')

async function start(changes: HttpNodeChanges) {
  const http = await startHttpNode({ options: { accelLocation: '/tumesh-blobs' }, ...changes })
  await http.node.put('a.svg', IMAGE)
  return http
}

test('a trusted proxy is told where the bytes are', async () => {
  const http = await start({ trustedProxies: ['127.0.0.1'] })
  const { status, headers, bytes } = await http.send('/images/a.svg', {
    headers: { Range: 'bytes=0-3', 'If-Range': '"another"' }
  })
  expect([status, bytes.length, headers['content-length']]).toEqual([200, 0, '0'])
  expect(headers).toMatchObject({
    'x-accel-redirect': `/tumesh-blobs/${HASH.slice(0, 2)}/${HASH}`,
    etag: `"${HASH}"`,
    'content-type': 'image/svg+xml'
  })
  const known = await http.send('/images/a.svg', { headers: { 'If-None-Match': `"${HASH}"` } })
  expect([known.status, known.headers['x-accel-redirect']]).toEqual([304, undefined])
  const other = await http.send('/images/a.svg', { headers: { 'If-Match': '"another"' } })
  expect([other.status, other.json.code]).toEqual([412, 'PRECONDITION_FAILED'])
  const head = await http.send('/images/a.svg', { method: 'HEAD' })
  expect([head.status, head.headers['content-length']]).toEqual([200, String(IMAGE.length)])
  await http.close()
})

test('everybody else gets the bytes', async () => {
  const http = await start({})
  const { headers, bytes } = await http.send('/images/a.svg')
  expect([bytes.equals(IMAGE), headers['x-accel-redirect']]).toEqual([true, undefined])
  await http.close()
})

test('bytes that have changed on the disk are not handed to anybody', async () => {
  const http = await start({ trustedProxies: ['127.0.0.1'] })
  http.node.store.damage(HASH as never, 'by writing')
  const { status, headers } = await http.send('/images/a.svg')
  expect([status, headers['x-accel-redirect']]).toEqual([503, undefined])
  await http.close()
})

test('the location may end with a slash or not', () => {
  const hash = HASH as never
  expect(accelPathOf('/b/', hash)).toBe(accelPathOf('/b', hash))
})
