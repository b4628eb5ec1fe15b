import { afterEach, beforeEach, expect, test } from 'vitest'
import { lastScan } from '../../../../src/flows/last-scan.ts'
import { taskRoutes } from '../../../../src/http/routes/tasks.ts'
import { VERIFY_WAIT_MS, verifyRoutes } from '../../../../src/http/routes/verify.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
let server: ReturnType<typeof serveRoutes>
beforeEach(async () => {
  node = await openMemoryNode()
  server = serveRoutes([
    ...verifyRoutes(node.http, node.options),
    ...taskRoutes(node.http, node.options)
  ])
})
afterEach(() => node.close())

const url = '/file-sync/api/file-sync/verify'
function post(body?: object, headers = {}) {
  return server.inject({ method: 'POST', url, headers, ...(body && { body }) })
}
const taskOf = async (id: string) =>
  (await server.inject(`/file-sync/api/file-sync/tasks/${id}`)).json()

/** Makes re-reading blobs wait until it is released. */
function holdReads() {
  const release = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const rehash = node.store.rehash.bind(node.store)
  node.store.rehash = async (...args) => {
    begun.resolve()
    await release.promise
    return rehash(...args)
  }
  return { release: release.resolve, begun: begun.promise }
}

test('everything: whole, damaged and missing images, in the documented shape', async () => {
  await node.put('whole.svg', tinyImage(1))
  const damaged = await node.put('damaged.svg', tinyImage(2))
  const missing = await node.put('missing.svg', tinyImage(3))
  node.store.damage(damaged.entry.hash, 'silently')
  node.store.lose(missing.entry.hash)
  const answer = await post()
  expect(answer.statusCode).toBe(200)
  const body = answer.json()
  expect(Object.keys(body)).toEqual([
    ...['status', 'message', 'total_files', 'verified_files', 'valid_files', 'corrupted_files'],
    ...['missing_files', 'blocked_files', 'repaired_files', 'unrepairable_files', 'duration']
  ])
  expect(body).toMatchObject({
    status: 'success',
    message: '1 of 3 images are whole, 1 damaged, 1 missing.',
    total_files: 3,
    verified_files: 3,
    valid_files: 1,
    corrupted_files: [
      {
        path: 'damaged.svg',
        expected: damaged.entry.md5,
        actual: expect.stringMatching(/^[0-9a-f]{32}$/),
        expected_sha256: damaged.entry.hash,
        actual_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        action: 'unrepairable: no other server has this image'
      }
    ],
    missing_files: ['missing.svg'],
    repaired_files: [],
    unrepairable_files: ['damaged.svg', 'missing.svg']
  })
  expect(body.corrupted_files[0].actual).not.toBe(damaged.entry.md5)
  expect(lastScan(node.flows)).toMatchObject({ scannedFiles: 3, unrepairableFiles: 2 })
})

test('paths, a prefix, one path; without touching the rest', async () => {
  await node.put('a/1.svg', tinyImage(1))
  await node.put('a/2.svg', tinyImage(2))
  await node.put('b/1.svg', tinyImage(3))
  const found = async (body: object) => {
    const { total_files, valid_files, missing_files } = (await post(body)).json()
    return { total_files, valid_files, missing_files }
  }
  const none = { missing_files: [] }
  expect(await found({ prefix: 'a/' })).toEqual({ total_files: 2, valid_files: 2, ...none })
  expect(await found({ path: 'b/1.svg' })).toEqual({ total_files: 1, valid_files: 1, ...none })
  expect(await found({ paths: [] })).toEqual({ total_files: 0, valid_files: 0, ...none })
  expect(await found({ paths: ['a/1.svg', 'no.svg'], prefix: null, other: 1 })).toEqual({
    total_files: 2,
    valid_files: 1,
    missing_files: ['no.svg']
  })
  expect(lastScan(node.flows)).toBeUndefined()
})

test('a path with an MD5 that is not its own', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  const hash = entry.md5?.toUpperCase()
  expect((await post({ path: 'a.svg', hash })).json()).toMatchObject({ valid_files: 1 })
  const wrong = (await post({ path: 'a.svg', hash: '0'.repeat(32) })).json()
  expect(wrong).toMatchObject({
    valid_files: 0,
    corrupted_files: [{ path: 'a.svg', expected: '0'.repeat(32), actual: entry.md5 }],
    unrepairable_files: []
  })
  expect(wrong.corrupted_files[0].action).toMatch(/^none/)
})

