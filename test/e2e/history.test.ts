// Three real nodes on 127.0.0.1: what happened to an image is told alike by all of them, and what
// any of them keeps can be brought back from each.

import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectSoundFolder } from '../support/check-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, postJson, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const NAMES = ['a', 'b', 'c']
const svg = (text: string, bytes = 0) =>
  Buffer.concat([
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`),
    Buffer.alloc(bytes, ' ')
  ])

let bench: Workbench
let mesh: RealMesh

beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  for (const name of NAMES) await mesh.start(name)
  await mesh.connected()
}, 60_000)
afterAll(() => bench.cleanUp())

const kill = (name: string) => mesh.node(name).end('SIGKILL')

const everywhere = (path: string, bytes: Buffer | undefined, names = NAMES) =>
  eventually(
    async () => {
      for (const name of names) {
        const answer = await bytesAt(`${mesh.url(name)}/images/${path}`)
        if (bytes === undefined) expect([name, answer.status]).toEqual([name, 410])
        else expect([name, sha256(answer.bytes)]).toEqual([name, sha256(bytes)])
      }
    },
    { withinMs: 30_000 }
  )

async function fileOf(name: string, path: string) {
  const { body } = await send(`${mesh.url(name)}/file-sync/api/file-sync/file/${path}`)
  return body
}

type Line = { event: string; node: string; sha256: string; conflict: boolean }

async function historyOf(name: string, path: string) {
  const { history, complete } = await fileOf(name, path)
  const lines = history.map(({ event, node, conflict }: Line) => [
    event,
    node,
    ...(conflict ? ['conflict'] : [])
  ])
  return { lines, complete }
}

const restore = (name: string, path: string, bytes?: Buffer) =>
  postJson(`${mesh.url(name)}/api/restore`, { path, ...(bytes && { sha256: sha256(bytes) }) })

test('what is purged on one server is freed there, and it says that others keep it', async () => {
  const bytes = svg('purged')
  await put(mesh.url('a'), 'purged.svg', bytes)
  await everywhere('purged.svg', bytes)
  const { body } = await send(`${mesh.url('a')}/images/purged.svg?purge=true`, { method: 'DELETE' })
  expect(body).toMatchObject({ recoverable_until: null })
  expect(body.message).toContain('freed here. Other servers keep it in their trash')
  await everywhere('purged.svg', undefined)
  const { status } = await postJson(`${mesh.url('a')}/api/restore`, { path: 'purged.svg' })
  expect(status).toBe(200)
  await everywhere('purged.svg', bytes)
})

test('of two writers all name the same winner, and the other a conflict', async () => {
  const [first, byB, byA] = [svg('first'), svg('by b', 300_000), svg('by a')]
  await put(mesh.url('a'), 'x.svg', first)
  await everywhere('x.svg', first)
  // each of the two writes while nobody hears it
  await Promise.all([kill('a'), kill('c')])
  expect((await put(mesh.url('b'), 'x.svg', byB)).status).toBe(201)
  await kill('b')
  await mesh.start('a')
  expect((await put(mesh.url('a'), 'x.svg', byA)).status).toBe(201)
  await mesh.start('b')
  await mesh.start('c')
  await mesh.connected()
  await everywhere('x.svg', byA)
  for (const name of NAMES) {
    await eventually(async () =>
      expect([name, await historyOf(name, 'x.svg')]).toEqual([
        name,
        {
          complete: true,
          lines: [
            ['added', 'a'],
            ['replaced', 'b', 'conflict'],
            ['replaced', 'a']
          ]
        }
      ])
    )
  }
  // c never had that version, and b has it in its trash alone
  const { status, body } = await restore('c', 'x.svg', byB)
  expect([status, body.sha256, body.state]).toEqual([200, sha256(byB), 'ok'])
  await everywhere('x.svg', byB)
  const trash = [first, byA].map(sha256)
  for (const name of NAMES) await expectSoundFolder(mesh.url(name), bench.path(name), trash)
}, 90_000)

test('a small version that only another server keeps comes back too', async () => {
  const [first, second] = [svg('small first'), svg('small second')]
  await kill('c')
  await put(mesh.url('a'), 'small.svg', first)
  await everywhere('small.svg', first, ['a', 'b'])
  await put(mesh.url('a'), 'small.svg', second)
  await mesh.start('c')
  await mesh.connected()
  await everywhere('small.svg', second)
  expect((await restore('c', 'small.svg', first)).body.sha256).toBe(sha256(first))
  await everywhere('small.svg', first)
}, 60_000)

test('a replica keeps what was replaced and deleted, and needs nobody to bring it back', async () => {
  const [first, second] = [svg('kept first', 1000), svg('kept second', 400_000)]
  await put(mesh.url('a'), 'kept.svg', first)
  await everywhere('kept.svg', first)
  await put(mesh.url('c'), 'kept.svg', second)
  await everywhere('kept.svg', second)
  await send(`${mesh.url('a')}/images/kept.svg`, { method: 'DELETE' })
  await everywhere('kept.svg', undefined)
  const inTrash = (name: string, bytes: Buffer) =>
    existsSync(bench.path(name, 'trash', sha256(bytes).slice(0, 2), sha256(bytes)))
  for (const name of NAMES) {
    await eventually(() => {
      expect([name, inTrash(name, first), inTrash(name, second)]).toEqual([name, true, true])
    })
  }
  const told = await fileOf('b', 'kept.svg')
  expect(told).toMatchObject({ deleted: true, complete: true, sha256: sha256(second) })
  expect(told.servers.map(({ name }: { name: string }) => name).sort()).toEqual(NAMES)
  expect(told.recoverable_until).not.toBeNull()

  await Promise.all([kill('a'), kill('c')])
  const alone = await fileOf('b', 'kept.svg')
  expect(alone).toMatchObject({ complete: false, history: told.history })
  expect((await restore('b', 'kept.svg')).body.sha256).toBe(sha256(second))
  expect((await restore('b', 'kept.svg', first)).body.sha256).toBe(sha256(first))
  await everywhere('kept.svg', first, ['b'])
  const lost = await restore('b', 'kept.svg', svg('never there'))
  expect([lost.status, lost.body.code]).toEqual([404, 'NOT_FOUND'])
  expect(lost.body.detail).toMatch(/not connected or did not answer: a, c/)
}, 60_000)
