import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ContentHash, cidOf, parseHash } from '../../../../protocols/hash.ts'
import { parsePath } from '../../../../protocols/path.ts'
import { remove } from '../../../../src/flows/remove.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../../support/http-node.ts'
import { addEntries, tinyImage } from '../../../support/memory-node.ts'

const IMAGE = tinyImage(1)
const HASH = parseHash(createHash('sha256').update(IMAGE).digest('hex'))
const MD5 = createHash('md5').update(IMAGE).digest('hex')
const CID = cidOf(HASH)
const RAW = 'application/vnd.ipld.raw'

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
  await http.node.put('a/b.svg', IMAGE)
})

afterEach(() => http.close())

function removeImage(path: string, { purge = false } = {}) {
  return remove(http.node.flows, { trashKeepMs: 1000 }, parsePath(path), { purge })
}

/** Two live images with one MD5 and different bytes, as nobody can make them by accident. */
async function addTwins(): Promise<ContentHash[]> {
  const hashes = [parseHash('aa'.repeat(32)), parseHash('bb'.repeat(32))]
  const about = { md5: MD5, bytes: 9, mediaType: 'image/png', createdMs: 1 }
  await http.node.flows.index.change((tx) => {
    for (const [n, hash] of hashes.entries()) {
      tx.putImage({
        ...about,
        md5: 'cd'.repeat(16) as never,
        path: parsePath(`twin${n}.png`),
        hash
      })
    }
  })
  return hashes
}

describe('by path', () => {
  it.each([
    ['/images/a/b.svg'],
    ['/static/data/images/a/b.svg'],
    ['/file-sync/api/file-sync/download/a/b.svg'],
    ['/images/a/b.svg?v=1'],
    ['/images/a%2fb.svg']
  ])('answers %s', async (path) => {
    const { status, headers, bytes } = await http.send(path)
    expect([status, bytes]).toEqual([200, IMAGE])
    expect(headers).toMatchObject({
      etag: `"${HASH}"`,
      'x-file-hash': MD5,
      'content-type': 'image/svg+xml',
      'content-length': String(IMAGE.byteLength),
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-image-source': 'local',
      'accept-ranges': 'bytes'
    })
    expect(headers['content-security-policy']).toContain('sandbox')
  })

  it('answers HEAD, ranges and conditions', async () => {
    const head = await http.send('/images/a/b.svg', { method: 'HEAD' })
    expect([head.status, head.headers['content-length'], head.bytes.length]).toEqual([
      200,
      String(IMAGE.byteLength),
      0
    ])
    const part = await http.send('/images/a/b.svg', { headers: { Range: 'bytes=0-3' } })
    expect([part.status, part.bytes.toString()]).toEqual([206, '<svg'])
    const same = await http.send('/images/a/b.svg', { headers: { 'If-None-Match': `"${HASH}"` } })
    expect([same.status, same.bytes.length]).toEqual([304, 0])
    const beyond = await http.send('/images/a/b.svg', { headers: { Range: 'bytes=9999-' } })
    expect([beyond.status, beyond.json.code]).toEqual([416, 'RANGE_NOT_SATISFIABLE'])
    const other = await http.send('/images/a/b.svg', { headers: { 'If-Match': '"x"' } })
    expect([other.status, other.json.code]).toEqual([412, 'PRECONDITION_FAILED'])
  })

  it('tells what never was from what was deleted', async () => {
    const never = await http.send('/images/c.svg')
    expect([never.status, never.json.code]).toEqual([404, 'NOT_FOUND'])
    expect(never.headers['cache-control']).toBe('no-store')
    await removeImage('a/b.svg')
    const gone = await http.send('/images/a/b.svg')
    expect([gone.status, gone.json.code]).toEqual([410, 'GONE'])
    expect(gone.headers['cache-control']).toBe('no-store')
  })

  it('never sends damaged bytes, and says that they are not there', async () => {
    http.node.store.damage(HASH, 'by writing')
    const { status, json, headers } = await http.send('/images/a/b.svg')
    expect([status, json.code]).toEqual([503, 'NOT_AVAILABLE'])
    expect(headers['cache-control']).toBe('no-store')
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(headers['content-disposition']).toBeUndefined()
  })

  it('sends right bytes whose file was touched, after reading them again', async () => {
    http.node.store.linked(HASH)
    const { status, bytes } = await http.send('/images/a/b.svg')
    expect([status, bytes]).toEqual([200, IMAGE])
  })

  it('says that a known image has not come yet', async () => {
    await addEntries(http.node, ['lost.jpg'])
    expect((await http.send('/images/lost.jpg')).status).toBe(503)
  })
})

describe('while an existing collection is taken in', () => {
  it('does not deny what may still turn up', async () => {
    const adopting = await startHttpNode({ parts: () => ({ adopting: () => true }) })
    for (const path of ['/images/x.svg', `/blobs/${HASH}`, `/blobs/${MD5}`]) {
      const { status, json, headers } = await adopting.send(path)
      expect([path, status, json.code]).toEqual([path, 503, 'NOT_AVAILABLE'])
      expect(headers['retry-after']).toBe('10')
    }
    await adopting.close()
  })
})

