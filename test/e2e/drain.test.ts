// A server that is to be switched off: it says when nothing depends on it any more.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { postJson, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const IMAGE = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>')

let bench: Workbench
let mesh: RealMesh

beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  await mesh.start('a')
}, 60_000)
afterAll(() => bench.cleanUp())

test('it is safe once another server has all of it', async () => {
  expect((await put(mesh.url('a'), 'a.svg', IMAGE)).status).toBe(201)
  const alone = await postJson(`${mesh.url('a')}/api/drain`, undefined)
  expect(alone.body).toMatchObject({ safe_to_switch_off: false, only_here_files: 1 })
  const task = `${mesh.url('a')}/file-sync/api/file-sync/tasks/${alone.body.task_id}`
  expect((await send(task)).body.status).toBe('running')
  await mesh.start('b')
  await eventually(
    async () => {
      expect((await send(task)).body).toMatchObject({
        status: 'completed',
        result: { safe_to_switch_off: true }
      })
    },
    { withinMs: 30_000 }
  )
  expect((await send(`${mesh.url('a')}/api/drain`)).body).toMatchObject({
    safe_to_switch_off: true,
    only_here_files: 0,
    servers: ['b']
  })
  await mesh.node('a').end('SIGTERM')
  expect((await send(`${mesh.url('b')}/api/drain`)).body).toMatchObject({
    safe_to_switch_off: false,
    only_here_files: 1
  })
}, 60_000)
