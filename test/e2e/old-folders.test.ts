// Real nodes on 127.0.0.1 whose data folder is not what it was: an older copy, one without its
// index, one that runs twice. All converge; nothing that others have acknowledged is lost, and
// nothing that was deleted comes back.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

vi.setConfig({ testTimeout: 120_000 })

const svg = (text: string, bytes = 0) =>
  Buffer.concat([
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`),
    Buffer.alloc(bytes, ' ')
  ])

const MINUTE_MS = 60_000

let bench: Workbench
let mesh: RealMesh
/** What every node should show in the end, by path. */
let images: Map<string, Buffer>
let deleted: Set<string>

beforeEach(() => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  images = new Map()
  deleted = new Set()
})
afterEach(() => bench.cleanUp())

async function start(...names: string[]): Promise<void> {
  for (const name of names) await mesh.start(name)
}

/** Stops a node as a machine does that is switched off. */
const kill = (name: string) => mesh.node(name).end('SIGKILL')

async function write(name: string, path: string, text: string, bytes = 0): Promise<void> {
  const image = svg(text, bytes)
  expect((await put(mesh.url(name), path, image)).status).toBe(201)
  images.set(path, image)
  deleted.delete(path)
}

async function remove(name: string, path: string): Promise<void> {
  expect((await send(`${mesh.url(name)}/images/${path}`, { method: 'DELETE' })).status).toBe(200)
  images.delete(path)
  deleted.add(path)
}

type Listed = { path: string; sha256: string; state: string }

/** All nodes know of all images, wherever the bytes are. */
async function expectKnown(names: readonly string[], states: readonly string[]): Promise<void> {
  for (const name of names) {
    await eventually(
      async () => {
        const { body } = await send(`${mesh.url(name)}/file-sync/api/file-sync/files`)
        const listed = body.files.map(({ path, sha256, state }: Listed) => [
          ...[name, path, sha256, states.includes(state) ? 'right' : state]
        ])
        const wanted = [...images].map(([path, bytes]) => [name, path, sha256(bytes), 'right'])
        expect(listed.sort()).toEqual(wanted.sort())
      },
      { withinMs: 40_000 }
    )
  }
}

/** All nodes have all images, and none that was deleted. */
async function expectSame(...names: string[]): Promise<void> {
  await expectKnown(names, ['ok'])
  for (const name of names) {
    for (const [path, bytes] of images) {
      expect(await bytesAt(`${mesh.url(name)}/images/${path}`)).toEqual({ status: 200, bytes })
    }
    for (const path of deleted) {
      const { status } = await bytesAt(`${mesh.url(name)}/images/${path}`)
      expect([name, path, status]).toEqual([name, path, 410])
    }
  }
}

/** With all that it has, links included, or as programs copy that know nothing of links. */
function copyFolder(from: string, to: string, { links = true } = {}): void {
  const how = links ? ['-a'] : ['-r', '--preserve=mode,timestamps', '--no-preserve=links']
  execFileSync('cp', [...how, bench.path(from), bench.path(to)])
}

function replaceFolder(name: string, by: string): void {
  rmSync(bench.path(name), { recursive: true })
  renameSync(bench.path(by), bench.path(name))
}

test.each([{ links: true }, { links: false }])(
  'a node that was started from an older copy of its folder (%o)',
  async (how) => {
    await start('a', 'b', 'c')
    await mesh.connected()
    for (const [n, name] of ['a', 'b', 'c'].entries()) {
      await write(name, `kept/${n}.svg`, `kept ${n}`, n * 150_000)
      await write(name, `replaced/${n}.svg`, `first ${n}`)
      await write(name, `deleted/${n}.svg`, `deleted ${n}`)
    }
    await expectSame('a', 'b', 'c')
    await mesh.node('b').end('SIGTERM')
    copyFolder('b', 'backup', how)
    await start('b')
    await mesh.connected()
    // what the copy does not know: written, replaced and deleted, by itself and by others
    for (const [n, name] of ['a', 'b', 'c'].entries()) {
      await write(name, `new/${n}.svg`, `new ${n}`, n * 150_000)
      await write(name, `replaced/${n}.svg`, `second ${n}`)
      await remove(name, `deleted/${n}.svg`)
    }
    await expectSame('a', 'b', 'c')
    await kill('b')
    replaceFolder('b', 'backup')
    await start('b')
    await expectSame('a', 'b', 'c')
    // and it goes on as it did, with versions that count
    await write('b', 'new/1.svg', 'after the copy')
    await remove('b', 'kept/1.svg')
    await expectSame('a', 'b', 'c')
  }
)

/** As if all files of the view had been made so long ago; in the future where negative. */
function age(name: string, ageMs: number): void {
  const time = new Date(Date.now() - ageMs)
  for (const file of filesIn(bench.path(name, 'images'))) utimesSync(file, time, time)
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** images/ shows what it should, nothing else. */
async function expectView(...names: string[]): Promise<void> {
  for (const name of names) {
    await eventually(
      () => {
        const shown = filesIn(bench.path(name, 'images')).map((file) => sha256(readFileSync(file)))
        expect(shown.sort()).toEqual([...images.values()].map(sha256).sort())
      },
      { withinMs: 20_000 }
    )
  }
}

test.each([
  ['long ago', 10 * MINUTE_MS],
  ['by a clock that was ahead', -10 * MINUTE_MS]
])('a node without its index, whose images are still there, written %s', async (_, ageMs) => {
  await start('a', 'b', 'c')
  await mesh.connected()
  for (const name of ['a', 'b', 'c']) {
    await write(name, `kept/${name}.svg`, `kept ${name}`, 300_000)
    await write(name, `replaced/${name}.svg`, `first ${name}`)
    await write(name, `deleted/${name}.svg`, `deleted ${name}`)
  }
  await write('a', 'x.svg', 'a file')
  await write('a', 'x.svg/y.svg', 'below one of that name')
  await write('a', `${'l'.repeat(300)}.svg`, 'a long name')
  await expectSame('a', 'b', 'c')
  await kill('b')
  await write('a', 'replaced/b.svg', 'second b')
  await write('c', 'replaced/c.svg', 'second c')
  for (const name of ['a', 'b', 'c']) await remove('a', `deleted/${name}.svg`)
  await write('a', 'new.svg', 'new')
  age('b', ageMs)
  rmSync(bench.path('b', 'metadata'), { recursive: true })
  // it comes up before the others do, and knows of one of them
  const bootstrap = ['--bootstrap', (await mesh.addressOf('a')) ?? '']
  await Promise.all([kill('a'), kill('c')])
  await mesh.start('b', { flags: bootstrap }, { alone: true })
  await start('a', 'c')
  await expectSame('a', 'b', 'c')
  await expectTaken('b')
  await expectSame('a', 'b', 'c')
  await expectView('a', 'b', 'c')
  // what was right on its disk did not come again
  const { body } = await send(`${mesh.url('b')}/file-sync/api/file-sync/status`)
  expect(body.files_received).toBeLessThanOrEqual(3)
  await write('b', 'after.svg', 'after')
  await expectSame('a', 'b', 'c')
})

/** It has gone through what it found. */
const expectTaken = (name: string) =>
  eventually(
    async () => {
      // until then an image that is not known may still turn up
      expect((await bytesAt(`${mesh.url(name)}/images/none.svg`)).status).toBe(404)
    },
    { withinMs: 60_000 }
  )

test('a node without its index that alone has an image keeps it', async () => {
  await start('a', 'b')
  await mesh.connected()
  await write('a', 'both.svg', 'both')
  await expectSame('a', 'b')
  await kill('a')
  await write('b', 'alone.svg', 'alone')
  await kill('b')
  age('b', 10 * MINUTE_MS)
  rmSync(bench.path('b', 'metadata'), { recursive: true })
  await start('a', 'b')
  await expectSame('a', 'b')
  await expectView('a', 'b')
})

/** What a node says of its own state. */
async function reasonsOf(name: string): Promise<string> {
  const { body } = await send(`${mesh.url(name)}/api/storage-status`)
  return body.status_reasons.join(' ')
}

test('a copy of a folder that runs as a second node: both are told so, and nothing is lost', async () => {
  // others take the two for one, and push to one of them: the other hears of it when it compares
  const env = { TUMESH_FILE_SYNC_SYNC_INTERVAL: '2s' }
  const start = async (...names: string[]) => {
    for (const name of names) await mesh.start(name, { env })
  }
  await start('a', 'b')
  await mesh.connected()
  await write('a', 'before.svg', 'before', 300_000)
  await write('a', 'replaced.svg', 'first')
  await write('a', 'deleted.svg', 'deleted')
  await expectSame('a', 'b')
  await mesh.node('a').end('SIGTERM')
  copyFolder('a', 'copy')
  await start('a', 'copy')
  for (const name of ['a', 'copy']) {
    await write(name, `by-${name}.svg`, `by ${name}`)
    await write(name, `large-by-${name}.svg`, `large by ${name}`, 300_000)
  }
  await write('copy', 'replaced.svg', 'second')
  await remove('a', 'deleted.svg')
  await expectSame('a', 'copy', 'b')
  for (const name of ['a', 'copy']) {
    await eventually(
      async () => {
        expect(await reasonsOf(name)).toMatch(
          /(?:The node at 127\.0\.0\.1:\d+|Another node) has the identity of this one.*Stop one of the two, remove metadata\/identity\.key/
        )
      },
      { withinMs: 90_000 }
    )
  }
  expect(await reasonsOf('b')).not.toContain('identity')
  // what they are told to do helps
  await mesh.node('copy').end('SIGTERM')
  rmSync(bench.path('copy', 'metadata', 'identity.key'))
  await start('copy')
  await write('copy', 'after.svg', 'after')
  await remove('a', 'before.svg')
  await expectSame('a', 'copy', 'b')
  await mesh.connected()
})
