import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { resolveTarget } from '../../../src/mesh/resolve-target.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const ID = '12D3KooWLQdSUBEPuqBWLgUN1iG2wyidXzGemwAJwTFFzgdvsM8e'
const OTHER = '12D3KooWMe1JZDPEdSGEoVTPBPof2qAVMmkVyJ8RmxaMK3q3DKhx'
const never = new AbortController().signal

const at = (host: string, port = 4001, id = ID) => `${host}/tcp/${port}/p2p/${id}`
const node = { name: 'b', peer_id: ID, cluster: 'photos', addresses: [at('/ip4/192.168.7.9')] }

function answering(body: unknown, init: ResponseInit = {}) {
  const asked: string[] = []
  const fetch = async (url: URL, { redirect }: RequestInit) => {
    asked.push(`${redirect} ${url}`)
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), init)
  }
  return { asked, parts: { clock: systemClock, fetch } }
}

function failing(error: unknown) {
  const fetch = () => Promise.reject(error)
  return { parts: { clock: systemClock, fetch } }
}

const failed = (code: string) => new TypeError('fetch failed', { cause: coded(code) })
const coded = (code: string) => Object.assign(new Error(code), { code })

test('a multiaddr is its own answer', async () => {
  const { parts, asked } = answering({})
  const text = at('/ip4/10.0.0.2')
  expect(await resolveTarget(parts, text, 'photos', never)).toEqual({ addresses: [text] })
  expect(asked).toEqual([])
})

test('a node is asked for its addresses, and where it was asked is tried first', async () => {
  const { parts, asked } = answering({ node })
  expect(await resolveTarget(parts, 'http://10.0.0.2:8000', 'photos', never)).toMatchObject({
    name: 'b',
    cluster: 'photos',
    addresses: [at('/ip4/10.0.0.2'), at('/ip4/192.168.7.9')]
  })
  expect(asked).toEqual(['manual http://10.0.0.2:8000/api/storage-status'])
})

test.each([
  ['http://b.example:8000', '/dns/b.example'],
  ['https://b.example', '/dns/b.example'],
  ['http://[fd00::2]:8000/', '/ip6/fd00::2'],
  ['HTTP://192.168.7.9:8000', '/ip4/192.168.7.9']
])('%s leads to %s', async (url, host) => {
  const { addresses } = await resolveTarget(answering({ node }).parts, url, 'photos', never)
  expect(addresses).toEqual([...new Set([at(host), at('/ip4/192.168.7.9')])])
})

test('a node below a path of a proxy is asked there', async () => {
  const { parts, asked } = answering({ node })
  await resolveTarget(parts, 'https://b.example/tumesh?x#y', 'photos', never)
  expect(asked).toEqual(['manual https://b.example/tumesh/api/storage-status'])
})

test('loopback addresses count only where the node runs on this machine', async () => {
  const addresses = [at('/ip4/127.0.0.1'), at('/ip4/0.0.0.0'), at('/ip6/::1'), at('/ip4/10.0.0.2')]
  const { parts } = answering({ node: { ...node, addresses } })
  const from = async (url: string) =>
    (await resolveTarget(parts, url, 'photos', never)).addresses.map((one) => one.split('/')[2])
  expect(await from('http://10.0.0.2:8000')).toEqual(['10.0.0.2'])
  expect(await from('http://127.0.0.1:8000')).toEqual(['127.0.0.1', '::1', '10.0.0.2'])
  expect(await from('http://localhost:8000')).toEqual(['localhost', '127.0.0.1', '::1', '10.0.0.2'])
  expect(await from('http://[::1]:8000')).toEqual(['::1', '127.0.0.1', '10.0.0.2'])
})

test('addresses of another node, and what is none, are left out; so are too many', async () => {
  const many = Array.from({ length: 100 }, (_, n) => at('/ip4/10.0.0.2', n + 1))
  const addresses = [at('/ip4/10.0.0.9', 1, OTHER), 7, null, `/${'x'.repeat(300)}`, ...many]
  const { parts } = answering({ node: { ...node, addresses } })
  const target = await resolveTarget(parts, 'http://10.0.0.2:8000', 'photos', never)
  expect(target.addresses).toEqual(many.slice(0, 24))
})

const page = answering('<!doctype html>')
test.each([
  ['refused', 'Nothing listens at 10.0.0.2:8000', failing(failed('ECONNREFUSED'))],
  ['no-route', 'No host is known as 10.0.0.2', failing(failed('ENOTFOUND'))],
  ['no-route', 'There is no way to 10.0.0.2:8000', failing(failed('EHOSTUNREACH'))],
  ['timed-out', 'did not answer in time', failing(failed('UND_ERR_CONNECT_TIMEOUT'))],
  ['no-node', 'is no Tumesh node', failing(failed('HPE_INVALID_CONSTANT'))],
  ['no-node', 'is no Tumesh node', page],
  ['no-node', 'is no Tumesh node', answering({ node: { name: 'b' } })],
  ['no-node', 'is no Tumesh node', answering({ node: { ...node, addresses: 'many' } })],
  ['no-node', 'is no Tumesh node', answering(' '.repeat(2 ** 20 + 1))],
  ['no-node', 'is no Tumesh node', answering('', { status: 404 })],
  ['closed', 'Run `npm run invite` there', answering('', { status: 401 })],
  ['alone', 'stands alone', answering({ node: { ...node, addresses: [] } })],
  ['other-cluster', 'of the cluster photos, this one of pets', answering({ node }), 'pets'],
  [
    'no-node',
    'sends on to http://10.0.0.3/. Join that',
    answering('', { status: 302, headers: { location: 'http://10.0.0.3/' } })
  ]
])('%s: %s', async (reason, words, { parts }, cluster = 'photos') => {
  await expect(resolveTarget(parts, 'http://10.0.0.2:8000', cluster, never)).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    message: expect.stringContaining(words),
    details: { reason }
  })
})

test('a URL without a port is told which one a node has', async () => {
  const { parts } = failing(failed('ECONNREFUSED'))
  await expect(resolveTarget(parts, 'http://b.example', 'c', never)).rejects.toThrow(
    'Nothing listens at b.example (connection refused). Name the port of the node, as in http://host:8000.'
  )
})

test('https where there is none is told so', async () => {
  const { parts } = failing(failed('ERR_SSL_WRONG_VERSION_NUMBER'))
  await expect(resolveTarget(parts, 'https://b.example:8000', 'c', never)).rejects.toThrow(
    'Try http:// instead'
  )
})

test('a node that never answers is given up after 5 s', async () => {
  const clock = new ManualClock()
  const fetch = () => new Promise<Response>(() => {})
  const asked = resolveTarget({ clock, fetch }, 'http://10.0.0.2:8000', 'c', never)
  clock.advance(5_000)
  await expect(asked).rejects.toMatchObject({ details: { reason: 'timed-out' } })
})

test('who gives up is told what made it do so', async () => {
  const gone = new AbortController()
  const fetch = () => new Promise<Response>(() => {})
  const parts = { clock: new ManualClock(), fetch }
  const asked = resolveTarget(parts, 'http://10.0.0.2:8000', 'c', gone.signal)
  const reason = new Error('the client went away')
  gone.abort(reason)
  await expect(asked).rejects.toBe(reason)
})

test.each(['10.0.0.2:8000', '', 'ftp://10.0.0.2', 'http://', '/ip4/10.0.0.2/udp/1'])(
  '%j is no target',
  async (text) => {
    await expect(resolveTarget(answering({}).parts, text, 'c', never)).rejects.toMatchObject({
      code: 'BAD_REQUEST'
    })
  }
)
