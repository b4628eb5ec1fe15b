// A limit that is set while the thread for bulk bytes takes a large image in.

import { afterEach, expect, test } from 'vitest'
import { testBytes } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

let bench: Workbench | undefined
afterEach(() => bench?.cleanUp())

const BYTES = 40_000_000

test('it holds for what is left, and nothing comes twice', { timeout: 120_000 }, async () => {
  bench = new Workbench()
  const mesh = new RealMesh(bench)
  await mesh.start('a')
  const limits = (name: string, value: object) =>
    send(`${mesh.url(name)}/api/limits`, { method: 'PUT', body: JSON.stringify(value) })
  expect((await limits('a', { send_per_server: '10MB' })).status).toBe(200)
  const image = testBytes(BYTES)
  const put = await send(`${mesh.url('a')}/images/large.jpg`, {
    method: 'PUT',
    body: Buffer.from(image)
  })
  expect(put.status).toBe(201)
  await mesh.start('b')
  const status = async () => (await send(`${mesh.url('b')}/file-sync/api/file-sync/status`)).body
  const done = async (): Promise<number> => (await status()).active_transfers[0]?.bytes_done ?? 0
  await eventually(async () => expect(await done()).toBeGreaterThan(2_000_000), {
    withinMs: 30_000
  })
  const slow = { receive_new: '64KiB', receive_catch_up: '64KiB', receive_repair: '64KiB' }
  expect((await limits('b', slow)).status).toBe(200)
  const before = await done()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(await done()).toBeLessThan(before + 4_000_000)
  const fast = { receive_new: null, receive_catch_up: null, receive_repair: null }
  expect((await limits('b', fast)).status).toBe(200)
  expect((await limits('a', { send_per_server: null })).status).toBe(200)
  await eventually(
    async () => {
      const { status } = await send(`${mesh.url('b')}/api/storage-status`).then(({ body }) => ({
        status: body.local_files
      }))
      expect(status).toBe(1)
    },
    { withinMs: 60_000 }
  )
  expect((await status()).bytes_received).toBeLessThan(BYTES + 4_000_000)
})
