import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuditLog, tellAudit } from '../../../../src/flows/audit.ts'
import { aboutOf, isKnownAction } from '../../../../src/http/audit-facts.ts'
import type { ApiRequest } from '../../../../src/http/route.ts'
import { createRouteTable } from '../../../../src/http/route-table.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

let http: HttpNode
let audit: AuditLog
let texts: string[]
let fail: boolean
beforeEach(async () => {
  texts = []
  fail = false
  http = await startHttpNode({
    trustedProxies: ['127.0.0.2'],
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
})
afterEach(() => http.close())

const key = { Authorization: `Bearer ${LOCAL_KEY}` }
const lines = async (query = '') => (await http.send(`/api/audit${query}`)).json.lines

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
  const { encodeEntry } = await import('../../../../protocols/entry.ts')
  const entry = encodeEntry({ ...later, replaces: undefined })
  await index.change((tx) => tx.merge(entry, 'peer-z'))
  await index.change((tx) => tx.merge(encodeEntry({ ...later, path: 'other/x' }), 'peer-z'))
  expect(await lines()).toMatchObject([
    { action: 'join', by: 'server peer-z', about: { id: '12D3KooWx' } },
    { action: 'begin' }
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
