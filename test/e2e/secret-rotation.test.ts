// A new secret in the place of the one that holds, on real nodes: one of three is away.

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const LONG = { withinMs: 30_000 }

let bench: Workbench
beforeEach(() => {
  bench = new Workbench()
})
afterEach(() => bench.cleanUp())

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
async function call({ url }: RealNode, method: string, path: string, body?: unknown): Promise<any> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await send(`${url}${path}`, { method, ...sent })
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

const serversOf = async (node: RealNode) =>
  (await call(node, 'GET', '/api/storage-status')).servers as {
    name: string
    status: string
    last_error: string | null
  }[]
const sees = (node: RealNode, ...names: string[]) =>
  eventually(async () => {
    const online = (await serversOf(node)).filter(({ status }) => status === 'online')
    expect(online.map(({ name }) => name).sort()).toEqual(names)
  }, LONG)
const secretOf = (name: string) =>
  JSON.parse(readFileSync(bench.path(name, 'metadata/cluster.json'), 'utf8')).secret as string
const whoHasIt = async (node: RealNode) =>
  Object.fromEntries(
    (await call(node, 'GET', '/api/secret')).servers.map(
      ({ name, has_it }: { name: string; has_it: boolean }) => [name, has_it]
    )
  )
const opens = async ({ url }: RealNode, key: string) =>
  (await send(`${url}/api/keys`, { headers: { Authorization: `Bearer ${key}` } })).status

async function join(node: RealNode, at: RealNode): Promise<void> {
  const { invite } = await call(at, 'POST', '/api/invite')
  await call(node, 'POST', '/api/peers', { address: invite })
}

test('who is there gets it, who comes in time gets in, and who comes late is told what to do', async () => {
  const [a, b, c] = [await bench.start('a'), await bench.start('b'), await bench.start('c')]
  await join(b, a)
  await join(c, a)
  for (const [node, ...names] of [
    [a, 'b', 'c'],
    [b, 'a', 'c'],
    [c, 'a', 'b']
  ] as const) {
    await sees(node, ...names)
  }
  const { key } = await call(a, 'POST', '/api/keys', { name: 'k', scopes: ['admin'] })
  await eventually(async () => expect(await opens(b, key)).toBe(200))
  const first = secretOf('a')
  await c.end('SIGTERM')

  const rotated = await call(a, 'POST', '/api/secret', { window: 3600 })
  expect(rotated).toMatchObject({ origin: 'mesh', former_until: expect.any(String) })
  expect(await whoHasIt(a)).toEqual({ b: true, c: false })
  expect(rotated.message).toMatch(/^b is known to have the secret\. c is not, so far\. Until /)
  expect(rotated.message).toMatch(/Addresses that were signed before end at /)
  const { status_reasons } = await call(a, 'GET', '/api/storage-status')
  expect(status_reasons.join()).toMatch(/a new secret, which .* have: c\./)
  expect(secretOf('a')).not.toBe(first)
  expect([secretOf('b'), secretOf('c')]).toEqual([secretOf('a'), first])
  await eventually(async () =>
    expect([await opens(a, key), await opens(b, key)]).toEqual([200, 200])
  )

  // in time
  const inTime = await bench.start('c')
  await sees(inTime, 'a', 'b')
  await eventually(() => expect(secretOf('c')).toBe(secretOf('a')), LONG)
  await eventually(async () => expect(await whoHasIt(a)).toEqual({ b: true, c: true }), LONG)
  await eventually(async () => expect(await opens(inTime, key)).toBe(200), LONG)
  await inTime.end('SIGTERM')
  const again = await bench.start('c')
  await sees(again, 'a', 'b')
  await again.end('SIGTERM')

  // too late
  await call(a, 'POST', '/api/secret', { window: 1 })
  await eventually(async () => {
    for (const node of [a, b]) {
      expect((await call(node, 'GET', '/api/secret')).former_until).toBeNull()
    }
  }, LONG)
  await eventually(async () => expect(await opens(b, key)).toBe(200), LONG)
  const late = await bench.start('c')
  await eventually(async () => {
    const errors = (await serversOf(late)).map(({ last_error }) => last_error)
    expect(errors.join()).toMatch(/got a new one while this node was away.*invite.*join/s)
  }, LONG)
  expect(await whoHasIt(a)).toEqual({ b: true, c: false })
  await join(late, a)
  await sees(late, 'a', 'b')
  expect(await opens(late, key)).toBe(200)
}, 180_000)

test('a node that is no member does not come in by the secret of before', async () => {
  const [a, b] = [await bench.start('a'), await bench.start('b')]
  const { invite } = await call(a, 'POST', '/api/invite', { permanent: true })
  await join(b, a)
  await sees(a, 'b')
  await call(a, 'POST', '/api/secret', { window: 3600 })
  const stranger = await bench.start('stranger')
  const { status, body } = await send(`${stranger.url}/api/peers`, {
    method: 'POST',
    body: JSON.stringify({ address: invite })
  })
  // the line is that of the secret of before: it lets in nobody new
  expect([status, body.code]).toEqual([503, 'PEER_UNREACHABLE'])
  await sees(a, 'b')
  expect(await whoHasIt(a)).toEqual({ b: true })
}, 120_000)

test('who was removed is taken back by a person also where it only knows the secret of before', async () => {
  const [a, b] = [await bench.start('a'), await bench.start('b')]
  await join(b, a)
  await sees(a, 'b')
  const { peer_id: id } = (await call(b, 'GET', '/api/storage-status')).node
  await b.end('SIGTERM')
  await call(a, 'DELETE', `/api/peers/${id}`)
  await call(a, 'POST', '/api/secret', { window: 3600 })
  const back = await bench.start('b')
  const [address] = (await call(back, 'GET', '/api/storage-status')).node.addresses
  await call(a, 'POST', '/api/peers', { address })
  await sees(a, 'b')
  await eventually(() => expect(secretOf('b')).toBe(secretOf('a')), LONG)
}, 120_000)

test('the line of an invite from before the exchange brings no member back to the old secret', async () => {
  const [a, b] = [await bench.start('a'), await bench.start('b')]
  const { invite } = await call(a, 'POST', '/api/invite', { permanent: true })
  await call(b, 'POST', '/api/peers', { address: invite })
  await sees(a, 'b')
  const first = secretOf('a')
  await call(a, 'POST', '/api/secret', { window: 0 })
  await eventually(() => expect(secretOf('b')).toBe(secretOf('a')), LONG)
  const answer = await send(`${b.url}/api/peers`, {
    method: 'POST',
    body: JSON.stringify({ address: invite })
  })
  await sees(a, 'b') // and has heard from it whatever it hands over
  expect(secretOf('a')).not.toBe(first)
  expect(secretOf('b')).toBe(secretOf('a'))
  expect([answer.status, answer.body.code]).toEqual([503, 'PEER_UNREACHABLE'])
}, 120_000)

test('a mesh without a secret says what to do', async () => {
  const open = await bench.start('open')
  const { origin, message } = await call(open, 'GET', '/api/secret')
  expect([origin, message]).toEqual(['none', expect.stringContaining('no secret')])
  const refused = await send(`${open.url}/api/secret`, { method: 'POST' })
  expect([refused.status, refused.body.detail]).toEqual([400, expect.stringContaining('invite')])
})
