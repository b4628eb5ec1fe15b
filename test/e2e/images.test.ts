// What people do with images: put them in, read them in every way, change and delete them, find
// them after a restart.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { readPhoto } from '../fixtures/photos.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { md5, sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, bytesAt, postJson, put, send, upload } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'
import { sharesBytes } from '../support/shared-bytes.ts'

const API = '/file-sync/api/file-sync'

let bench: Workbench
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  node = await bench.start('a')
})
afterAll(() => bench.cleanUp())

const fileOf = (path: string) => bench.path('a', 'images', path)
const blobOf = (hash: string) => bench.path('a', 'blobs', hash.slice(0, 2), hash)
const remove = (path: string) => send(`${node.url}/images/${path}`, { method: 'DELETE' })
const restore = (body: object) => postJson(`${node.url}/api/restore`, body)

async function expectBytes(address: string, bytes: Uint8Array): Promise<void> {
  const found = await bytesAt(node.url + address)
  expect([address, found.status, sha256(found.bytes)]).toEqual([address, 200, sha256(bytes)])
}

async function about(path: string): Promise<Answer['body']> {
  return (await send(`${node.url}${API}/file/${path}`)).body
}

test('a form upload is readable by name, by content and as a file', async () => {
  const photo = readPhoto(0)
  const { status, body } = await upload(node.url, 'photo.jpg', photo)
  expect(status).toBe(201)
  expect(body).toMatchObject({
    status: 'success',
    file_path: expect.stringMatching(/^photo_\d{13}\.jpg$/),
    size: photo.length,
    hash: md5(photo),
    sha256: sha256(photo),
    cid: expect.stringMatching(/^bafkrei/),
    mime_type: 'image/jpeg',
    duplicate: false,
    replicas: 1,
    servers: ['a']
  })
  const { file_path: path } = body
  for (const name of [`/images/${path}`, `/static/data/images/${path}`, `${API}/download/${path}`])
    await expectBytes(name, photo)
  for (const hash of [body.sha256, body.cid, body.hash]) await expectBytes(`/blobs/${hash}`, photo)

  expect(readFileSync(fileOf(path)).equals(photo)).toBe(true)
  expect(statSync(fileOf(path)).mode & 0o222, 'nobody may write it').toBe(0)
  expect(sharesBytes(fileOf(path), blobOf(body.sha256))).toBe(true)
})

test('a raw upload takes a path of its own, and is read in part and only when it has changed', async () => {
  const photo = readPhoto(1)
  const address = `/images/${encodeURIComponent('目录')}/${encodeURIComponent('图 1.jpg')}`
  const created = await put(node.url, address.slice('/images/'.length), photo)
  expect([created.status, created.body.file_path]).toEqual([201, '目录/图 1.jpg'])
  expect(created.headers.get('location')).toBe(address)
  expect(readFileSync(fileOf('目录/图 1.jpg')).equals(photo)).toBe(true)

  const range = await fetch(node.url + address, { headers: { range: 'bytes=1000-1999' } })
  expect([range.status, range.headers.get('content-range')]).toEqual([
    206,
    `bytes 1000-1999/${photo.length}`
  ])
  expect(Buffer.from(await range.arrayBuffer()).equals(photo.subarray(1000, 2000))).toBe(true)
  const etag = `"${sha256(photo)}"`
  const again = await send(node.url + address, { headers: { 'if-none-match': etag } })
  expect([again.status, again.headers.get('etag')]).toEqual([304, etag])
  const head = await send(node.url + address, { method: 'HEAD' })
  expect(head.status).toBe(200)
  expect(Object.fromEntries(head.headers)).toMatchObject({
    'content-length': String(photo.length),
    'content-type': 'image/jpeg',
    'x-content-type-options': 'nosniff',
    'x-file-hash': md5(photo),
    'x-image-source': 'local'
  })
})

