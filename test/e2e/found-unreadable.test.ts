// What the node may not read or write under images/ keeps nobody from the rest, and is said.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { put, send } from '../support/http-client.ts'
import { Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const isRoot = process.getuid?.() === 0
/** Root may read everything, unless that is taken from it. */
const DROP = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] as const

let bench: Workbench
beforeAll(() => {
  bench = new Workbench()
})
afterAll(() => bench.cleanUp())

function needsDrop(context: TestContext): void {
  const canDrop = spawnSync(DROP[0], [...DROP.slice(1), 'true']).status === 0
  context.skip(isRoot && !canDrop, 'needs setpriv(1) when run as root')
}

test('before the first start, and later', { timeout: 60_000 }, async (context) => {
  needsDrop(context)
  const fileOf = (n: number) => bench.path('a', 'images', `${n}.svg`)
  mkdirSync(bench.path('a', 'images'), { recursive: true })
  for (let n = 0; n < 20; n++) writeFileSync(fileOf(n), makeSvg({ seed: n }))
  chmodSync(fileOf(7), 0)
  const options = { runner: isRoot ? DROP : [], env: { TUMESH_ADOPT_INTERVAL: '1s' } }
  const node = await bench.start('a', options)
  const images = async () => (await send(`${node.url}${API}/files`)).body.files?.length
  const expectImages = (count: number) =>
    eventually(async () => expect(await images()).toBe(count), { withinMs: 20_000 })
  await expectImages(19)
  writeFileSync(fileOf(20), makeSvg({ seed: 20 }))
  await expectImages(20)
  chmodSync(fileOf(7), 0o644)
  await expectImages(21)
})

test('an image that was deleted and can not be removed', { timeout: 60_000 }, async (context) => {
  needsDrop(context)
  const options = { runner: isRoot ? DROP : [] }
  const node = await bench.start('closed', options)
  const status = async (url: string) => (await send(`${url}/api/storage-status`)).body
  for (const n of [1, 2]) await put(node.url, `d/${n}.svg`, makeSvg({ seed: n }))
  const folder = bench.path('closed', 'images', 'd')
  await eventually(() => expect(existsSync(`${folder}/2.svg`)).toBe(true))
  chmodSync(folder, 0o555)
  await send(`${node.url}/images/d/1.svg`, { method: 'DELETE' })
  await eventually(async () =>
    expect(await status(node.url)).toMatchObject({
      status: 'degraded',
      status_causes: [
        { code: 'images_unshown', details: { count: 1, path: 'd/1.svg', error: 'EACCES' } }
      ]
    })
  )
  expect(existsSync(`${folder}/1.svg`)).toBe(true)
  chmodSync(folder, 0o755)
  await node.end('SIGTERM')
  const again = await bench.start('closed', options)
  expect((await status(again.url)).status).toBe('healthy')
  expect([existsSync(`${folder}/1.svg`), existsSync(`${folder}/2.svg`)]).toEqual([false, true])
})
