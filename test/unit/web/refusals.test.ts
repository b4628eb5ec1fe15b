// Requests that a node refuses, from everywhere: the page has a whole sentence in Chinese for each.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const { sayRefusal } = await import(new URL('../../../src/web/reasons.js', import.meta.url).href)

let http: HttpNode
beforeAll(async () => {
  http = await startHttpNode()
  await http.node.put('one.svg', tinyImage(1))
  await http.node.put('two.svg', tinyImage(2))
})
afterAll(() => http.close())

const API = '/file-sync/api/file-sync'
const [SHA256, MD5] = ['0a'.repeat(32), '0a'.repeat(16)]

const REQUESTS: readonly (readonly [asked: string, body?: unknown])[] = [
  ['POST /api/move', { from: 'one.svg', to: '../x.svg' }],
  ['POST /api/move', { from: 'one.svg', to: 'two.svg' }],
  ['POST /api/move', { from: 'no.svg', to: 'x.svg' }],
  ['POST /api/move', { from: 'one.svg' }],
  ['POST /api/move', { from: 'one.svg', to: 'x.exe' }],
  ['POST /api/keys', { name: 'a b', scopes: ['read'] }],
  ['DELETE /api/keys/none'],
  ['POST /api/blocks', { path: 'one.svg', reason: '' }],
  ['POST /api/blocks', { reason: 'x' }],
  ['DELETE /api/blocks/x'],
  ['POST /api/sign', { path: 'one.svg' }],
  ['POST /api/sign', {}],
  ['POST /api/brakes', { token: 'x', action: 'undo' }],
  ['POST /api/away', { for: 'x' }],
  ['PUT /api/limits', { receive_new: '1' }],
  ['PUT /api/limits', { unknown: 1 }],
  ['POST /api/restore', { path: 'none.svg' }],
  ['GET /api/copies/none'],
  [`GET /api/copies/${SHA256}`],
  [`GET /api/copies/${MD5}`],
  ['GET /api/nothing'],
  ['PUT /api/keys'],
  ['GET /api/images?cursor=none'],
  ['GET /api/images?limit=0'],
  ['POST /api/adopt', { folders: ['relative'] }],
  ['DELETE /images/none.svg'],
  ['DELETE /api/images', {}],
  ['POST /api/review', { action: 'restore' }],
  [`GET ${API}/tasks/none`],
  [`GET ${API}/file/none.svg`],
  [`GET ${API}/files?since=never`],
  [`POST ${API}/verify`, { path: 'one.svg', paths: ['x'] }],
  [`POST ${API}/upload`, {}],
  ['GET /images/none.svg'],
  ['GET /images/%'],
  [`GET /blobs/${SHA256}`],
  [`GET /blobs/${MD5}`],
  ['GET /blobs/none'],
  ['GET /ipfs/none'],
  [`GET /ipfs/bafkrei${'a'.repeat(52)}?format=car`],
  ['GET /web/none.js'],
  ['GET /api/audit?limit=x']
]

test.each(REQUESTS.map(([asked, body]) => [asked, body] as const))(
  '%s is refused in both languages',
  async (asked: string, body?: unknown) => {
    const [method = '', path = ''] = asked.split(' ')
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await http.send(path, { method, ...text })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    const refusal = JSON.parse(answer.bytes.toString())
    const said = Array.isArray(refusal.detail)
      ? refusal.detail.map(({ msg }: { msg: string }) => msg).join('; ')
      : refusal.detail
    expect(said).toMatch(/[a-z]{2,}/)
    const inChinese = sayRefusal(said, refusal, { name: 'zh' })
    expect(inChinese).toMatch(/[\u4e00-\u9fff]/)
    // names of settings and commands, and no words of a sentence
    expect(inChinese).not.toMatch(/\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b/)
    expect(inChinese).not.toContain(said)
  }
)
