// Sectors of the index that a disk can't read any more end the process where the database has them
// in memory: the third run in a row puts the index together anew from what can be read.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { expectSoundFolder } from '../support/check-folder.ts'
import { eventually } from '../support/eventually.ts'
import { FragileDisk, fragileDiskObstacle } from '../support/fragile-disk.ts'
import { put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const IMAGES = 300
const obstacle = fragileDiskObstacle()
const svg = (n: number) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><!--${n}${'x'.repeat(500)}--></svg>`)

let bench: Workbench
let disk: FragileDisk
beforeAll(async () => {
  if (obstacle !== undefined) return
  bench = new Workbench()
  disk = await FragileDisk.make(bench.path('disk'))
}, 60_000)
afterAll(async () => {
  if (obstacle !== undefined) return
  await bench.killAll()
  await disk.remove()
  await bench.cleanUp()
})

const flags = () => ['--data', disk.folder]
const fileOf = (name: string) => join(disk.folder, 'metadata', 'index', name)
const namesOf = (pattern: RegExp) =>
  readdirSync(fileOf('')).filter((name) => pattern.test(name) && statSync(fileOf(name)).size > 0)

/** From `at` on, for `pages` pages; no memory has these bytes any more. */
async function spoil(name: string, at: number, pages: number): Promise<void> {
  const file = fileOf(name)
  await disk.spoil(readFileSync(file).subarray(at, at + pages * 4096))
  const forget = [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']
  execFileSync('dd', ['if=/dev/null', ...forget], { stdio: 'ignore' })
  expect(() => execFileSync('cat', [file], { stdio: 'pipe' })).toThrow(/Input\/output error/)
}

const statusOf = ({ url }: RealNode, n: number) =>
  send(`${url}/images/p/${n}.svg`).then(
    ({ status }) => status,
    () => 0
  )

async function expectAllBack(node: RealNode, others = 0): Promise<void> {
  await eventually(
    async () => {
      for (let n = 0; n < IMAGES; n++) expect([n, await statusOf(node, n)]).toEqual([n, 200])
      const { body } = await send(`${node.url}/api/storage-status`)
      expect(body).toMatchObject({
        total_files: IMAGES + others,
        missing_files: 0,
        corrupted_files: 0
      })
    },
    { withinMs: 90_000 }
  )
}

const needsDisk = (context: TestContext) => context.skip(obstacle !== undefined, obstacle)

test('in a table', { timeout: 240_000 }, async (context) => {
  needsDisk(context)
  let node = await bench.start('a', { flags: flags() })
  for (let n = 0; n < IMAGES; n += 20) {
    const some = Array.from({ length: 20 }, (_, k) => put(node.url, `p/${n + k}.svg`, svg(n + k)))
    await Promise.all(some)
  }
  await node.end('SIGTERM')
  node = await bench.start('a', { flags: flags() }) // what was in the log is in a table now
  await node.end('SIGTERM')
  const [table = ''] = namesOf(/\.ldb$/)
  await spoil(table, 4 * 4096, 4)
  for (let run = 0; run < 2; run++) {
    node = bench.spawn('a', { flags: flags() })
    await node.started().catch(() => {}) // it may not come so far
    for (let n = 0; n < IMAGES; n += 3) if ((await statusOf(node, n)) === 0) break
    expect(await node.ended()).toMatchObject({ signal: 'SIGBUS' })
  }
  node = await bench.start('a', { flags: flags() })
  expect(node.stderr).toContain("the disk can't read all of")
  await expectAllBack(node)
  expect(existsSync(fileOf(`lost/${table}.unreadable`))).toBe(true)
  await eventually(() => expect(existsSync(fileOf('DAMAGED'))).toBe(false), { withinMs: 60_000 })
  await node.end('SIGTERM')
  await expectSoundFolderOf()
})

async function expectShown(node: RealNode, prefix: string, count: number): Promise<void> {
  await eventually(
    async () => {
      for (let n = 0; n < count; n++) {
        const { status } = await send(`${node.url}/images/${prefix}/${n}.svg`)
        expect([n, status]).toEqual([n, 200])
      }
    },
    { withinMs: 90_000 }
  )
}

test('in the log, which the database leaves out itself', { timeout: 120_000 }, async (context) => {
  needsDisk(context)
  let node = await bench.start('a', { flags: flags() })
  for (let n = 0; n < 60; n++) await put(node.url, `q/${n}.svg`, svg(10_000 + n))
  await node.end('SIGKILL')
  const [log = ''] = namesOf(/\.log$/)
  await spoil(log, 4096, 1)
  node = await bench.start('a', { flags: flags() })
  expect(node.stderr).toMatch(/dropping \d+ bytes; IO error/)
  await expectShown(node, 'q', 60)
  await node.end('SIGTERM')
})

test('in the file that lists the others', { timeout: 120_000 }, async (context) => {
  needsDisk(context)
  const [list = ''] = namesOf(/^MANIFEST-/)
  await spoil(list, 0, 1)
  const node = await bench.start('a', { flags: flags() })
  expect(node.stderr).toContain(`the disk can't read all of ${list}`)
  await expectShown(node, 'q', 60)
  await expectAllBack(node, 60)
  await node.end('SIGTERM')
  await expectSoundFolderOf()
})

async function expectSoundFolderOf(): Promise<void> {
  const node = await bench.start('a', { flags: flags() })
  await expectSoundFolder(node.url, disk.folder)
  await node.end('SIGTERM')
}
