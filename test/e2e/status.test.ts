// Three real nodes with one secret: what each says of the others is what those say of themselves.

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const NAMES = ['a', 'b', 'c']
const FILES = '/file-sync/api/file-sync'
const svg = (text: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`)

let bench: Workbench
const nodes = new Map<string, RealNode>()
const get = async (name: string, path: string) =>
  (await send(`${(nodes.get(name) as RealNode).url}${path}`)).body
const upload = (name: string, path: string) =>
  put((nodes.get(name) as RealNode).url, path, svg(path.replace(/\?.*/, '')))
const named = (name: string) => (one: { name: string }) => one.name === name

async function start(name: string): Promise<void> {
  const flags = ['--cluster', 'test', '--secret-file', bench.path('secret')]
  flags.push('--p2p-host', '127.0.0.1')
  for (const other of nodes.keys()) {
    const { addresses } = (await get(other, '/api/storage-status')).node
    for (const address of addresses) flags.push('--bootstrap', address)
  }
  nodes.set(name, await bench.start(name, { flags }))
}

beforeAll(async () => {
  bench = new Workbench()
  writeFileSync(bench.path('secret'), randomBytes(32).toString('hex'))
  for (const name of NAMES) await start(name)
}, 60_000)
afterAll(() => bench.cleanUp())

test('each node shows the two others, online, and how fast they answer', async () => {
  for (const name of NAMES) {
    const others = NAMES.filter((other) => other !== name)
    await eventually(
      async () => {
        const { servers } = await get(name, '/api/storage-status')
        expect(servers.map(({ name }: { name: string }) => name)).toEqual(others)
        for (const server of servers) {
          expect(server).toMatchObject({ status: 'online', missing_files: 0, last_error: null })
          expect(server.eta_seconds).toBe(0)
          expect(Math.abs(server.clock_offset_ms)).toBeLessThan(5000)
        }
        const { peers } = await get(name, '/api/peers')
        expect(peers.map(({ peer_id }: { peer_id: string }) => peer_id)).toEqual(
          servers.map(({ peer_id }: { peer_id: string }) => peer_id)
        )
      },
      { withinMs: 20_000 }
    )
  }
  // who dialled has measured it
  const { servers } = await get('c', '/api/storage-status')
  for (const { latency_ms } of servers) expect(latency_ms).toBeGreaterThan(0)
}, 60_000)

test('an upload that waits is answered once three nodes have it', async () => {
  const three = await upload('a', 'three.svg?wait=replicas:3')
  expect([three.status, three.body.status]).toEqual([201, 'success'])
  expect([three.body.replicas, three.body.servers]).toEqual([3, NAMES])
  for (const name of ['b', 'c']) {
    const { local_files } = await get(name, '/api/storage-status')
    expect(local_files).toBe(1)
  }
  const four = await upload('b', 'four.svg?wait=replicas:4')
  expect([four.status, four.body.status]).toEqual([202, 'accepted'])
  expect(four.body.servers.toSorted()).toEqual(NAMES)
  const again = await upload('c', 'four.svg?wait=replicas:3')
  expect([again.status, again.body.replicas]).toEqual([200, 3])
  const one = await upload('a', 'one.svg')
  expect([one.status, one.body.servers]).toEqual([201, ['a']])
}, 60_000)

test('a form waits for replicas as well', async () => {
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(svg('form'))]), 'form.svg')
  const url = `${(nodes.get('c') as RealNode).url}${FILES}/upload?wait=replicas:3&more=1`
  const { status, body } = await send(url, { method: 'POST', body: form })
  expect([status, body.replicas]).toEqual([201, 3])
}, 60_000)

test('after a while every image has three replicas, on each node', async () => {
  for (const name of NAMES) {
    await eventually(
      async () => {
        const { files } = await get(name, `${FILES}/files?limit=100`)
        expect(files).toHaveLength(4)
        for (const file of files) {
          expect([file.path, file.replicas]).toEqual([file.path, 3])
          expect(file.servers.toSorted()).toEqual(NAMES)
        }
      },
      { withinMs: 30_000 }
    )
  }
  const status = await get('b', `${FILES}/status`)
  expect(status).toMatchObject({ status: 'idle', sync_queue_size: 0, failed_files: 0 })
  expect(status.files_received).toBeGreaterThanOrEqual(3)
  expect(status.bytes_received).toBeGreaterThan(0)
  expect(status.bytes_sent).toBeGreaterThan(0)
  expect(typeof status.last_sync).toBe('string')
  const sent = await Promise.all(NAMES.map((name) => get(name, `${FILES}/status`)))
  const sum = sent.reduce((all, { files_sent }) => all + files_sent, 0)
  expect(sum).toBeGreaterThanOrEqual(8) // four images, each on two more nodes
}, 60_000)

test('one file: every server is asked, now', async () => {
  const { body } = await upload('a', 'live.svg?wait=replicas:3')
  const file = await get('b', `${FILES}/file/live.svg`)
  expect(file).toMatchObject({ complete: true, replicas: 3, writer: 'a', sha256: body.sha256 })
  expect(file.servers.map(({ name, has }: Record<string, unknown>) => [name, has])).toEqual(
    expect.arrayContaining(NAMES.map((name) => [name, true]))
  )
  const deleted = await send(`${(nodes.get('c') as RealNode).url}/images/live.svg`, {
    method: 'DELETE'
  })
  expect(deleted.body.deleted_servers.toSorted()).toEqual(NAMES)
  expect(deleted.body.pending_servers).toEqual([])
}, 60_000)

test('a node that dies is offline, and nothing is claimed of it that it did not say', async () => {
  await (nodes.get('c') as RealNode).end('SIGKILL')
  const of = async (name: string) =>
    (await get('a', '/api/storage-status')).servers.find(named(name))
  await eventually(
    async () => {
      expect(await of('c')).toMatchObject({
        status: 'offline',
        connected_at: null,
        last_error: expect.stringContaining('Nothing listens at')
      })
    },
    { withinMs: 20_000 }
  )
  const { last_seen } = await of('c')
  expect(Date.now() - Date.parse(last_seen)).toBeLessThan(60_000)
  expect((await get('a', '/api/storage-status')).status).toBe('healthy')

  const late = await upload('a', 'late.svg?wait=replicas:3&timeout=1')
  expect([late.status, late.body.servers]).toEqual([202, ['a', 'b']])
  const file = await get('a', `${FILES}/file/late.svg`)
  expect(file).toMatchObject({ complete: false, replicas: 2 })
  expect(file.servers.find(named('c'))).toMatchObject({ has: false, state: 'unreachable' })

  const gone = await send(`${(nodes.get('b') as RealNode).url}/images/three.svg`, {
    method: 'DELETE'
  })
  expect(gone.body.deleted_servers.toSorted()).toEqual(['a', 'b'])
  expect(gone.body.pending_servers).toEqual(['c'])

  const seenBefore = (await of('c')).last_seen
  await (nodes.get('a') as RealNode).end('SIGTERM')
  nodes.delete('a')
  nodes.delete('c')
  await start('a')
  await eventually(
    async () => expect(await of('c')).toMatchObject({ status: 'offline', last_seen: seenBefore }),
    { withinMs: 20_000 }
  )
  await start('c')
  await eventually(
    async () => {
      expect(await of('c')).toMatchObject({ status: 'online', missing_files: 0, last_error: null })
      const { files } = await get('a', `${FILES}/files?prefix=late`)
      expect(files[0].replicas).toBe(3)
    },
    { withinMs: 40_000 }
  )
  const back = await get('c', `${FILES}/file/three.svg`)
  expect(back.deleted).toBe(true)
}, 120_000)
