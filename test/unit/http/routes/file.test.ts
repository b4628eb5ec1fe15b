import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Entry, ImageEntry } from '../../../../protocols/entry.ts'
import type { ContentHash } from '../../../../protocols/hash.ts'
import { parsePath } from '../../../../protocols/path.ts'
import { versionAt } from '../../../../protocols/version.ts'
import { announce } from '../../../../src/flows/members.ts'
import type { ServerHistory } from '../../../../src/flows/parts.ts'
import { remove } from '../../../../src/flows/remove.ts'
import { restore } from '../../../../src/flows/restore.ts'
import { verifyBlob } from '../../../../src/flows/verify-blob.ts'
import { describedImageShape } from '../../../../src/http/describe-image.ts'
import { fileRoutes } from '../../../../src/http/routes/file.ts'
import { remoteOf } from '../../../../src/mesh/remote.ts'
import { fakeRemote } from '../../../support/fake-remote.ts'
import { imageEntry } from '../../../support/memory-entries.ts'
import { DAY_MS, type MemoryNode, openMemoryNode, tinyImage } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

function ask(path: string) {
  const server = serveRoutes(fileRoutes(node.http, node.options))
  return server.inject(`/file-sync/api/file-sync/file/${path}`)
}

async function get(path: string) {
  const answer = await ask(path)
  expect(answer.statusCode).toBe(200)
  return answer.json()
}

const X = parsePath('a b/x.svg')
const URL_X = 'a%20b/x.svg'
const events = ({ history }: { history: { event: string }[] }) => history.map(({ event }) => event)

async function settled<T>(work: Promise<T>): Promise<T> {
  const result = await work
  await node.flows.settler.idle()
  node.clock.advance(1000)
  return result
}

const put = (n: number) => settled(node.put(X, tinyImage(n)))
const removeX = (how = {}) => settled(remove(node.flows, node.options, X, how))

test('a live image: an element of the list, with its history and where it is', async () => {
  const { entry } = await put(1)
  const body = await get(URL_X)
  const keys = [
    ...Object.keys(describedImageShape.shape),
    'history',
    'paths',
    'complete',
    'deleted',
    'shown_as'
  ]
  expect(Object.keys(body).sort()).toEqual(keys.sort())
  expect(body.paths).toEqual([X])
  expect(body).toMatchObject({
    path: X,
    state: 'ok',
    complete: true,
    deleted: false,
    replicas: 1,
    servers: [{ name: 'a', has: true, verified_at: body.verified_at, reason: null }],
    history: [
      {
        at: '2023-11-14T22:13:20.000Z',
        event: 'added',
        node: 'a',
        sha256: entry.hash,
        conflict: false
      }
    ]
  })
  expect(Object.keys(body.servers[0])).toEqual([
    ...['name', 'has', 'verified_at', 'state', 'lost', 'reason', 'detail', 'cause'],
    ...['from', 'ahead', 'behind', 'comparing', 'since', 'next_try_at']
  ])
})

test('an image whose path the disk can not hold says under which name it is shown', async () => {
  const long = parsePath(`${'x'.repeat(300)}.svg`)
  await settled(node.put(long, tinyImage(1)))
  const { shown_as } = await get(long)
  expect(shown_as).toMatch(/^x+~[0-9a-f]{10}\.svg$/)
})

test('a damaged image says why it is not there', async () => {
  const { entry } = await put(1)
  node.store.damage(entry.hash, 'by writing')
  await settled(verifyBlob(node.flows, entry.hash))
  const body = await get(URL_X)
  expect(body).toMatchObject({ state: 'corrupted', local: false, replicas: 0 })
  expect(body.servers).toMatchObject([
    {
      ...{ name: 'a', has: false, verified_at: null, state: 'alone', lost: 'damaged' },
      reason: expect.stringContaining('quarantine/'),
      next_try_at: null
    }
  ])
  expect(events(body)).toEqual(['added', 'damaged'])
  await put(1)
  expect(events(await get(URL_X))).toEqual(['added', 'damaged', 'healed'])
})

test('a deleted image is still explained', async () => {
  const { entry } = await put(1)
  const deletedMs = node.clock.now()
  await removeX()
  const body = await get(URL_X)
  const keys = [
    ...Object.keys(describedImageShape.shape),
    'history',
    'paths',
    'complete',
    'deleted'
  ]
  expect(Object.keys(body).sort()).toEqual([...keys, 'recoverable_until'].sort())
  expect(body).toMatchObject({
    path: X,
    filename: 'x.svg',
    sha256: entry.hash,
    state: 'deleted',
    deleted: true,
    local: false,
    url: null,
    modified_at: new Date(deletedMs).toISOString(),
    recoverable_until: new Date(deletedMs + 7 * DAY_MS).toISOString(),
    servers: [{ name: 'a', has: false, reason: expect.stringContaining('trash') }]
  })
  expect(events(body)).toEqual(['added', 'deleted'])
})

test('a purged image: nothing of it is known but that it is gone', async () => {
  await put(1)
  await removeX({ purge: true })
  const body = await get(URL_X)
  expect(body).toMatchObject({
    deleted: true,
    sha256: null,
    size: null,
    recoverable_until: null,
    servers: [{ reason: expect.stringContaining('gone') }]
  })
  expect(events(body)).toEqual(['deleted'])
})