test('without repair the action is only that the bytes were put aside', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  node.store.damage(entry.hash, 'by writing')
  const body = (await post({ repair: false })).json()
  expect(body.corrupted_files[0].action).toBe('quarantined')
})

test.each([
  { paths: ['a'], prefix: 'b' },
  { hash: '0'.repeat(32) },
  { path: 'a', hash: 'xyz' },
  { paths: 'a' },
  { paths: ['../etc/passwd'] },
  { repair: 'yes' }
])('%j is refused', async (body) => {
  expect((await post(body)).statusCode).toBe(422)
})

test('what takes longer than 30 seconds goes on in the background', async () => {
  await node.put('a.svg', tinyImage(1))
  const { release, begun } = holdReads()
  const waiting = post({})
  await begun
  node.clock.advance(VERIFY_WAIT_MS - 1)
  node.clock.advance(1)
  const answer = await waiting
  expect(answer.statusCode).toBe(200)
  const body = answer.json()
  expect(body).toEqual({
    status: 'accepted',
    message: expect.stringContaining(body.task_id),
    task_id: expect.stringMatching(/^verify_/),
    background: true
  })
  expect(await taskOf(body.task_id)).toEqual({
    task_id: body.task_id,
    kind: 'verify',
    status: 'running',
    total: 0,
    processed: 0,
    errors: [],
    start_time: 1_700_000_000,
    end_time: null,
    result: null
  })
  release()
  let task = await taskOf(body.task_id)
  while (task.status === 'running') task = await taskOf(body.task_id)
  expect(task).toMatchObject({
    status: 'completed',
    total: 1,
    processed: 1,
    end_time: 1_700_000_030,
    result: { status: 'success', valid_files: 1, duration: 30 }
  })
})

test('just before 30 seconds the result itself is answered, and no timer is left', async () => {
  await node.put('a.svg', tinyImage(1))
  const { release, begun } = holdReads()
  const timers = node.clock.pending
  const waiting = post({})
  await begun
  node.clock.advance(VERIFY_WAIT_MS - 1)
  release()
  expect((await waiting).json()).toMatchObject({ status: 'success', duration: 29.999 })
  expect(node.clock.pending).toBeLessThanOrEqual(timers)
})

test('Prefer: respond-async is answered at once', async () => {
  const { release } = holdReads()
  await node.put('a.svg', tinyImage(1))
  const answer = await post({}, { prefer: 'wait=5, respond-async' })
  expect(answer.statusCode).toBe(202)
  expect(answer.headers['preference-applied']).toBe('respond-async')
  expect(answer.json()).toMatchObject({ status: 'accepted', background: true })
  release()
})

test('there is one verification of everything at a time; single paths run beside it', async () => {
  await node.put('a.svg', tinyImage(1))
  const { release } = holdReads()
  const prefer = { prefer: 'respond-async' }
  const first = (await post({}, prefer)).json()
  expect((await post({}, prefer)).json().task_id).toBe(first.task_id)
  expect((await post({ path: 'a.svg' }, prefer)).json().task_id).not.toBe(first.task_id)
  release()
  const joined = (await post({})).json()
  expect(joined).toMatchObject({ status: 'success', valid_files: 1 })
  expect((await post({}, prefer)).json().task_id).not.toBe(first.task_id)
})

test('a task that nobody knows', async () => {
  const answer = await server.inject('/file-sync/api/file-sync/tasks/verify_0')
  expect(answer.statusCode).toBe(404)
  expect(answer.json()).toMatchObject({ code: 'NOT_FOUND' })
})

test('a blocked image is neither damaged nor lost, and is named by itself', async () => {
  await node.put('whole.svg', tinyImage(1))
  const { entry } = await node.put('blocked.svg', tinyImage(2))
  await node.flows.blocks.add(entry.hash, { reason: 'court order', node: 'a' })
  await expect.poll(() => node.flows.index.blob(entry.hash)?.state).toBe('blocked')
  const scopes = [undefined, { paths: ['whole.svg', 'blocked.svg'] }]
  for (const scope of scopes) {
    expect((await post(scope)).json()).toMatchObject({
      message: '1 of 2 images are whole, 0 damaged, 0 missing, 1 blocked.',
      valid_files: 1,
      corrupted_files: [],
      missing_files: [],
      blocked_files: ['blocked.svg'],
      unrepairable_files: []
    })
  }
  expect(lastScan(node.flows)).toMatchObject({ corruptedFiles: 0, unrepairableFiles: 0 })
})
