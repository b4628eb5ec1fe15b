// Clients of IPFS take images from a node by CID: the client code of Helia, which asks a gateway
// that it does not trust for a block, and looks at the bytes itself.

import { fallbackRouter } from '@helia/fallback-router'
import { trustlessGatewayBlockBroker } from '@helia/trustless-gateway-client'
import { CID } from 'multiformats/cid'
import { sha256 as hasher } from 'multiformats/hashes/sha2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPhoto } from '../fixtures/photos.ts'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

/** What clients of IPFS take for a block unless they are told otherwise. */
const BLOCK_BYTES_MAX = 2 ** 21

let bench: Workbench
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  node = await bench.start('a')
}, 40_000)
afterAll(() => bench.cleanUp())

type Components = Parameters<ReturnType<typeof trustlessGatewayBlockBroker>>[0]
const silent = Object.assign(() => {}, { error() {}, trace() {}, newScope: () => silent })
const logger = { forComponent: () => silent } as unknown as Components['logger']

function clientOf(url: string) {
  const routing = fallbackRouter({ gateways: [url] }) as unknown as Components['routing']
  return trustlessGatewayBlockBroker({ allowInsecure: true, allowLocal: true })({ routing, logger })
}

/** As Helia's own blockstore does before it keeps a block. */
function verifierOf(cid: CID) {
  return async (bytes: Uint8Array) => {
    const { digest } = await hasher.digest(bytes)
    if (!Buffer.from(digest).equals(cid.multihash.digest)) throw new Error('the bytes are others')
  }
}

async function added(path: string, bytes: Uint8Array): Promise<CID> {
  const { status, body } = await put(node.url, path, bytes)
  expect(status).toBe(201)
  return CID.parse(body.cid)
}

test('an image is taken by its CID, and verified', async () => {
  const photo = readPhoto()
  const cid = await added('photo.jpg', photo)
  const block = await clientOf(node.url).retrieve?.(cid, { validateFn: verifierOf(cid) })
  expect(Buffer.from(block ?? [])).toEqual(photo)
})

test('a session finds the node and takes several', async () => {
  const images = [1, 2, 3].map((n) => sizedJpeg(50_000 + n, `session ${n}`))
  const cids: CID[] = []
  for (const [n, bytes] of images.entries()) cids.push(await added(`session/${n}.jpg`, bytes))
  const session = clientOf(node.url).createSession?.()
  for (const [n, cid] of cids.entries()) {
    const block = await session?.retrieve?.(cid, { validateFn: verifierOf(cid) })
    expect(Buffer.from(block ?? [])).toEqual(images[n])
  }
})

test('a block may be as large as clients take them, and larger for those that are told so', async () => {
  const client = clientOf(node.url)
  const largest = sizedJpeg(BLOCK_BYTES_MAX, 'largest')
  const cid = await added('largest.jpg', largest)
  expect(Buffer.from((await client.retrieve?.(cid)) ?? [])).toEqual(largest)
  const larger = await added('larger.jpg', sizedJpeg(BLOCK_BYTES_MAX + 1, 'larger'))
  await expect(client.retrieve?.(larger)).rejects.toThrow('from any gateway')
  const taken = await client.retrieve?.(larger, { maxSize: BLOCK_BYTES_MAX + 1 })
  expect(taken).toHaveLength(BLOCK_BYTES_MAX + 1)
})

test('what was deleted or never was is not there', async () => {
  const gone = await added('gone.jpg', sizedJpeg(10_000, 'gone'))
  await send(`${node.url}/images/gone.jpg?purge=true`, { method: 'DELETE' })
  await expect(clientOf(node.url).retrieve?.(gone)).rejects.toThrow('from any gateway')
  const never = CID.createV1(0x55, await hasher.digest(Buffer.from('never')))
  await expect(clientOf(node.url).retrieve?.(never)).rejects.toThrow('from any gateway')
})
