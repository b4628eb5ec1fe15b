// Several real nodes with one secret on 127.0.0.1: what one has, all have; what one deletes is
// gone.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectSoundFolder } from '../support/check-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, postJson, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const NAMES = ['a', 'b', 'c']
const svg = (text: string, bytes = 0) =>
  Buffer.concat([
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`),
    Buffer.alloc(bytes, ' ')
  ])

let bench: Workbench
const nodes = new Map<string, RealNode>()
const url = (name: string) => (nodes.get(name) as RealNode).url

async function start(name: string): Promise<void> {
  const known = await Promise.all([...nodes].filter(([other]) => other !== name).map(addressOf))
  const flags = [
    '--cluster',
    'test',
    '--secret-file',
    bench.path('secret'),
    '--p2p-host',
    '127.0.0.1'
  ]
  for (const address of known.flat()) flags.push('--bootstrap', address)
  nodes.set(name, await bench.start(name, { flags }))
}

async function addressOf([, node]: [string, RealNode]): Promise<string[]> {
  const answer = await send(`${node.url}/api/storage-status`).catch(() => undefined)
  return answer?.body.node.addresses ?? []
}

const everywhere = (path: string, check: (answer: { status: number; bytes: Buffer }) => void) =>
  eventually(
    async () => {
      for (const name of NAMES) check(await bytesAt(`${url(name)}/images/${path}`))
    },
    { withinMs: 20_000 }
  )

beforeAll(async () => {
  bench = new Workbench()
  writeFileSync(bench.path('secret'), randomBytes(32).toString('hex'))
  for (const name of NAMES) await start(name)
}, 60_000)
afterAll(() => bench.cleanUp())

test('images put into three nodes at once are on all of them, as files too', async () => {
  const images = Array.from({ length: 60 }, (_, n) => ({
    path: `at-once/${n}.svg`,
    bytes: svg(`n${n}`, [0, 1000, 100_000, 400_000][n % 4])
  }))
  await Promise.all(
    images.map(async ({ path, bytes }, n) => {
      expect((await put(url(NAMES[n % 3] as string), path, bytes)).status).toBe(201)
    })
  )
  for (const name of NAMES) {
    await eventually(
      async () => {
        const { body } = await send(`${url(name)}/api/storage-status`)
        expect([body.total_files, body.local_files, body.missing_files]).toEqual([60, 60, 0])
      },
      { withinMs: 30_000 }
    )
    await expectSoundFolder(url(name), bench.path(name))
  }
}, 60_000)

test('libp2p tells monitors of its connections, streams, bytes and dials', async () => {
  const { bytes } = await bytesAt(`${url('a')}/metrics`)
  const figures = new Map(
    [...bytes.toString().matchAll(/^(libp2p_\S+?)(?:\{\w+="([^"]*)"\})? (\S+)$/gm)].map(
      ([, name, label, value]) => [`${name} ${label ?? ''}`.trim(), Number(value)]
    )
  )
  const connections = 'libp2p_connection_manager_connections'
  const [inbound = 0, outbound = 0] = ['inbound', 'outbound'].map((way) =>
    figures.get(`${connections} ${way}`)
  )
  expect(inbound + outbound).toBeGreaterThanOrEqual(2)
  const all = [...figures].filter(([, value]) => value > 0).map(([name]) => name)
  expect(all).toEqual(
    expect.arrayContaining([
      'libp2p_data_transfer_bytes_total /tumesh/entries/1 received',
      'libp2p_data_transfer_bytes_total /tumesh/entries/1 sent',
      expect.stringMatching(/^libp2p_protocol_streams_total (in|out)bound \/tumesh\/entries\/1$/),
      expect.stringMatching(/^libp2p_connection_manager_dials_total (in|out)bound$/)
    ])
  )
})

test('a replaced, deleted and restored image is so everywhere', async () => {
  await put(url('a'), 'x.svg', svg('first'))
  await everywhere('x.svg', ({ bytes }) => expect(bytes).toEqual(svg('first')))
  await put(url('b'), 'x.svg', svg('second'))
  await everywhere('x.svg', ({ bytes }) => expect(bytes).toEqual(svg('second')))
  await send(`${url('c')}/images/x.svg`, { method: 'DELETE' })
  await everywhere('x.svg', ({ status }) => expect(status).toBe(410))
  await eventually(() => expect(readdirSync(bench.path('a', 'images'))).not.toContain('x.svg'))
  await postJson(`${url('a')}/api/restore`, { path: 'x.svg' })
  await everywhere('x.svg', ({ bytes }) => expect(bytes).toEqual(svg('second')))
}, 60_000)

test('an image that one node has lost is read there all the same', async () => {
  const bytes = svg('precious', 300_000)
  await put(url('a'), 'precious.svg', bytes)
  await everywhere('precious.svg', (answer) => expect(answer.bytes).toEqual(bytes))
  const hash = sha256(bytes)
  rmSync(bench.path('b', 'blobs', hash.slice(0, 2), hash))
  expect(await bytesAt(`${url('b')}/images/precious.svg`)).toEqual({ status: 200, bytes })
  await eventually(async () => {
    const { body } = await send(`${url('b')}/api/storage-status`)
    expect([body.status, body.missing_files]).toEqual(['healthy', 0])
  })
}, 60_000)

test('verify repairs a damaged image from another node', async () => {
  const bytes = svg('to be damaged', 5000)
  await put(url('a'), 'bad.svg', bytes)
  await everywhere('bad.svg', ({ status }) => expect(status).toBe(200))
  const file = bench.path('c', 'blobs', sha256(bytes).slice(0, 2), sha256(bytes))
  rmSync(file)
  writeFileSync(file, svg('something else', 5000))
  const { body } = await postJson(`${url('c')}/file-sync/api/file-sync/verify`, {
    paths: ['bad.svg']
  })
  expect(body.corrupted_files).toMatchObject([
    { path: 'bad.svg', action: expect.stringMatching(/^repaired_from:[ab]$/) }
  ])
  expect([body.repaired_files, body.unrepairable_files]).toEqual([['bad.svg'], []])
  expect(await bytesAt(`${url('c')}/images/bad.svg`)).toEqual({ status: 200, bytes })
  const forced = await postJson(`${url('c')}/api/force-file-sync`, {})
  expect(forced.body).toMatchObject({ status: 'success', message: 'Compared with 2 servers.' })
}, 60_000)

test('what is blocked on one server is out of reach on all, until it is unblocked', async () => {
  const bytes = svg('to be taken down', 300_000)
  const hash = sha256(bytes)
  await put(url('a'), 'down.svg', bytes)
  await everywhere('down.svg', ({ status }) => expect(status).toBe(200))
  const blocked = await postJson(`${url('b')}/api/blocks`, { path: 'down.svg', reason: 'a court' })
  expect([blocked.status, blocked.body.sha256]).toEqual([200, hash])
  await everywhere('down.svg', ({ status }) => expect(status).toBe(451))
  for (const name of NAMES) {
    const has = (...place: string[]) => existsSync(bench.path(name, ...place))
    await eventually(() =>
      expect([has('images', 'down.svg'), has('blobs', hash.slice(0, 2), hash)]).toEqual([
        ...[false, false]
      ])
    )
    expect((await put(url(name), `again-${name}.svg`, bytes)).status).toBe(451)
    expect((await send(`${url(name)}/blobs/${hash}`)).status).toBe(451)
    const { body } = await send(`${url(name)}/api/storage-status`)
    expect([body.status, body.blocked_files, body.missing_files]).toEqual(['healthy', 1, 0])
  }
  writeFileSync(bench.path('c', 'images', 'found.svg'), bytes)
  await eventually(() => {
    expect(existsSync(bench.path('c', 'images', 'found.svg'))).toBe(false)
    expect(readdirSync(bench.path('c', 'quarantine')).length).toBeGreaterThan(0)
  })
  expect((await send(`${url('c')}/images/found.svg`)).status).toBe(404)
  await send(`${url('c')}/api/blocks/${hash}`, { method: 'DELETE' })
  await everywhere('down.svg', (answer) => expect(answer).toEqual({ status: 200, bytes }))
  for (const name of NAMES) {
    await eventually(() =>
      expect(readFileSync(bench.path(name, 'images', 'down.svg'))).toEqual(bytes)
    )
  }
  rmSync(bench.path('c', 'quarantine'), { recursive: true })
  mkdirSync(bench.path('c', 'quarantine'))
}, 60_000)

test('a node that was killed and comes back has missed nothing', async () => {
  const { node } = { node: nodes.get('c') as RealNode }
  await node.end('SIGKILL')
  for (let n = 0; n < 20; n++) await put(url('a'), `later/${n}.svg`, svg(`later ${n}`, 1000 * n))
  await send(`${url('b')}/images/later/0.svg`, { method: 'DELETE' })
  nodes.delete('c')
  await start('c')
  await eventually(
    async () => {
      const [a, c] = await Promise.all(
        ['a', 'c'].map((name) => send(`${url(name)}/api/storage-status`))
      )
      expect(c?.body.local_files).toBe(a?.body.local_files)
      expect(c?.body.missing_files).toBe(0)
    },
    { withinMs: 30_000 }
  )
  expect((await bytesAt(`${url('c')}/images/later/0.svg`)).status).toBe(410)
  expect((await bytesAt(`${url('c')}/images/later/19.svg`)).bytes).toEqual(svg('later 19', 19_000))
}, 90_000)

test('who has another secret gets in nowhere, and nobody minds', async () => {
  writeFileSync(bench.path('other-secret'), randomBytes(32).toString('hex'))
  const [address] = await addressOf(['a', nodes.get('a') as RealNode])
  const stranger = await bench.start('stranger', {
    flags: [
      '--cluster',
      'test',
      '--secret-file',
      bench.path('other-secret'),
      '--p2p-host',
      '127.0.0.1',
      '--bootstrap',
      address as string
    ]
  })
  await put(url('a'), 'secret.svg', svg('secret'))
  await everywhere('secret.svg', ({ status }) => expect(status).toBe(200))
  const { body } = await send(`${stranger.url}/api/storage-status`)
  expect([body.total_files, body.servers]).toEqual([0, []])
  expect(readdirSync(join(bench.path('stranger'), 'images'))).toEqual([])
  expect((await stranger.end('SIGTERM')).code).toBe(0)
}, 60_000)

test('a node met by hand is remembered on both sides, over a restart of both', async () => {
  const flags = [
    '--cluster',
    'pair',
    '--secret-file',
    bench.path('secret'),
    '--p2p-host',
    '127.0.0.1'
  ]
  const pair = await Promise.all(['p', 'q'].map((name) => bench.start(name, { flags })))
  const [p, q] = pair as [RealNode, RealNode]
  const [address] = await addressOf(['q', q])
  const met = await postJson(`${p.url}/api/peers`, { address })
  expect(met.body).toMatchObject({ status: 'success' })
  await eventually(async () => {
    for (const { url } of pair) {
      const { body } = await send(`${url}/api/peers`)
      expect(body.peers.map(({ last_sync }: { last_sync: unknown }) => typeof last_sync)).toEqual([
        'string'
      ])
    }
  })
  await Promise.all(pair.map((node) => node.end('SIGTERM')))
  const again = await Promise.all(['p', 'q'].map((name) => bench.start(name, { flags })))
  await put((again[0] as RealNode).url, 'hello.svg', svg('hello'))
  await eventually(
    async () => {
      expect((await bytesAt(`${(again[1] as RealNode).url}/images/hello.svg`)).status).toBe(200)
    },
    { withinMs: 20_000 }
  )
  const refused = await postJson(`${(again[0] as RealNode).url}/api/peers`, {
    address: '/ip4/127.0.0.1/tcp/1'
  })
  expect([refused.status, refused.body.code]).toEqual([503, 'PEER_UNREACHABLE'])
  const lone = await bench.start('lone')
  expect((await postJson(`${lone.url}/api/peers`, { address })).status).toBe(503)
}, 90_000)

test('a node that is not to fetch all has the index, and fetches what is read', async () => {
  const [address] = await addressOf(['a', nodes.get('a') as RealNode])
  const flags = [
    '--cluster',
    'test',
    '--secret-file',
    bench.path('secret'),
    '--p2p-host',
    '127.0.0.1'
  ]
  const thin = await bench.start('thin', {
    flags: [...flags, '--bootstrap', address as string],
    env: { TUMESH_FILE_STORAGE_SYNC_ENABLED: 'false' }
  })
  await put(url('a'), 'thin.svg', svg('thin'))
  await eventually(async () => {
    const { body } = await send(`${thin.url}/api/storage-status`)
    expect(body.total_files).toBe((await send(`${url('a')}/api/storage-status`)).body.total_files)
    expect(body.local_files).toBe(0)
  })
  expect((await bytesAt(`${thin.url}/images/thin.svg`)).bytes).toEqual(svg('thin'))
  // a reader has it before it has its place
  await eventually(async () => {
    expect((await send(`${thin.url}/api/storage-status`)).body.local_files).toBe(1)
  })
}, 60_000)
