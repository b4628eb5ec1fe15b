import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeError } from '../../../../src/base/errors.ts'
import type { HttpParts } from '../../../../src/http/ports.ts'
import { deleteImagesRoutes } from '../../../../src/http/routes/delete-images.ts'
import { imageIdOf } from '../../../../src/index/tables.ts'
import {
  addEntries,
  type MemoryNode,
  openMemoryNode,
  tinyImage,
  withMethod
} from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

const names = (count: number) => Array.from({ length: count }, (_, n) => `p${n}.jpg`)
const live = () => node.flows.index.counts().images

function server(http: HttpParts = node.http) {
  return serveRoutes(deleteImagesRoutes(http, node.options))
}

function remove(body: object, to = server()) {
  return to.inject({ method: 'DELETE', url: '/api/images', body })
}

function withIndex(change: Parameters<typeof withMethod>[1]): HttpParts {
  const index = withMethod(node.flows.index, change)
  return { ...node.http, flows: { ...node.flows, index } }
}

test('by paths: deleted, not found and impossible ones apart', async () => {
  await addEntries(node, names(3))
  const answer = await remove({ paths: ['p0.jpg', 'p1.jpg', 'no.jpg', 'a//b', 'p0.jpg'] })
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toEqual({
    status: 'partial',
    message: '2 deleted, 1 failed, 1 not found.',
    deleted_count: 2,
    deleted: ['p0.jpg', 'p1.jpg'],
    failed: [{ path: 'a//b', detail: expect.stringContaining('empty part') }],
    not_found: ['no.jpg']
  })
  expect(live()).toBe(1)
})

test('by ids, as numbers or as text', async () => {
  await addEntries(node, names(3))
  const body = { image_ids: [imageIdOf('p0.jpg'), String(imageIdOf('p1.jpg')), 5] }
  expect((await remove(body)).json()).toMatchObject({
    status: 'success',
    deleted: ['p0.jpg', 'p1.jpg'],
    not_found: [5]
  })
})

test('by hashes: every live path of the blob', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  await node.put('b.svg', tinyImage(1))
  await node.put('c.svg', tinyImage(2))
  const answer = await remove({ hashes: [entry.md5] })
  expect(answer.json()).toMatchObject({ deleted_count: 2, deleted: ['a.svg', 'b.svg'] })
  expect((await remove({ hashes: [entry.hash] })).json()).toMatchObject({
    deleted_count: 0,
    not_found: [entry.hash]
  })
  expect(live()).toBe(1)
})

test('an ambiguous id deletes nothing at all', async () => {
  await addEntries(node, names(3))
  const http = withIndex({ pathsWithId: async () => ['p1.jpg', 'p2.jpg'] as never })
  const answer = await remove({ paths: ['p0.jpg'], image_ids: [7] }, server(http))
  expect(answer.statusCode).toBe(409)
  expect(answer.json()).toMatchObject({ code: 'AMBIGUOUS_ID' })
  expect(live()).toBe(3)
})

test('bodies that name nothing, too much or something unknown are refused', async () => {
  const tooMany = Array.from({ length: 10_001 }, () => 'x.jpg')
  const bodies = [
    {},
    { paths: [] },
    { paths: tooMany },
    { paths: 'p0.jpg' },
    { hashes: ['xyz'] },
    { image_ids: [-1] },
    { image_ids: [2 ** 53] },
    { image_ids: [null] },
    { path: 'p0.jpg' }
  ]
  for (const body of bodies) expect((await remove(body)).statusCode).toBe(422)
})

test('50 images are deleted at once', async () => {
  await addEntries(node, names(50))
  expect((await remove({ paths: names(50) })).json()).toMatchObject({ deleted_count: 50 })
  expect(live()).toBe(0)
})

test('51 images are deleted in the background', async () => {
  await addEntries(node, names(51))
  const to = server()
  const answer = await remove({ paths: [...names(51), 'no.jpg'] }, to)
  expect(answer.statusCode).toBe(200)
  const { task_id, ...rest } = answer.json()
  expect(rest).toEqual({
    status: 'accepted',
    message: expect.stringContaining(`/api/delete-task/${task_id}`),
    background: true,
    total: 51
  })
  let task = (await to.inject(`/api/delete-task/${task_id}`)).json()
  expect(Object.keys(task)).toEqual([
    ...['task_id', 'kind', 'status', 'total', 'processed', 'errors', 'start_time', 'end_time'],
    ...['result', 'deleted_count', 'progress']
  ])
  while (task.status === 'running') {
    task = (await to.inject(`/api/delete-task/${task_id}`)).json()
  }
  expect(task).toMatchObject({
    status: 'completed',
    total: 51,
    processed: 51,
    deleted_count: 51,
    progress: 100,
    result: { status: 'success', deleted_count: 51, not_found: ['no.jpg'] }
  })
  expect(live()).toBe(0)
})

test('half-way, the task says how far it is', async () => {
  await addEntries(node, names(64))
  const halfWay = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let changes = 0
  const { index } = node.flows
  const change: typeof index.change = async (plan, options) => {
    if (++changes > 32) {
      halfWay.resolve()
      await release.promise
    }
    return index.change(plan, options)
  }
  const to = server(withIndex({ change }))
  const { task_id } = (await remove({ paths: names(64) }, to)).json()
  await halfWay.promise
  const task = (await to.inject(`/api/delete-task/${task_id}`)).json()
  expect(task).toMatchObject({ status: 'running', deleted_count: 32, progress: 50, result: null })
  release.resolve()
})

test('an image that can not be deleted does not hold up the others', async () => {
  await addEntries(node, names(3))
  const { index } = node.flows
  let changes = 0
  const change: typeof index.change = async (plan, options) => {
    if (++changes === 2) throw new NodeError('DISK_FULL', 'The disk is full.')
    return index.change(plan, options)
  }
  const answer = await remove({ paths: names(3) }, server(withIndex({ change })))
  expect(answer.json()).toMatchObject({
    status: 'partial',
    deleted: ['p0.jpg', 'p2.jpg'],
    failed: [{ path: 'p1.jpg', detail: 'The disk is full.' }]
  })
})

test('tasks of another kind, and none, are not found', async () => {
  const { task } = node.http.tasks.start('verify', async () => ({}))
  for (const id of [task.id, 'delete_0']) {
    const answer = await server().inject(`/api/delete-task/${id}`)
    expect(answer.statusCode).toBe(404)
  }
})
