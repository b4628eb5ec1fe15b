// What a browser is told of bytes that were made to harm, whoever brought them.

import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { makePng } from '../../fixtures/make-hostile.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { TEST_INGEST } from '../../support/memory-node.ts'

let http: HttpNode
afterEach(() => http.close())
beforeEach(async () => {
  http = await startHttpNode()
})

const put = (path: string, body: Buffer | string) =>
  http.send(`/images/${path}`, { method: 'PUT', body })
const SANDBOX = "default-src 'none'"

async function headersOf(path: string) {
  const { status, headers } = await http.send(path)
  expect([path, status]).toEqual([path, 200])
  expect(headers['x-content-type-options']).toBe('nosniff')
  const policy = headers['content-security-policy']?.toString() ?? ''
  const isDownload = headers['content-disposition']?.startsWith('attachment') === true
  return { type: headers['content-type'], policy, isDownload }
}

test('an SVG runs nothing, whatever it holds', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  expect((await put('a.svg', svg)).status).toBe(201)
  const { type, policy } = await headersOf('/images/a.svg')
  expect(type).toBe('image/svg+xml')
  expect(policy).toContain(SANDBOX)
  expect(policy).toContain('sandbox')
})

test('what no decoder knows is downloaded, as bytes of no kind', async () => {
  await put('a.png', 'plain words, and then <html><script>alert(1)</script>')
  const { type, policy, isDownload } = await headersOf('/images/a.png')
  expect([type, isDownload]).toEqual(['application/octet-stream', true])
  expect(policy).toContain(SANDBOX)
})

test('a raster image is shown as what it is', async () => {
  await put('a.png', makePng(4, 4))
  expect(await headersOf('/images/a.png')).toEqual({
    type: 'image/png',
    policy: '',
    isDownload: false
  })
})

/** Entries come from other nodes too, and say whatever their author likes. */
test.each([
  ['text/html', 'application/octet-stream', true],
  ['image/png\r\nX: y', 'application/octet-stream', true],
  ['image/svg+xml; charset=utf-7', 'application/octet-stream', true],
  ['image/SVG+XML', 'image/SVG+XML', false],
  ['image/xhtml+xml', 'image/xhtml+xml', false],
  ['image/x+xml', 'image/x+xml', false],
  ['image/newer', 'image/newer', false]
])('an entry that says %j of its bytes', async (mediaType, type, isDownload) => {
  const page = Buffer.from(
    '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'
  )
  await put('first.png', 'x') // something to write beside
  const { store, index } = http.node.flows
  const source = (async function* () {
    yield page
  })()
  const staged = await store.stage(source, { bytesMax: 1000 })
  const stamp = await store.publish(staged, { isNamed: false })
  await index.change((tx) => {
    const hash = createHash('sha256').update(page).digest('hex') as ContentHash
    const md5 = createHash('md5').update(page).digest('hex') as Md5
    const about = { hash, md5, bytes: page.length, mediaType, createdMs: 1 }
    tx.putImage({ ...about, path: parsePath('page.png') })
    tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: 1 })
  })
  const seen = await headersOf('/images/page.png')
  expect([seen.type, seen.isDownload]).toEqual([type, isDownload])
  expect(seen.policy).toContain(SANDBOX)
})

test('images of too few or too many pixels are refused where that is set', async () => {
  await http.close()
  const ingest = { ...TEST_INGEST, minPixels: 4, maxPixels: 1_000_000 }
  http = await startHttpNode({ options: { ingest } })
  const answers = []
  for (const [at, side] of [1, 2, 1000, 1001].entries()) {
    const { status, json } = await put(`${at}.png`, makePng(side, side))
    answers.push([status, json.code])
    if (status !== 201) expect(json.detail).toMatch(/pixels, (fewer|more) than are taken here/)
  }
  const refused = [415, 'CONTENT_MISMATCH']
  expect(answers).toEqual([refused, [201, undefined], [201, undefined], refused])
})
