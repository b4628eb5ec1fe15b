import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeEntry, KIND_RECORD } from '../../../../protocols/entry.ts'
import { versionAt } from '../../../../protocols/version.ts'
import { AuditLog, tellAudit } from '../../../../src/flows/audit.ts'
import type { AuditLine } from '../../../../src/flows/audit-line.ts'
import { aboutOf, isKnownAction } from '../../../../src/http/audit-facts.ts'
import type { ApiRequest } from '../../../../src/http/route.ts'
import { createRouteTable } from '../../../../src/http/route-table.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

let http: HttpNode
let audit: AuditLog
let texts: string[]
let fail: boolean
beforeEach(() => start(['127.0.0.2']))
afterEach(() => http.close())

async function start(trustedProxies: readonly string[]): Promise<void> {
  texts = []
  fail = false
  http = await startHttpNode({
    trustedProxies,
    parts({ flows }) {
      const file = {
        append: async (text: string) => {
          if (fail) throw new Error('the disk is full')
          texts.unshift(text)
        },
        texts: () => texts,
        close: async () => {}
      }
      audit = new AuditLog({ ...flows, file })
      tellAudit({ ...flows, audit })
      return { audit }
    }
  })
}

const key = { Authorization: `Bearer ${LOCAL_KEY}` }
const lines = async (query = ''): Promise<AuditLine[]> =>
  (await http.send(`/api/audit${query}`, { headers: key })).json.lines

test('what was done is there with who, where and what; what only reads is not', async () => {
  await http.send('/images/a.svg', { method: 'PUT', body: tinyImage(1) })
  await http.send('/images/a.svg')
  await http.send('/images/a.svg', { method: 'DELETE', headers: key })
  const made = await http.send('/api/keys', {
    ...{ method: 'POST', body: JSON.stringify({ name: 'crawler', scopes: ['write'] }) }
  })
  const by = { from: '127.0.0.1', status: 200 }
  expect(await lines()).toMatchObject([
    {
      action: 'make key',
      by: 'this machine',
      ...by,
      about: { name: 'crawler', scopes: ['write'] }
    },
    { action: 'delete', by: 'key local', ...by, about: { path: 'a.svg' } },
    { action: 'add', by: 'this machine', from: '127.0.0.1', status: 201, about: { path: 'a.svg' } }
  ])
  expect(texts.join('')).not.toContain(made.json.key)
  expect(await lines('?action=delete&by=key')).toHaveLength(1)
  expect(await lines('?limit=1')).toMatchObject([{ action: 'make key' }])
  expect(await lines('?before=2000-01-01T00:00:00Z')).toEqual([])
})

test('what was refused to somebody who may ask is there, with the answer', async () => {
  const body = JSON.stringify({ path: 'none.svg', reason: 'x' })
  await http.send('/api/blocks', { method: 'POST', body })
  await http.send('/images/x.exe', { method: 'PUT', body: 'x' })
  expect(await lines()).toMatchObject([
    { action: 'add', status: 415, about: { path: 'x.exe' } },
    { action: 'block', status: 404, about: { path: 'none.svg' } }
  ])
})

test('what others wrote of members, keys and blocks is there, other entries are not', async () => {
  const { index } = http.node.flows
  const record = async (name: string) => {
    const entry = await index.change((tx) => tx.putRecord(name, Buffer.from('{}')))
    await index.change((tx) => tx.deleteRecord(name))
    return entry
  }
  const foreign = await record('member/12D3KooWx')
  texts.length = 0
  audit.add({ action: 'begin', by: 'test' })
  const later = { ...foreign, version: foreign.version + (1n << 40n) }
  const entry = encodeEntry({ ...later, replaces: undefined })
  await index.change((tx) => tx.merge(entry, 'peer-z'))
  await index.change((tx) => tx.merge(encodeEntry({ ...later, path: 'other/x' }), 'peer-z'))
  expect(await lines()).toMatchObject([
    { action: 'join', by: 'server peer-z', about: { id: '12D3KooWx' } },
    { action: 'begin' }
  ])
})

test('who writes records in masses pushes nobody out: the rest are counted', async () => {
  const { index } = http.node.flows
  const about = { kind: KIND_RECORD, writer: 'z', deleted: false, bytes: 0, mediaType: '' }
  const value = Buffer.from('{}')
  await index.change(async (tx) => {
    const version = versionAt(http.node.clock.now())
    const names = Array.from({ length: 500 }, (_, n) => `block/${n}`)
    for (const path of [...names, 'key/y']) {
      await tx.merge(encodeEntry({ ...about, path, version, value, createdMs: 1 }), 'z')
    }
  })
  const all = await lines('?limit=1000')
  expect(all).toHaveLength(101)
  expect(all[0]).toMatchObject({ action: 'make key', by: 'server z' })
  http.node.clock.advance(3_600_000)
  expect((await lines())[0]).toMatchObject({
    action: 'block',
    by: 'server z',
    about: { more: 400 }
  })
})

test('who is turned away is there once a minute, however often, and many share a line', async () => {
  await http.close()
  await start(['127.0.0.1'])
  const wrong = { Authorization: 'Bearer wrong' }
  for (let n = 0; n < 20; n++) await http.send('/api/keys?secret=1', { headers: wrong })
  const body = JSON.stringify({ key: 'wrong' })
  for (let n = 0; n < 15; n++) {
    const headers = { 'X-Forwarded-For': `192.0.2.${n}` }
    expect((await http.send('/api/login', { method: 'POST', body, headers })).status).toBe(401)
  }
  const own = await lines('?limit=1000')
  expect(own.map(({ action }) => action)).toEqual(Array(11).fill('refused'))
  expect(own.at(-1)).toMatchObject({
    ...{ by: 'nobody', from: '127.0.0.1', status: 401 },
    about: { method: 'GET', path: '/api/keys' }
  })
  expect(JSON.stringify(own)).not.toContain('secret')
  http.node.clock.advance(60_000)
  expect((await lines('?limit=2')).map(({ by, from, about }) => ({ by, from, about }))).toEqual([
    { by: 'others', from: undefined, about: { more: 5 } },
    { by: 'nobody', from: '127.0.0.1', about: { more: 19 } }
  ])
})

test('a disk that takes nothing hinders nobody', async () => {
  fail = true
  const put = await http.send('/images/a.svg', { method: 'PUT', body: tinyImage(1) })
  expect(put.status).toBe(201)
  fail = false
  await http.send('/images/b.svg', { method: 'PUT', body: tinyImage(2) })
  expect(await lines()).toMatchObject([{ about: { path: 'b.svg' } }])
})

test('half a line, and lines of others, are passed over', async () => {
  texts.push('{"at":"2026-01-01T00:00:00Z","action":"add","by":"x"}\n{"at":"202', 'null\n7\n\n')
  expect(await lines()).toEqual([{ at: '2026-01-01T00:00:00Z', action: 'add', by: 'x' }])
})

test('each route that changes something has a name', () => {
  const routes = createRouteTable(
    { ...http.node.http, guard: {} as never, metrics: {} as never, samples: {} as never },
    http.node.options,
    []
  )
  expect(routes.filter((route) => !isKnownAction(route)).map(({ url }) => url)).toEqual([])
})

test('secrets are not shown, lists are short', () => {
  const body = { address: 'tumesh-invite:abc', secret: 'x', paths: Array(50).fill('a'), key: 'k' }
  const about = aboutOf({ params: undefined, query: {}, body } as ApiRequest, { invite: 'l' })
  expect(Object.keys(about)).toEqual(['address', 'paths'])
  expect([about.address, (about.paths as string[]).length]).toEqual(['an invite', 21])
})
