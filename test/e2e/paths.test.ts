// Two real nodes: paths that a disk may take for one another are images of their own on both.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, postJson, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const svg = (n: number) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="n${n}"/>`)
const suffix = (path: string) => createHash('sha256').update(path).digest('hex').slice(0, 10)

const PATHS = [
  // differ in case alone, in names and in folders
  ...['Cats/Tom.svg', 'cats/tom.svg', 'CATS/TOM.svg', 'cats/Tom.svg'],
  // look alike: composed otherwise for compatibility, with letters of other scripts
  ...['\ufb01g.svg', 'fig.svg', '\u00c5.svg', '\u01fa.svg', '\u0430bc.svg', 'abc.svg'],
  // an image beside a folder of the same name, whichever comes first
  ...['x.svg', 'x.svg/y.svg', 'x.svg/y.svg/z.svg', 'w.svg/v.svg', 'w.svg'],
  // longer than a disk takes, alike up to there
  ...[`${'l'.repeat(300)}1.svg`, `${'l'.repeat(300)}2.svg`, `${'图'.repeat(200)}/图.svg`],
  `${'图'.repeat(200)}/${'图'.repeat(120)}.svg`,
  // what others among these are called where the disk can't hold them
  `x.svg~${suffix('x.svg')}/y.svg`,
  `w~${suffix('w.svg')}.svg`,
  `${'l'.repeat(125)}~${suffix(`${'l'.repeat(300)}1.svg`)}.svg`
]
const url = (path: string) => path.split('/').map(encodeURIComponent).join('/')

let bench: Workbench
let mesh: RealMesh
beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  for (const name of ['a', 'b']) await mesh.start(name)
  await mesh.connected()
}, 60_000)
afterAll(() => bench.cleanUp())

const put = (name: string, path: string, n: number) =>
  send(`${mesh.url(name)}/images/${url(path)}`, { method: 'PUT', body: svg(n) })

async function expectImages(images: ReadonlyMap<string, number>): Promise<void> {
  for (const name of ['a', 'b']) {
    await eventually(async () => {
      const { body } = await send(`${mesh.url(name)}/file-sync/api/file-sync/files`)
      const listed = body.files.map((file: { path: string; local: boolean }) => [
        ...[file.path, file.local]
      ])
      expect(listed.sort()).toEqual([...images.keys()].map((path) => [path, true]).sort())
    })
    for (const [path, n] of images) {
      const { status, bytes } = await bytesAt(`${mesh.url(name)}/images/${url(path)}`)
      expect([path, status, sha256(bytes)]).toEqual([path, 200, sha256(svg(n))])
    }
  }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** The view has a file for each image; nothing was set aside. */
async function expectFolder(
  name: string,
  images: ReadonlyMap<string, number>,
  trashed: readonly string[]
): Promise<void> {
  const there = (place: string) => filesIn(bench.path(name, place))
  const hashes = [...images.values()].map((n) => sha256(svg(n))).sort()
  await eventually(() => {
    const shown = there('images').map((file) => sha256(readFileSync(file)))
    expect(shown.sort()).toEqual(hashes)
    const blobs = there('blobs').map((file) => sha256(readFileSync(file)))
    expect(blobs.sort()).toEqual(hashes)
    const inTrash = there('trash').map((file) => sha256(readFileSync(file)))
    expect(inTrash.sort()).toEqual(trashed.toSorted())
    expect(there('quarantine')).toEqual([])
  })
}

test('paths that are nearly the same are images of their own on both, as files too', async () => {
  const images = new Map(PATHS.map((path, n) => [path, n]))
  expect(images.size).toBe(PATHS.length)
  for (const [path, n] of images) {
    const { status, body } = await put(n % 2 === 0 ? 'a' : 'b', path, n)
    expect([status, body.file_path]).toEqual([201, path])
  }
  await expectImages(images)
  for (const name of ['a', 'b']) await expectFolder(name, images, [])
  // each goes on its own, and the others stay
  const trashed: string[] = []
  for (const [path, n] of [...images].filter((_, at) => at % 3 === 0)) {
    const there = mesh.url(n % 2 === 0 ? 'b' : 'a')
    expect((await send(`${there}/images/${url(path)}`, { method: 'DELETE' })).status).toBe(200)
    images.delete(path)
    trashed.push(sha256(svg(n)))
  }
  await expectImages(images)
  for (const name of ['a', 'b']) await expectFolder(name, images, trashed)
  // and are the same after a restart
  await mesh.node('b').end('SIGKILL')
  await mesh.start('b')
  await expectImages(images)
  for (const name of ['a', 'b']) await expectFolder(name, images, trashed)
}, 90_000)

test('one image under paths that are nearly the same: each has a file of its own', async () => {
  const bytes = svg(1000)
  const paths = ['one/p', 'one/p/q.svg', `one/p~${suffix('one/p')}/q.svg`, 'one/P/q.svg']
  await send(`${mesh.url('a')}/images/one/p/q.svg`, { method: 'PUT', body: bytes })
  for (const to of paths.slice(1)) {
    await postJson(`${mesh.url('a')}/api/copy`, { from: 'one/p/q.svg', to })
  }
  const there = async (name: string) => {
    const { body } = await send(`${mesh.url(name)}/file-sync/api/file-sync/files?prefix=one/`)
    return body.files.map(({ path }: { path: string }) => path).sort()
  }
  for (const name of ['a', 'b']) {
    await eventually(async () => expect(await there(name)).toEqual(paths.slice(1).sort()))
  }
  await send(`${mesh.url('b')}/images/${url(paths[2] as string)}`, { method: 'DELETE' })
  for (const name of ['a', 'b']) {
    await eventually(async () => {
      expect(await there(name)).toEqual(['one/P/q.svg', 'one/p/q.svg'])
    })
  }
}, 60_000)
