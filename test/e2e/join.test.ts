// `join` and `invite` as a person meets them: real nodes without a secret on 127.0.0.1, told about
// each other by hand.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeInvite } from '../../protocols/invite.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const svg = (text: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`)
const LINE = / \((\w)\): (?:connected in \d+ ms|already connected), clocks \d+\.\d s apart, /

let bench: Workbench
beforeEach(() => {
  bench = new Workbench()
})
afterEach(() => bench.cleanUp())

function start(name: string, flags: readonly string[] = [], env = {}): Promise<RealNode> {
  return bench.start(name, { flags: ['--p2p-host', '127.0.0.1', ...flags], env })
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs scripts/join.ts or scripts/invite.ts in the folder of the test. */
function script(name: 'join' | 'invite', ...words: string[]): Promise<Ran> {
  const { promise, resolve: done } = Promise.withResolvers<Ran>()
  const args = [resolve(`scripts/${name}.ts`), ...words]
  const env = { PATH: process.env.PATH, HOME: bench.folder }
  execFile(process.execPath, args, { cwd: bench.folder, env }, (error, stdout, stderr) => {
    done({ code: error === null ? 0 : Number(error.code), stdout, stderr })
  })
  return promise
}

const at = ({ url }: RealNode, name: string) => ['--url', url, '--data', bench.path(name)]

async function addressOf({ url }: RealNode): Promise<string> {
  const { body } = await send(`${url}/api/storage-status`)
  return body.node.addresses[0]
}

/** Names of the servers that a node is connected with. */
async function serversOf({ url }: RealNode): Promise<string[]> {
  const { body } = await send(`${url}/api/storage-status`)
  const online = body.servers.filter(({ status }: { status: string }) =>
    ['online', 'syncing'].includes(status)
  )
  return online.map(({ name }: { name: string }) => name).sort()
}

/** A port of 127.0.0.1 at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

const sees = (node: RealNode, ...names: string[]) =>
  eventually(async () => expect(await serversOf(node)).toEqual(names), { withinMs: 20_000 })

const hasImage = (node: RealNode, path: string, text: string) =>
  eventually(
    async () =>
      expect(await bytesAt(`${node.url}/images/${path}`)).toEqual({
        status: 200,
        bytes: svg(text)
      }),
    { withinMs: 20_000 }
  )

describe('join', () => {
  test('by address and by URL: each target a line, and again the same', async () => {
    const [a, b, c] = (await Promise.all(['a', 'b', 'c'].map((name) => start(name)))) as [
      RealNode,
      RealNode,
      RealNode
    ]
    await put(b.url, 'b.svg', svg('b'))
    const targets = [await addressOf(b), c.url]
    const first = await script('join', ...targets, ...at(a, 'a'))
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const lines = first.stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const [n, line] of lines.entries()) {
      expect(line).toMatch(/^✓ 127\.0\.0\.1:\d+ \(/)
      expect(LINE.exec(line)?.[1]).toBe('bc'[n])
      expect(line).toMatch(/, (nothing|\d+ images? \(.+\)) to fetch$/)
    }
    expect(lines[0]).toContain(': connected in ')
    await sees(a, 'b', 'c')
    await sees(c, 'a', 'b')
    await hasImage(a, 'b.svg', 'b')
    await hasImage(c, 'b.svg', 'b')
    const again = await script('join', ...targets, ...at(a, 'a'))
    expect(again.code).toBe(0)
    expect(again.stdout.match(/already connected/g)).toHaveLength(2)
  }, 90_000)

  test('merges two meshes that both hold images, which wait until then', async () => {
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => start(name)))) as [
      RealNode,
      RealNode
    ]
    await Promise.all([put(a.url, 'a.svg', svg('a')), put(b.url, 'b.svg', svg('b'))])
    expect((await script('join', b.url, ...at(a, 'a'))).code).toBe(0)
    await hasImage(a, 'b.svg', 'b')
    await hasImage(b, 'a.svg', 'a')
  }, 90_000)

  test('while the node is stopped: at its next start', async () => {
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => start(name)))) as [
      RealNode,
      RealNode
    ]
    await put(b.url, 'b.svg', svg('b'))
    await a.end('SIGTERM')
    const { code, stdout, stderr } = await script(
      'join',
      ...['nonsense', b.url, 'more', b.url],
      ...at(a, 'a')
    )
    expect([code, stdout]).toEqual([
      1,
      `The node is not running (nothing listens at ${a.url}); it will join ${b.url} at its next start.\n`
    ])
    expect(stderr).toMatch(/^✗ nonsense: "nonsense" is no address of a node\..*\n✗ more: .*\n$/)
    const back = await start('a')
    await sees(back, 'b')
    await hasImage(back, 'b.svg', 'b')
    await eventually(() => expect(existsSync(bench.path('a', 'metadata', 'join.json'))).toBe(false))
  }, 90_000)

  test('without a node and without its folder says what to do', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`
    const { code, stdout, stderr } = await script('join', 'http://127.0.0.1:9000', '--url', url)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`Nothing listens at ${url}, and ./data is no data folder`)
    expect(stderr).toContain('npm start')
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('without a target is a usage error', async () => {
    expect(await script('join')).toMatchObject({ code: 2, stdout: '' })
  })

  test('needs no key from who may do all, and takes none of another node', async () => {
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => start(name)))) as [
      RealNode,
      RealNode
    ]
    expect(await script('join', b.url, '--url', a.url)).toMatchObject({ code: 0, stderr: '' })
    const wrong = await script('join', b.url, '--url', a.url, '--data', bench.path('b'))
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain(`The node at ${a.url} is not the one of ${bench.path('b')}`)
  }, 90_000)
})

describe('what can not be joined', () => {
  let page: Server
  let place: string
  beforeEach(async () => {
    page = createServer((_request, response) => response.end('<!doctype html>'))
    await once(page.listen(0, '127.0.0.1'), 'listening')
    place = `127.0.0.1:${(page.address() as AddressInfo).port}`
  })
  afterEach(() => {
    page.closeAllConnections()
    page.close()
  })

  test('is told with its cause, each alone, and what can be is joined', async () => {
    const [a, b, alone, other] = (await Promise.all([
      start('a'),
      start('b'),
      start('alone', [], { TUMESH_FILE_SYNC_ENABLED: 'false' }),
      start('other', ['--cluster', 'other'])
    ])) as [RealNode, RealNode, RealNode, RealNode]
    const port = place.split(':')[1]
    const closed = await closedPort()
    const invite = (await script('invite', ...at(other, 'other'))).stdout.trim()
    const causes: readonly [string, string][] = [
      [`/ip4/127.0.0.1/tcp/${closed}`, `Nothing listens at 127.0.0.1:${closed}`],
      [`http://127.0.0.1:${closed}`, `Nothing listens at 127.0.0.1:${closed}`],
      [`/ip4/127.0.0.1/tcp/${port}`, 'is no Tumesh node'],
      [`http://${place}`, `What answers at ${place} is no Tumesh node`],
      [alone.url, 'stands alone'],
      [other.url, 'is of the cluster other, this one of default'],
      [await addressOf(other), 'is of another cluster or has another secret'],
      ['/ip4/203.0.113.9/tcp/4001', 'is not on the local network, and without a secret'],
      [a.url, 'This is the address of the node itself'],
      [await addressOf(a), 'This is the address of the node itself'],
      ['127.0.0.1:8000', 'is no address of a node'],
      [invite.slice(0, -3), 'This is no whole invite']
    ]
    const targets = causes.map(([target]) => target)
    const { code, stdout, stderr } = await script('join', ...targets, b.url, ...at(a, 'a'))
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✓ 127\.0\.0\.1:\d+ \(b\): connected in .*\n$/)
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toHaveLength(causes.length)
    for (const [n, [target, words]] of causes.entries()) {
      const shown = target.startsWith('tumesh-invite') ? 'the invite' : target
      expect(lines[n]).toContain(`✗ ${shown}: `)
      expect(lines[n]).toContain(words)
    }
    expect(lines.filter((line) => line.includes('npm run invite')).length).toBeGreaterThan(3)
    await sees(a, 'b')
  }, 120_000)
})

describe('invite', () => {
  test('gives an open mesh its secret, and lets others in by one line', async () => {
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => start(name)))) as [
      RealNode,
      RealNode
    ]
    await put(a.url, 'a.svg', svg('a'))
    await script('join', b.url, ...at(a, 'a'))
    await hasImage(b, 'a.svg', 'a')
    const made = await script('invite', ...at(a, 'a'))
    expect(made.code).toBe(0)
    expect(made.stdout).toMatch(/^tumesh-invite:[A-Za-z0-9]+\n$/)
    expect(made.stderr).toContain('This mesh had no secret and has one now; b has it.')
    expect(made.stderr).toContain('npm run join -- LINE')
    await sees(a, 'b')

    const c = await start('c')
    await put(c.url, 'c.svg', svg('c'))
    const joined = await script('join', made.stdout.trim(), ...at(c, 'c'))
    expect(joined).toMatchObject({ code: 0, stderr: '' })
    expect(LINE.exec(joined.stdout)?.[1]).toBe('a')
    for (const node of [a, b]) await hasImage(node, 'c.svg', 'c')
    await hasImage(c, 'a.svg', 'a')
    expect((await script('join', made.stdout.trim(), ...at(c, 'c'))).stdout).toContain(
      'already connected'
    )

    const again = await script('invite', ...at(b, 'b'))
    expect(again.stderr).toContain('Whoever joins this line becomes a member of the mesh.')
    // neither line holds the secret; that of the mesh is in those that never end, and is one
    const [first, second] = [made, again].map(({ stdout }) => decodeInvite(stdout))
    expect(second?.secret).not.toEqual(first?.secret)
    const lasting = await Promise.all(
      [a, b].map((node, n) => script('invite', '--permanent', ...at(node, 'ab'[n] as string)))
    )
    const [one, two] = lasting.map(({ stdout }) => decodeInvite(stdout))
    expect([two?.secret, two?.ticket]).toEqual([one?.secret, undefined])

    await Promise.all([a, b, c].map((node) => node.end('SIGTERM')))
    const back = await Promise.all(['a', 'b', 'c'].map((name) => start(name)))
    await sees(back[0] as RealNode, 'b', 'c')
    await put((back[1] as RealNode).url, 'later.svg', svg('later'))
    await hasImage(back[2] as RealNode, 'later.svg', 'later')
  }, 120_000)

  test('is joined by a node that is stopped, too', async () => {
    const [a, b] = (await Promise.all(['a', 'b'].map((name) => start(name)))) as [
      RealNode,
      RealNode
    ]
    await put(a.url, 'a.svg', svg('a'))
    const line = (await script('invite', ...at(a, 'a'))).stdout.trim()
    await b.end('SIGTERM')
    const waiting = await script('join', line, ...at(b, 'b'))
    expect([waiting.code, waiting.stderr]).toEqual([0, ''])
    expect(waiting.stdout).toContain('it will join the invite at its next start')
    const back = await start('b')
    await hasImage(back, 'a.svg', 'a')
    await eventually(() => expect(existsSync(bench.path('b', 'metadata', 'join.json'))).toBe(false))
  }, 90_000)

  test('is good for so many servers, and no more once it is revoked', async () => {
    const [a, b, c, d] = (await Promise.all(['a', 'b', 'c', 'd'].map((name) => start(name)))) as [
      RealNode,
      RealNode,
      RealNode,
      RealNode
    ]
    const once = await script('invite', '--uses', '1', '--expires', '2h', '--qr', ...at(a, 'a'))
    expect(once.stderr).toMatch(/Who has the line gets in until .*Z, once\./)
    expect(once.stderr).toMatch(/█/)
    const line = once.stdout.trim()
    expect((await script('join', line, ...at(b, 'b'))).code).toBe(0)
    await sees(a, 'b')
    const used = await script('join', line, ...at(c, 'c'))
    expect([used.code, used.stderr]).toEqual([
      ...[1, expect.stringContaining('This invite has been used as often as it may be.')]
    ])
    const many = (await script('invite', ...at(a, 'a'))).stdout.trim()
    expect((await script('invite', '--revoke', ...at(a, 'a'))).stderr).toBe('Revoked invites: 1.\n')
    const revoked = await script('join', many, ...at(d, 'd'))
    expect(revoked.stderr).toContain('This invite was revoked.')
    await sees(a, 'b')
  }, 120_000)

  test('of a node that does not run says so', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`
    const { code, stdout, stderr } = await script('invite', '--url', url)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`Nothing listens at ${url}`)
  })
})

test('a member that is removed is met no more, until it is joined again', async () => {
  const [a, b] = (await Promise.all(['a', 'b'].map((name) => start(name)))) as [RealNode, RealNode]
  await script('join', b.url, ...at(a, 'a'))
  await sees(a, 'b')
  const { body } = await send(`${b.url}/api/storage-status`)
  const removed = await send(`${a.url}/api/peers/${body.node.peer_id}`, { method: 'DELETE' })
  expect([removed.status, removed.body.status]).toEqual([200, 'success'])
  await sees(a)
  expect((await script('join', b.url, ...at(a, 'a'))).code).toBe(0)
  await sees(a, 'b')
}, 90_000)
