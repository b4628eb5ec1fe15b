import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../../protocols/hash.ts'
import type { ImagePath } from '../../../../protocols/path.ts'
import { BlockEnforcer } from '../../../../src/flows/enforce-blocks.ts'
import { restore } from '../../../../src/flows/restore.ts'
import { createBlobSource } from '../../../../src/flows/serve-blobs.ts'
import { auditIndex } from '../../../support/audit-index.ts'
import { eventually } from '../../../support/eventually.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

const HASH = createHash('sha256').update(tinyImage(1)).digest('hex') as ContentHash

let http: HttpNode
beforeEach(async () => {
  http = await startHttpNode()
  await http.node.put('a.svg', tinyImage(1))
  await http.node.put('b.svg', tinyImage(2))
})
afterEach(async () => {
  expect(await auditIndex(http.node.database)).toEqual([])
  await http.close()
})

const block = (named: object = { path: 'a.svg' }) =>
  http.send('/api/blocks', {
    method: 'POST',
    body: JSON.stringify({ ...named, reason: 'a court' })
  })
const unblock = (hash: string = HASH) => http.send(`/api/blocks/${hash}`, { method: 'DELETE' })
const row = () => http.node.flows.index.blob(HASH)
const shown = () =>
  (['a.svg', 'b.svg'] as ImagePath[]).map((path) => http.node.flows.index.view(path)?.name)
const isOut = () => eventually(() => expect(http.node.store.placeOf(HASH)).toBe('trash'))

test('what is blocked can not be read in any way, and is out of blobs/ and images/', async () => {
  for (let n = 0; n < 3; n++) await http.send('/images/a.svg') // it is kept in memory now
  expect((await block()).json).toMatchObject({ status: 'success', sha256: HASH })
  for (const path of ['/images/a.svg', `/blobs/${HASH}`]) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await http.send(path, { method, headers: { 'If-None-Match': `"${HASH}"` } })
      expect([path, method, answer.status]).toEqual([path, method, 451])
    }
    const { json, headers } = await http.send(path)
    expect(json).toMatchObject({ code: 'BLOCKED', detail: expect.stringContaining('a court') })
    expect(headers['cache-control']).toBe('no-store')
  }
  await isOut()
  await eventually(() => expect(shown()).toEqual([undefined, 'b.svg']))
  expect(await createBlobSource(http.node.flows).open(HASH)).toBeUndefined()
  expect((await http.send('/images/b.svg')).status).toBe(200)
})

test('why, list and status show it', async () => {
  await block()
  await isOut()
  const { json: file } = await http.send('/file-sync/api/file-sync/file/a.svg')
  expect(file).toMatchObject({ state: 'blocked', local: false, replicas: 0 })
  expect(file.servers).toMatchObject([{ has: false, reason: 'it is blocked: a court, on a' }])
  const { json: status } = await http.send('/api/storage-status')
  expect(status).toMatchObject({ status: 'healthy', blocked_files: 1, missing_files: 0 })
  expect((await http.send('/api/blocks')).json).toMatchObject({
    ...{ total: 1, blocks: [{ sha256: HASH, reason: 'a court', node: 'a', paths: ['a.svg'] }] }
  })
  const { json: list } = await http.send('/file-sync/api/file-sync/files?state=blocked')
  expect(list.files.map(({ path }: { path: string }) => path)).toEqual(['a.svg'])
})

test('the bytes are taken in under no name, and restored from no past', async () => {
  await http.node.put('a.svg', tinyImage(3)) // replaced: the old version is in the trash
  await block({ sha256: HASH.toUpperCase() })
  const put = await http.send('/images/c.svg', { method: 'PUT', body: tinyImage(1) })
  expect([put.status, put.json.code]).toEqual([451, 'BLOCKED'])
  await expect(restore(http.node.flows, 'a.svg' as ImagePath, HASH)).rejects.toMatchObject({
    code: 'BLOCKED'
  })
  await expect(restore(http.node.flows, 'a.svg' as ImagePath)).resolves.toMatchObject({
    outcome: 'unchanged'
  })
  expect((await http.send('/images/a.svg')).bytes).toEqual(tinyImage(3))
})

test('unblocking brings back what still has a name', async () => {
  await block()
  await isOut()
  expect((await unblock()).status).toBe(200)
  await eventually(() => expect(row()?.state).toBe('held'))
  expect((await http.send('/images/a.svg')).bytes).toEqual(tinyImage(1))
  await eventually(() => expect(shown()).toEqual(['a.svg', 'b.svg']))
  expect((await unblock()).status).toBe(404)
})

test('a start finishes what the last run did not come to', async () => {
  const { flows } = http.node
  await block()
  await isOut()
  // as if it had ended before
  await flows.index.change((tx) => tx.setBlob(HASH, { state: 'trashed' }))
  await flows.settler.settleAll()
  expect(row()?.state).toBe('held')
  await new BlockEnforcer(flows).enforceAll()
  expect([row()?.state, http.node.store.placeOf(HASH)]).toEqual(['blocked', 'trash'])
})

test('a start brings back what the last run did not come to', async () => {
  const { flows } = http.node
  await block()
  await isOut()
  await unblock()
  await eventually(() => expect(shown()).toEqual(['a.svg', 'b.svg']))
  // as if it had ended before
  await flows.index.change(async (tx) => {
    tx.setBlob(HASH, { state: 'blocked' })
    await tx.intendViews(HASH)
    tx.addIntent('blob', HASH)
  })
  await flows.settler.settleAll()
  expect([row()?.state, http.node.store.placeOf(HASH)]).toEqual(['blocked', 'trash'])
  await new BlockEnforcer(flows).enforceAll()
  expect((await http.send('/images/a.svg')).bytes).toEqual(tinyImage(1))
  await eventually(() => expect(shown()).toEqual(['a.svg', 'b.svg']))
})

test('a deleted image with blocked bytes goes for good', async () => {
  const { flows } = http.node
  await block()
  await isOut()
  expect((await http.send('/images/a.svg', { method: 'DELETE' })).status).toBe(200)
  await flows.index.change(async (tx) => {
    for await (const version of tx.pastOf('a.svg' as ImagePath)) tx.dropPast(version)
  })
  await flows.settler.settleBlob(HASH)
  expect([row(), http.node.store.placeOf(HASH)]).toEqual([undefined, undefined])
})

test('what is not there or not valid is said', async () => {
  expect((await block({ path: 'none.svg' })).status).toBe(404)
  expect((await block({})).status).toBe(422)
  expect((await block({ sha256: 'abc' })).status).toBe(422)
  expect((await unblock('0'.repeat(64))).status).toBe(404)
  expect((await unblock('x')).status).toBe(422)
})