test('an image of no byte and one of one byte are images like others', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('x')]) {
    const { status, body } = await put(node.url, `small/${bytes.length}.jpg`, bytes)
    expect([status, body.size, body.recognized]).toEqual([201, bytes.length, false])
    await expectBytes(`/images/small/${bytes.length}.jpg`, bytes)
    await expectBytes(`/blobs/${body.cid}`, bytes)
    expect(statSync(fileOf(`small/${bytes.length}.jpg`)).size).toBe(bytes.length)
  }
})

test('the documented paths answer what clients read', async () => {
  await put(node.url, 'listed.svg', makeSvg({ seed: 50 }))
  const { body: list } = await send(`${node.url}${API}/files`)
  const totals = { total_files: list.files.length, total_size: list.total_size }
  expect(list).toMatchObject({ status: 'success', ...totals, count: list.files.length })
  expect((await send(`${node.url}/api/storage-status`)).body).toMatchObject({
    distributed_storage: true,
    status: 'healthy',
    ...totals,
    local_files: list.files.length,
    sync_queue_size: 0,
    servers: []
  })
  const { body: sync } = await send(`${node.url}${API}/status`)
  expect(sync).toMatchObject({ status: 'idle', server_name: 'a', ...totals, failed_files: 0 })
  const { body: forced } = await send(`${node.url}/api/force-file-sync`, { method: 'POST' })
  expect(forced).toMatchObject({
    status: 'success',
    queued_files: 0,
    in_sync_files: totals.total_files
  })
  const { body: verified } = await send(`${node.url}${API}/verify`, { method: 'POST' })
  expect(verified).toMatchObject({ status: 'success', valid_files: list.files.length })
})

test('bytes that are here already make no second image unless a path is asked for', async () => {
  const bytes = makeSvg({ seed: 10 })
  const first = await upload(node.url, 'x.svg', bytes)
  const again = await upload(node.url, 'other-name.svg', bytes)
  expect([again.status, again.body.duplicate]).toEqual([200, true])
  expect(again.body.duplicate_of).toBe(first.body.file_path)

  const named = await upload(node.url, 'x.svg', bytes, { path: 'second/x.svg' })
  expect([named.status, named.body.file_path]).toEqual([201, 'second/x.svg'])
  expect((await put(node.url, 'second/x.svg', bytes)).status, 'nothing changes').toBe(200)
  expect(sharesBytes(fileOf('second/x.svg'), fileOf(first.body.file_path))).toBe(true)
})

test('a replaced, a deleted and a restored version', async () => {
  const [one, two] = [makeSvg({ seed: 20 }), makeSvg({ seed: 21 })]
  await put(node.url, 'v.svg', one)
  const replaced = await put(node.url, 'v.svg', two, { 'if-match': `"${sha256(one)}"` })
  expect(replaced.status).toBe(201)
  await expectBytes('/images/v.svg', two)
  expect(readFileSync(fileOf('v.svg')).equals(two)).toBe(true)

  const back = await restore({ path: 'v.svg', sha256: sha256(one) })
  expect([back.status, back.body.sha256]).toEqual([200, sha256(one)])
  await expectBytes('/images/v.svg', one)

  const removed = await remove('v.svg')
  expect(removed.status).toBe(200)
  expect(removed.body).toMatchObject({ path: 'v.svg', deleted_servers: ['a'], pending_servers: [] })
  expect(new Date(removed.body.recoverable_until).getTime()).toBeGreaterThan(Date.now())
  const gone = await send(`${node.url}/images/v.svg`)
  expect([gone.status, gone.body.code]).toEqual([410, 'GONE'])
  expect(gone.headers.get('cache-control')).toBe('no-store')
  expect((await send(`${node.url}/blobs/${sha256(one)}`)).status).toBe(410)
  expect(existsSync(fileOf('v.svg'))).toBe(false)

  expect((await restore({ path: 'v.svg' })).body.sha256).toBe(sha256(one))
  await expectBytes('/images/v.svg', one)
  expect(readFileSync(fileOf('v.svg')).equals(one)).toBe(true)
  const { history, sha256: now } = await about('v.svg')
  expect(now).toBe(sha256(one))
  expect(history.map(({ event }: { event: string }) => event)).toEqual([
    'added',
    'replaced',
    'replaced',
    'deleted',
    'restored'
  ])

  const purged = await send(`${node.url}${API}/file/v.svg?purge=true`, { method: 'DELETE' })
  expect([purged.status, purged.body.recoverable_until]).toEqual([200, null])
  expect((await restore({ path: 'v.svg' })).body.code).toBe('NOT_FOUND')
  expect(existsSync(bench.path('a', 'trash', sha256(two).slice(0, 2), sha256(two)))).toBe(false)
})

