// Real nodes without a secret on 127.0.0.1: who may simply meet, who waits for a person, and how a
// mesh gets its secret and loses a member.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { bytesAt, postJson, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const svg = (text: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`)

let bench: Workbench
beforeEach(() => {
  bench = new Workbench()
})
afterEach(() => bench.cleanUp())

const status = async ({ url }: RealNode) => (await send(`${url}/api/storage-status`)).body
const addressOf = async (node: RealNode): Promise<string> => (await status(node)).node.addresses[0]
const start = (name: string, ...known: string[]) =>
  bench.start(name, { flags: known.flatMap((address) => ['--bootstrap', address]) })
const join = (node: RealNode, address: string) => postJson(`${node.url}/api/peers`, { address })

async function expectImages(node: RealNode, names: readonly string[]): Promise<void> {
  await eventually(
    async () => {
      for (const name of names) {
        expect(await bytesAt(`${node.url}/images/${name}.svg`)).toEqual({
          status: 200,
          bytes: svg(name)
        })
      }
    },
    { withinMs: 20_000 }
  )
}

/** Both know each other by the records of members, so that each dials the other again. */
async function expectMembers(...nodes: RealNode[]): Promise<void> {
  await eventually(
    async () => {
      for (const { url } of nodes) {
        const { body } = await send(`${url}/api/peers`)
        expect(body.peers.length).toBe(nodes.length - 1)
      }
    },
    { withinMs: 20_000 }
  )
}

test('a node without images joins whom it meets; two that have some wait for a person', async () => {
  const a = await start('a')
  await put(a.url, 'a1.svg', svg('a1'))
  const b = await start('b', await addressOf(a))
  await expectImages(b, ['a1'])
  await put(b.url, 'b1.svg', svg('b1'))
  await expectImages(a, ['b1'])

  const c = await start('c')
  await put(c.url, 'c1.svg', svg('c1'))
  await expectMembers(a, b)
  const met = await join(c, await addressOf(a))
  expect(met.body).toMatchObject({ status: 'success', name: 'a' })
  await expectImages(c, ['a1', 'b1'])
  await expectImages(b, ['c1'])
}, 90_000)

test('the first invite gives a mesh its secret, and nobody falls out', async () => {
  const a = await start('a')
  const b = await start('b', await addressOf(a))
  await put(a.url, 'one.svg', svg('one'))
  await expectImages(b, ['one'])
  await expectMembers(a, b)
  const { body: invited } = await postJson(`${a.url}/api/invite`, {})
  expect(invited).toMatchObject({ status: 'success', made: true, handed_to: ['b'] })
  const again = await postJson(`${b.url}/api/invite`, {})
  expect(again.body).toMatchObject({ made: false, not_reached: [] })

  // over a restart of both, they still meet
  await Promise.all([a, b].map((node) => node.end('SIGTERM')))
  const [a2, b2] = await Promise.all([start('a'), start('b')])
  await put(a2.url, 'two.svg', svg('two'))
  await expectImages(b2, ['two'])

  const stranger = await start('stranger')
  const refused = await join(stranger, await addressOf(a2))
  expect([refused.status, refused.body.code]).toEqual([503, 'PEER_UNREACHABLE'])
  expect((await join(stranger, invited.invite)).body).toMatchObject({ status: 'success' })
  await expectImages(stranger, ['one', 'two'])
  expect((await status(stranger)).node.cluster).toBe('default')
}, 120_000)

test('a removed member gets in no more, until a member takes it back', async () => {
  const a = await start('a')
  const b = await start('b', await addressOf(a))
  await put(a.url, 'one.svg', svg('one'))
  await expectImages(b, ['one'])
  await expectMembers(a, b)
  const { peer_id: id } = (await status(b)).node
  expect((await send(`${a.url}/api/peers/${id}`, { method: 'DELETE' })).status).toBe(200)
  await eventually(async () => {
    expect((await status(a)).servers).toEqual([])
  })
  const troubles = async () =>
    (await status(b)).status_causes.map(({ code }: { code: string }) => code)
  expect(await troubles()).toEqual(['removed'])
  await put(a.url, 'two.svg', svg('two'))
  expect((await join(b, await addressOf(a))).status).toBe(503)
  expect((await bytesAt(`${b.url}/images/two.svg`)).status).toBe(404)
  expect((await join(a, await addressOf(b))).body).toMatchObject({ status: 'success' })
  await expectImages(b, ['two'])
  expect(await troubles()).toEqual([])
}, 90_000)