test('replaced, deleted, restored, deleted, added: each in its turn', async () => {
  await put(1)
  await put(2)
  await removeX()
  await settled(restore(node.flows, X))
  await removeX()
  await put(3)
  const body = await get(URL_X)
  expect(events(body)).toEqual([
    ...['added', 'replaced', 'deleted', 'restored', 'deleted', 'added']
  ])
  const times = body.history.map(({ at }: { at: string }) => at)
  expect(times).toEqual(times.toSorted())
  expect(new Set(times).size).toBe(6)
  expect(body.history.some(({ conflict }: { conflict: boolean }) => conflict)).toBe(false)
})

test('what never was is not found; what can not be a path is refused', async () => {
  const answer = await ask('no.svg')
  expect(answer.statusCode).toBe(404)
  expect(answer.json()).toMatchObject({ code: 'NOT_FOUND' })
  expect((await ask('a%2F%2Fb')).statusCode).toBe(422)
})

/** What the route says if other servers keep these versions, given as their node has them. */
async function besides(path: string, servers: ServerHistory[], silent: string[] = []) {
  const remote = fakeRemote({ history: async () => ({ servers, silent }) })
  const parts = { ...node.http, flows: { ...node.flows, remote } }
  return serveRoutes(fileRoutes(parts, node.options)).inject(
    `/file-sync/api/file-sync/file/${path}`
  )
}

const at = (ms: number, more = {}) => imageEntry(X, versionAt(ms), { writer: 'b', ...more })
const server = (name: string, current?: Entry, past: Entry[] = []): ServerHistory => ({
  ...{ peerId: `peer-${name}`, name, current, past, isAll: true }
})

test('what other servers keep is told with what is kept here, each version once', async () => {
  const { entry } = await put(1)
  const older = at(1000)
  const servers = [server('b', entry, [older]), server('c', entry, [older])]
  const body = (await besides(URL_X, servers)).json()
  expect(events(body)).toEqual(['added', 'replaced'])
  expect(body).toMatchObject({ complete: true, history: [{ sha256: older.hash }, {}] })
})

test('while a member is silent the history is not complete', async () => {
  await put(1)
  const body = (await besides(URL_X, [], ['b'])).json()
  expect([events(body), body.complete]).toEqual([['added'], false])
})

test('nor is it where sync is switched off on a node that knows members', async () => {
  await put(1)
  const { index } = node.flows
  const remote = remoteOf(() => undefined, { index, ownId: 'peer-a' })
  const parts = { ...node.http, flows: { ...node.flows, remote } }
  const ask = async () => {
    const server = serveRoutes(fileRoutes(parts, node.options))
    return (await server.inject(`/file-sync/api/file-sync/file/${URL_X}`)).json()
  }
  for (const [id, name] of [['peer-a', 'a'] as const, ['peer-b', 'b'] as const]) {
    expect(await ask()).toMatchObject({ complete: true, servers: [{ name: 'a' }] })
    await announce(index, { id, name, addresses: [] })
  }
  const servers = [
    { name: 'a', has: true },
    { name: 'b', has: false, state: 'unreachable' }
  ]
  expect(await ask()).toMatchObject({ complete: false, servers })
  await removeX()
  expect(await ask()).toMatchObject({ complete: false, deleted: true })
})

test('a history is not complete where a server keeps more than it has told', async () => {
  const { entry } = await put(1)
  const servers = [{ ...server('b', entry, [at(1000)]), isAll: false }]
  expect((await besides(URL_X, servers)).json()).toMatchObject({ complete: false })
  await removeX()
  expect((await besides(URL_X, servers)).json()).toMatchObject({ complete: false })
})

test('nor where more versions are kept here than are told', async () => {
  for (const count of [1000, 1]) {
    await node.flows.index.change((tx) => {
      const { md5, bytes, mediaType } = at(1) as ImageEntry
      const about = { path: X, md5, bytes, mediaType, createdMs: 1 }
      for (let n = 0; n <= count; n++) {
        tx.putImage({ ...about, hash: digest('sha256', String(n % 2)) as ContentHash })
      }
    })
    const history = (await get(URL_X)).history as unknown[]
    expect([history.length, (await get(URL_X)).complete]).toEqual([1001, count === 1000])
  }
})

test('a deleted image says what each server has of it', async () => {
  const { entry } = await put(1)
  await removeX()
  const tombstone = node.flows.index.get(X)
  const servers = [...[server('b', tombstone, [entry]), server('c', entry), server('d', tombstone)]]
  const body = (await besides(URL_X, servers, ['e'])).json()
  expect(body.servers).toMatchObject([
    ...[{ name: 'a', reason: expect.stringContaining('trash') }],
    ...[{ name: 'b', reason: expect.stringContaining('keeps the version') }],
    ...[{ name: 'c', reason: expect.stringContaining('not heard') }],
    ...[{ name: 'd', reason: 'it was deleted' }],
    ...[{ name: 'e', reason: expect.stringContaining('did not answer') }]
  ])
  expect([events(body), body.complete]).toEqual([['added', 'deleted'], false])
})

test('an image that only other servers know is described by their word', async () => {
  const live = (await besides(URL_X, [server('b', at(1000)), server('c', at(2000))])).json()
  expect(live).toMatchObject({ state: 'pending', local: false, deleted: false, writer: 'b' })
  expect(live.modified_at).toBe(new Date(2000).toISOString())
  const gone = (await besides(URL_X, [server('b', at(2000, { deleted: true }), [at(1000)])])).json()
  expect(gone).toMatchObject({ deleted: true, size: 1000, recoverable_until: null })
  const none = await besides(URL_X, [server('b')], ['c'])
  expect([none.statusCode, none.json().detail]).toEqual([404, expect.stringMatching(/: c\.$/)])
})