describe('by hash', () => {
  it.each([
    ['a SHA-256', HASH],
    ['one in capitals', HASH.toUpperCase()],
    ['a CID', CID]
  ])('answers %s, for ever', async (_what, name) => {
    const { status, headers, bytes } = await http.send(`/blobs/${name}`)
    expect([status, bytes]).toEqual([200, IMAGE])
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${HASH}"`,
      'x-file-hash': MD5,
      'content-type': 'image/svg+xml'
    })
  })

  it('answers an MD5, but not for ever', async () => {
    const { status, headers, bytes } = await http.send(`/blobs/${MD5}`)
    expect([status, bytes, headers['cache-control']]).toEqual([200, IMAGE, 'no-cache'])
  })

  it('names a download by what it is', async () => {
    const { headers } = await http.send(`/blobs/${HASH}?download`)
    expect(headers['content-disposition']).toContain(`filename="${HASH}.svg"`)
  })

  it('lets the client choose where several have one MD5', async () => {
    const hashes = await addTwins()
    const { status, headers, json } = await http.send(`/blobs/${'cd'.repeat(16)}`)
    expect([status, headers.location, headers['cache-control']]).toEqual([
      300,
      undefined,
      'no-cache'
    ])
    expect(json.choices).toEqual(
      hashes.map((sha256) => ({
        sha256,
        cid: cidOf(sha256),
        size: 9,
        mime_type: 'image/png',
        url: `/blobs/${sha256}`
      }))
    )
    const head = await http.send(`/blobs/${'cd'.repeat(16)}`, { method: 'HEAD' })
    expect([head.status, head.bytes.length]).toEqual([300, 0])
  })

  it('tells what is unknown from what only the trash holds', async () => {
    for (const name of ['ff'.repeat(32), 'ff'.repeat(16), cidOf(parseHash('ff'.repeat(32)))]) {
      expect((await http.send(`/blobs/${name}`)).status).toBe(404)
    }
    await removeImage('a/b.svg')
    for (const name of [HASH, MD5, CID]) {
      const headers = { 'If-None-Match': `"${HASH}"` }
      const { status, json } = await http.send(`/blobs/${name}`, { headers })
      expect([status, json.code]).toEqual([410, 'GONE'])
    }
    await removeImage('a/b.svg', { purge: true })
    expect((await http.send(`/blobs/${HASH}`)).status).toBe(404)
  })

  it('refuses what is no hash', async () => {
    for (const name of [
      '',
      'x',
      'f'.repeat(63),
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnSd7u'
    ]) {
      const { status, json } = await http.send(`/blobs/${name}`)
      expect([name, status, json.code]).toEqual([name, 400, 'BAD_HASH'])
    }
  })
})

describe('as a raw block', () => {
  it.each([
    ['the query', '?format=raw', undefined],
    ['the header', '', RAW],
    ['a list in the header', '', `application/vnd.ipld.car;q=0.1, ${RAW}`],
    ['the query over the header', '?format=raw', 'application/vnd.ipld.car']
  ])('answers what %s asks for', async (_what, query, accept) => {
    const headers = accept === undefined ? {} : { Accept: accept }
    const answer = await http.send(`/ipfs/${CID}${query}`, { headers })
    expect([answer.status, answer.bytes]).toEqual([200, IMAGE])
    expect(answer.headers).toMatchObject({
      'content-type': RAW,
      'x-ipfs-path': `/ipfs/${CID}`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${HASH}"`
    })
    expect(answer.headers['content-disposition']).toContain(`attachment; filename="${CID}.bin"`)
    const location = query === '' ? `/ipfs/${CID}?format=raw` : undefined
    expect(answer.headers['content-location']).toBe(location)
  })

  it('answers ranges of a block as what they are', async () => {
    const one = await http.send(`/ipfs/${CID}?format=raw`, { headers: { Range: 'bytes=0-3' } })
    expect([one.status, one.headers['content-type']]).toEqual([206, RAW])
    const two = await http.send(`/ipfs/${CID}?format=raw`, { headers: { Range: 'bytes=0-1,4-5' } })
    expect(two.headers['content-type']).toMatch(/^multipart\/byteranges/)
  })

  it.each([
    ['no format', '', {}, 400],
    ['anything', '', { Accept: '*/*' }, 400],
    ['a page', '', { Accept: 'text/html' }, 400],
    ['an archive', '?format=car', {}, 406],
    ['an archive by header', '', { Accept: 'application/vnd.ipld.car' }, 406]
  ])('refuses %s', async (_what, query, headers, status) => {
    const answer = await http.send(`/ipfs/${CID}${query}`, { headers })
    expect(answer.status).toBe(status)
    expect(answer.json.detail).toContain(RAW)
  })

  it('answers the probe for a gateway', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { status, bytes, headers } = await http.send('/ipfs/bafkqaaa?format=raw', { method })
      expect([status, bytes.length, headers['content-type']]).toEqual([200, 0, RAW])
    }
  })

  it('refuses other CIDs, and misses what is not here', async () => {
    const unixfs = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnSd7u'
    expect((await http.send(`/ipfs/${unixfs}?format=raw`)).status).toBe(400)
    const unknown = cidOf(parseHash('ff'.repeat(32)))
    expect((await http.send(`/ipfs/${unknown}?format=raw`)).status).toBe(404)
  })
})

describe('closed reading', () => {
  it('needs a key, and nothing is kept by shared caches', async () => {
    const closed = await startHttpNode({ options: { read: 'key' } })
    await closed.node.put('a.svg', IMAGE)
    const stranger = { Origin: 'https://evil.example' }
    for (const path of ['/images/a.svg', '/static/data/images/a.svg', `/blobs/${HASH}`]) {
      const refused = await closed.send(path, { headers: stranger })
      expect([path, refused.status]).toEqual([path, 401])
      const headers = { ...stranger, Authorization: `Bearer ${LOCAL_KEY}` }
      const admitted = await closed.send(path, { headers })
      expect(admitted.status).toBe(200)
      expect(admitted.headers['cache-control']).toMatch(/^private/)
    }
    await closed.close()
  })
})