test('moving and copying move no byte', async () => {
  const bytes = makeSvg({ seed: 30 })
  await put(node.url, 'from.svg', bytes)
  const { ino } = statSync(blobOf(sha256(bytes)))
  const copied = await postJson(`${node.url}/api/copy`, { from: 'from.svg', to: 'deep/copy.svg' })
  expect([copied.status, copied.body.path]).toEqual([200, 'deep/copy.svg'])
  const moved = await postJson(`${node.url}/api/move`, { from: 'from.svg', to: 'to.svg' })
  expect([moved.status, moved.body.path]).toEqual([200, 'to.svg'])
  for (const path of ['deep/copy.svg', 'to.svg']) {
    await expectBytes(`/images/${path}`, bytes)
    expect(sharesBytes(fileOf(path), blobOf(sha256(bytes)))).toBe(true)
  }
  expect((await send(`${node.url}/images/from.svg`)).status).toBe(410)
  expect(existsSync(fileOf('from.svg'))).toBe(false)
  expect(statSync(blobOf(sha256(bytes))).ino).toBe(ino)
})

test('many images are deleted by paths, by ids and by hashes, more than 50 in the background', async () => {
  const paths = Array.from({ length: 60 }, (_, n) => `bulk/${n}.svg`)
  const images = paths.map((_, n) => makeSvg({ seed: 100 + n }))
  await Promise.all(paths.map((path, n) => put(node.url, path, images[n] as Buffer)))
  const listed = await send(`${node.url}/api/images?prefix=bulk/&limit=100`)
  expect(listed.body.images).toHaveLength(60)
  const bulkDelete = (body: object) =>
    send(`${node.url}/api/images`, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })

  const started = await bulkDelete({ paths: paths.slice(0, 55) })
  expect(started.body).toMatchObject({ status: 'accepted', background: true, total: 55 })
  await eventually(async () => {
    const { body } = await send(`${node.url}/api/delete-task/${started.body.task_id}`)
    expect(body).toMatchObject({ status: 'completed', deleted_count: 55, progress: 100 })
  })
  const idOf = (path: string) =>
    listed.body.images.find((image: { path: string }) => image.path === path).id
  const byId = await bulkDelete({ image_ids: [idOf('bulk/55.svg'), idOf('bulk/56.svg'), 7] })
  expect(byId.body).toMatchObject({ deleted_count: 2, not_found: [7] })
  const byHash = await bulkDelete({ hashes: [md5(images[57] as Buffer)] })
  expect(byHash.body.deleted).toEqual(['bulk/57.svg'])
  const left = await send(`${node.url}${API}/files?prefix=bulk/`)
  expect(left.body.files.map(({ path }: { path: string }) => path).sort()).toEqual([
    'bulk/58.svg',
    'bulk/59.svg'
  ])
})

