// A file under images/ that the node may not read keeps nobody from the others.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/http-client.ts'
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

test('before the first start, and later', { timeout: 60_000 }, async (context) => {
  const canDrop = spawnSync(DROP[0], [...DROP.slice(1), 'true']).status === 0
  context.skip(isRoot && !canDrop, 'needs setpriv(1) when run as root')
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
