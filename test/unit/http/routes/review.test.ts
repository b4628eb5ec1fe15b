import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ImageEntry } from '../../../../protocols/entry.ts'
import { parsePath } from '../../../../protocols/path.ts'
import { auditIndex } from '../../../support/audit-index.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { DAY_MS, tinyImage } from '../../../support/memory-node.ts'

const PATHS = ['a.svg', 'b.svg', 'c/d.svg']
const sha256Of = (n: number) => createHash('sha256').update(tinyImage(n)).digest('hex')

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
  const { flows } = http.node
  for (const [n, path] of PATHS.entries()) {
    await http.node.put(path, tinyImage(n))
    await flows.index.change((tx) => {
      tx.putToReview(flows.index.image(parsePath(path)) as ImageEntry, 'peer-x')
    })
  }
  await flows.settler.settleAll()
})

afterEach(async () => {
  expect(await auditIndex(http.node.database)).toEqual([])
  await http.close()
})

const list = async (query = '') => (await http.send(`/api/review${query}`)).json
const decide = (body: unknown) =>
  http.send('/api/review', { method: 'POST', body: JSON.stringify(body) })
const statusOf = async (path: string) => (await http.send(`/images/${path}`)).status

it('lists what waits, page by page, and the status says that it does', async () => {
  const first = await list('?limit=2')
  expect(first).toMatchObject({ total: 3, count: 2 })
  expect(first.files[0]).toMatchObject({
    path: 'a.svg',
    sha256: sha256Of(0),
    mime_type: 'image/svg+xml',
    refused_by: 'peer-x',
    since: new Date(http.node.clock.now()).toISOString()
  })
  const second = await list(`?limit=2&cursor=${first.next_cursor}`)
  expect(second).toMatchObject({ count: 1, next_cursor: null })
  expect(second.files[0].path).toBe('c/d.svg')
  expect(await statusOf('a.svg')).toBe(404)
  const { json: status } = await http.send('/api/storage-status')
  expect(status).toMatchObject({ status: 'degraded', review_files: 3, total_files: 0 })
  expect(status.status_reasons.join()).toContain('3 images wait for review')
})

it('restores some', async () => {
  const { status, json } = await decide({ action: 'restore', paths: ['a.svg', 'none.svg', '../x'] })
  expect(status).toBe(200)
  expect(json).toMatchObject({ status: 'partial', restored: 1, discarded: 0, not_found: 1 })
  expect(json.failed.map(({ path }: { path: string }) => path)).toEqual(['../x'])
  const { bytes } = await http.send('/images/a.svg')
  expect(bytes.equals(Buffer.from(tinyImage(0)))).toBe(true)
  expect((await list()).total).toBe(2)
})

it('discards all: they can still be restored for as long as what is deleted', async () => {
  http.node.clock.advance(8 * DAY_MS) // longer than the trash keeps anything
  const { json } = await decide({ action: 'discard', all: true })
  expect(json).toMatchObject({ status: 'success', discarded: 3, restored: 0 })
  expect((await list()).total).toBe(0)
  const body = JSON.stringify({ path: 'b.svg' })
  expect((await http.send('/api/restore', { method: 'POST', body })).status).toBe(200)
})

it('ends for a path that is written again', async () => {
  await http.node.put('b.svg', tinyImage(9))
  expect((await list()).files.map(({ path }: { path: string }) => path)).toEqual([
    'a.svg',
    'c/d.svg'
  ])
})

it.each([
  {},
  { action: 'restore' },
  { action: 'keep', all: true },
  { action: 'discard', all: true, paths: [] }
])('refuses %j', async (body) => {
  expect((await decide(body)).status).toBe(422)
  expect((await list()).total).toBe(3)
})
