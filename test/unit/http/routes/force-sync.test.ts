import { afterEach, beforeEach, expect, test } from 'vitest'
import { forceSyncRoutes, SYNC_TASK } from '../../../../src/http/routes/force-sync.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
  await node.put('a.svg', tinyImage(1))
  await node.put('b.svg', tinyImage(2))
})
afterEach(() => node.close())

function post(body?: object, { options = node.options, headers = {} } = {}) {
  const server = serveRoutes(forceSyncRoutes(node.http, options))
  const content = body === undefined ? {} : { body }
  return server.inject({ method: 'POST', url: '/api/force-file-sync', headers, ...content })
}

test('a lone node has nothing to compare and a task that has ended', async () => {
  const answer = await post()
  expect(answer.statusCode).toBe(200)
  const body = answer.json()
  expect(body).toEqual({
    status: 'success',
    message: expect.stringContaining('no other server'),
    queued_files: 0,
    in_sync_files: 2,
    task_id: expect.stringMatching(/^sync_/),
    background: false
  })
  expect(node.http.tasks.get(body.task_id)?.status).toBe('completed')
})

test('while a task runs, the same one is answered', async () => {
  const release = Promise.withResolvers<void>()
  const { task } = node.http.tasks.start(SYNC_TASK, () => release.promise)
  expect((await post()).json()).toMatchObject({ task_id: task.id, background: true })
  release.resolve()
})

test('a dry run starts nothing', async () => {
  expect((await post({ dry_run: true })).json()).toMatchObject({ task_id: null, queued_files: 0 })
})

test('named paths are counted alone, unknown fields ignored', async () => {
  const body = { paths: ['a.svg', 'unknown.svg'], servers: null, something: 1 }
  expect((await post(body)).json()).toMatchObject({ in_sync_files: 1 })
})

test('a server that is not known is refused', async () => {
  const answer = await post({ servers: ['a', 'b'] })
  expect(answer.statusCode).toBe(404)
  expect(answer.json()).toMatchObject({ code: 'NOT_FOUND', detail: expect.stringContaining('"b"') })
})

test('with file_sync off: the documented refusal', async () => {
  const options = { ...node.options, sync: { enabled: false, verifyIntegrity: true } }
  const answer = await post({}, { options })
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toEqual({ detail: '分布式存储未启用', code: 'SYNC_OFF' })
})

test('the message is Chinese for who prefers it', async () => {
  const answer = await post({}, { headers: { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' } })
  expect(answer.json().message).toContain('还没有其他服务器')
})