test('a stop leaves readable files, and a restart finds everything as it was', async () => {
  const bytes = makeSvg({ seed: 40 })
  const source = 'https://example.org/a.svg?x=1'
  await upload(node.url, 'a.svg', bytes, { path: 'kept.svg', source_url: source })
  await put(node.url, 'dropped.svg', makeSvg({ seed: 41 }))
  await remove('dropped.svg')
  const before = (await send(`${node.url}${API}/files`)).body
  const exported = await send(`${node.url}/api/export-index`, { method: 'POST' })
  expect(exported.body).toMatchObject({ status: 'success', entries: before.total_files })
  expect(metadata('file_index.json').total_files, 'on demand').toBe(before.total_files)
  await put(node.url, 'last.svg', makeSvg({ seed: 42 }))

  expect((await node.end('SIGTERM')).code).toBe(0)
  const index = metadata('file_index.json')
  expect(index.total_files).toBe(before.total_files + 1)
  expect(Object.keys(index.files)).toHaveLength(index.total_files)
  expect(index.files['kept.svg']).toMatchObject({
    path: 'kept.svg',
    filename: 'kept.svg',
    size: bytes.length,
    hash: md5(bytes),
    sha256: sha256(bytes),
    source_url: source
  })
  expect(index.files['dropped.svg']).toBeUndefined()
  const log = metadata('sync_log.json')
  expect(log.length).toBeLessThanOrEqual(1000)
  expect(log.at(-1)).toMatchObject({ event: 'added', path: 'last.svg' })
  expect(log.at(-2)).toMatchObject({ event: 'deleted', path: 'dropped.svg' })

  node = await bench.start('a')
  const after = (await send(`${node.url}${API}/files`)).body
  expect(after.files.filter(({ path }: { path: string }) => path !== 'last.svg')).toEqual(
    before.files
  )
  expect((await send(`${node.url}/images/dropped.svg`)).status).toBe(410)
  const found = await send(`${node.url}${API}/files?source_url=${encodeURIComponent(source)}`)
  expect(found.body.files.map(({ path }: { path: string }) => path)).toEqual(['kept.svg'])
  const { body } = await restore({ path: 'dropped.svg' })
  expect(body.sha256).toBe(sha256(makeSvg({ seed: 41 })))
  const trashed = Array.from({ length: 58 }, (_, n) => sha256(makeSvg({ seed: 100 + n })))
  await expectSoundFolder(node.url, bench.path('a'), trashed)
})

// biome-ignore lint/suspicious/noExplicitAny: looks into files of every shape
function metadata(name: string): any {
  return JSON.parse(readFileSync(bench.path('a', 'metadata', name), 'utf8'))
}

test('a small picture is made of a large image, once, and goes with it', async () => {
  const photo = readPhoto(3)
  await put(node.url, 'small/photo.jpg', photo)
  const address = `${node.url}/thumbnails/${sha256(photo)}`
  const all = await Promise.all([1, 2, 3].map(() => fetch(address)))
  const pictures = await Promise.all(all.map((answer) => answer.bytes()))
  expect(all.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(all[0]?.headers.get('cache-control')).toMatch(/^public, max-age=\d+, immutable$/)
  for (const picture of pictures) expect(picture).toEqual(pictures[0])
  const { format, width } = await sharp(pictures[0]).metadata()
  expect([format, width]).toEqual(['webp', 256])
  const etag = all[0]?.headers.get('etag') ?? ''
  expect((await fetch(address, { headers: { 'If-None-Match': etag } })).status).toBe(304)
  expect((await fetch(`${address}?size=100`)).status).toBe(422)
  const kept = bench.path('a', 'thumbnails', sha256(photo).slice(0, 2))
  expect(readdirSync(kept)).toEqual([`${sha256(photo)}-256.webp`])

  const tiny = makeSvg({ seed: 7 })
  await put(node.url, 'small/tiny.svg', tiny)
  const answer = await fetch(`${node.url}/thumbnails/${sha256(tiny)}`)
  expect([answer.redirected, sha256(await answer.bytes())]).toEqual([true, sha256(tiny)])

  await send(`${node.url}/images/small/photo.jpg?purge=true`, { method: 'DELETE' })
  expect((await fetch(address)).status).toBeOneOf([404, 410])
  await eventually(async () => expect(readdirSync(kept)).toEqual([]))
})
