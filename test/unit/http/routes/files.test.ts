import { afterEach, beforeEach, expect, test } from 'vitest'
import { verifyBlob } from '../../../../src/flows/verify-blob.ts'
import { filesRoutes } from '../../../../src/http/routes/files.ts'
import {
  addEntries,
  type MemoryNode,
  openMemoryNode,
  tinyImage
} from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

async function get(query: Record<string, string | number> = {}, headers = {}) {
  const server = serveRoutes(filesRoutes(node.http, node.options))
  const url = `/file-sync/api/file-sync/files?${new URLSearchParams(query as never)}`
  const answer = await server.inject({ url, headers })
  expect(answer.statusCode, answer.body).toBe(200)
  return answer
}

const names = (count: number, prefix = 'p') =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(4, '0')}.jpg`)
const pathsOf = (body: { files: { path: string }[] }) => body.files.map(({ path }) => path)

/** All pages, one after the other; `between` runs after each. */
async function walk(query: Record<string, string | number>, between = async () => {}) {
  const seen: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const body = (await get({ ...query, ...(cursor && { cursor }) })).json()
    seen.push(...pathsOf(body))
    cursor = body.next_cursor
    await between()
  }
  return seen
}

test('an element has the documented fields', async () => {
  await node.put('x_1.svg', tinyImage(1), 'https://example.org/x.svg')
  const body = (await get({ limit: 10 })).json()
  expect(Object.keys(body)).toEqual([
    ...['status', 'total_files', 'total_size', 'count', 'next_cursor', 'files']
  ])
  const documented = [
    ...['path', 'filename', 'size', 'hash', 'sha256', 'cid', 'mime_type', 'width', 'height'],
    ...['source_url', 'writer', 'created_at', 'modified_at', 'verified_at', 'state', 'local'],
    ...['servers', 'replicas', 'url']
  ]
  expect(Object.keys(body.files[0])).toEqual(expect.arrayContaining(documented))
  expect(body).toMatchObject({
    status: 'success',
    total_files: 1,
    total_size: tinyImage(1).length,
    count: 1,
    next_cursor: null,
    files: [{ path: 'x_1.svg', state: 'ok', servers: ['a'], replicas: 1, url: '/images/x_1.svg' }]
  })
})

test('an empty node lists nothing, streamed or not', async () => {
  const empty = { status: 'success', total_files: 0, total_size: 0, count: 0, next_cursor: null }
  expect((await get()).json()).toEqual({ ...empty, files: [] })
  expect((await get({ limit: 1 })).json()).toEqual({ ...empty, files: [] })
  expect((await get({}, { accept: 'application/x-ndjson' })).body).toBe('')
})

test('without limit everything comes, with the same fields', async () => {
  await addEntries(node, names(700))
  const body = (await get()).json()
  expect(pathsOf(body)).toEqual(names(700))
  expect(Object.keys(body).sort()).toEqual(
    ['status', 'total_files', 'total_size', 'count', 'next_cursor', 'files'].sort()
  )
  expect(body).toMatchObject({ total_files: 700, total_size: 700_000, count: 700 })
})

test('pages cover everything once while images come and go', async () => {
  await addEntries(node, names(100))
  let added = 0
  const seen = await walk({ limit: 7 }, async () => {
    added++
    await addEntries(node, [`a${added}.jpg`, `z${added}.jpg`]) // before and after every cursor
    await node.flows.index.change((tx) => tx.deleteImage(seen_last()))
  })
  function seen_last() {
    return `p${String(added * 7 - 1).padStart(4, '0')}.jpg` as never // what the cursor points to
  }
  expect(seen.filter((path) => path.startsWith('p'))).toEqual(names(100))
  expect(new Set(seen).size).toBe(seen.length)
})

test('a cursor of another list, or none at all, is refused', async () => {
  await addEntries(node, names(3))
  const { next_cursor: cursor } = (await get({ limit: 1 })).json()
  const server = serveRoutes(filesRoutes(node.http, node.options))
  for (const query of [`since=0&limit=1&cursor=${cursor}`, 'limit=1&cursor=%7B%7D', 'cursor=W10']) {
    const answer = await server.inject(`/file-sync/api/file-sync/files?${query}`)
    expect(answer.statusCode).toBe(422)
    expect(answer.json()).toMatchObject({ code: 'VALIDATION', detail: [{ loc: ['query'] }] })
  }
})

test('parameters that make no sense are refused, unknown ones ignored', async () => {
  const server = serveRoutes(filesRoutes(node.http, node.options))
  for (const query of ['limit=0', 'limit=10001', 'limit=x', 'state=gone', 'since=yesterday']) {
    const answer = await server.inject(`/file-sync/api/file-sync/files?${query}`)
    expect([query, answer.statusCode]).toEqual([query, 422])
  }
  await get({ foo: 'bar' })
})

test('prefix', async () => {
  await addEntries(node, [...names(5, 'x/'), ...names(5, 'y/')])
  const body = (await get({ prefix: 'x/' })).json()
  expect(pathsOf(body)).toEqual(names(5, 'x/'))
  expect(body).toMatchObject({ total_files: 5, total_size: 5000, count: 5 })
  expect((await get({ prefix: 'x/', limit: 2 })).json()).toMatchObject({
    total_files: null,
    count: 2
  })
  expect((await get({ prefix: 'x/', limit: 5 })).json()).toMatchObject({ total_files: 5 })
  expect(await walk({ prefix: 'y/', limit: 2 })).toEqual(names(5, 'y/'))
})

test('a prefix matches whatever its normal form', async () => {
  await addEntries(node, ['é/1.jpg'])
  expect(pathsOf((await get({ prefix: 'e\u0301/' })).json())).toEqual(['é/1.jpg'])
})

test('since, in every form, oldest change first', async () => {
  await addEntries(node, names(3, 'old'))
  node.clock.advance(60_000)
  const sinceMs = node.clock.now()
  await addEntries(node, names(5, 'new'))
  const iso = new Date(sinceMs).toISOString()
  for (const since of [sinceMs, sinceMs / 1000, iso, iso.replace('Z', '+00:00')]) {
    expect(pathsOf((await get({ since, limit: 100 })).json())).toEqual(names(5, 'new'))
  }
  expect(pathsOf((await get({ since: sinceMs, prefix: 'new0003' })).json())).toHaveLength(1)
  expect(await walk({ since: sinceMs, limit: 2 })).toEqual(names(5, 'new'))
})

test('images of one version are all on some page', async () => {
  const versionMs = node.clock.now() - 1000
  await addEntries(node, names(20), { versionMs })
  const seen = await walk({ since: versionMs, limit: 3 })
  expect(seen.toSorted()).toEqual(names(20))
})

test('state: what is not here, by its reason', async () => {
  const damaged = await node.put('damaged.svg', tinyImage(1))
  await node.put('damaged too.svg', tinyImage(1))
  const lost = await node.put('lost.svg', tinyImage(2))
  await node.put('whole.svg', tinyImage(3))
  node.store.damage(damaged.entry.hash, 'by writing')
  node.store.lose(lost.entry.hash)
  await verifyBlob(node.flows, damaged.entry.hash)
  await verifyBlob(node.flows, lost.entry.hash)
  const states = async (state: string) => pathsOf((await get({ state, limit: 10 })).json())
  expect(await states('corrupted')).toEqual(['damaged too.svg', 'damaged.svg'])
  expect(await states('missing')).toEqual(['lost.svg'])
  expect(await states('pending')).toEqual([])
  expect(await states('ok')).toEqual(['whole.svg'])
  expect(await walk({ state: 'corrupted', limit: 1 })).toEqual(['damaged too.svg', 'damaged.svg'])
})

test('source_url', async () => {
  const sourceUrl = 'https://example.org/pictures?id=1&size=2'
  await addEntries(node, names(5, 'from'), { sourceUrl })
  await addEntries(node, names(5, 'other'), { sourceUrl: 'https://example.org/' })
  expect(await walk({ source_url: sourceUrl, limit: 2 })).toEqual(names(5, 'from'))
  expect(await walk({ source_url: 'https://example.org/none', limit: 2 })).toEqual([])
})

test('one image a line', async () => {
  await addEntries(node, names(3))
  const headers = { accept: 'application/x-ndjson' }
  const all = await get({}, headers)
  expect(all.headers['content-type']).toContain('application/x-ndjson')
  const lines = all.body.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).path)).toEqual(names(3))
  const page = await get({ limit: 2 }, headers)
  expect(page.body.trimEnd().split('\n')).toHaveLength(2)
  const cursor = String(page.headers['x-next-cursor'])
  const last = await get({ limit: 2, cursor }, headers)
  expect(JSON.parse(last.body).path).toBe(names(3)[2])
  expect(last.headers).not.toHaveProperty('x-next-cursor')
})

test('HEAD has the head of the answer and reads no list', async () => {
  await addEntries(node, names(3))
  const server = serveRoutes(filesRoutes(node.http, node.options))
  const answer = await server.inject({ method: 'HEAD', url: '/file-sync/api/file-sync/files' })
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toContain('application/json')
  expect(answer.body).toBe('')
})
