import { describe, expect, it } from 'vitest'
import { encodeEntry, type ImageEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import { parseHash, parseMd5 } from '../../../protocols/hash.ts'
import { versionAt } from '../../../protocols/version.ts'
import {
  describedImageShape,
  describeImage,
  imageUrl,
  viewpointOf
} from '../../../src/http/describe-image.ts'
import type { HttpParts, NodeFacts } from '../../../src/http/ports.ts'
import type { BlobRow, BlobState } from '../../../src/index/rows.ts'

const HASH = parseHash('0f'.repeat(32))
const MD5 = parseMd5('0e'.repeat(16))
const blocked = new Set<string>()
const NODE = viewpointOf({
  node: { name: 'a', peerId: 'peer-a' } as NodeFacts,
  flows: { blocks: blocked } as unknown as HttpParts['flows']
})

function entryOf(more: Partial<Parameters<typeof encodeEntry>[0]> = {}): ImageEntry {
  return encodeEntry({
    kind: KIND_IMAGE,
    path: '图/100% #1.jpg',
    deleted: false,
    version: versionAt(1_640_995_200_000) + 7n,
    writer: 'peer-a',
    hash: HASH,
    md5: MD5,
    bytes: 2048,
    mediaType: 'image/jpeg',
    createdMs: 1_640_995_100_000,
    ...more
  }) as ImageEntry
}

function rowOf(state: BlobState): BlobRow {
  return { bytes: 2048, md5: MD5, mediaType: 'image/jpeg', state, live: 1, past: 0 }
}

describe('describeImage', () => {
  it('goes by what is blocked now, not by what has become of the bytes so far', () => {
    blocked.add(HASH)
    expect(describeImage(entryOf(), rowOf('held'), NODE)).toMatchObject({
      ...{ state: 'blocked', local: false, servers: [], replicas: 0 }
    })
    blocked.delete(HASH)
    expect(describeImage(entryOf(), rowOf('blocked'), NODE).state).toBe('pending')
  })

  it('says all there is', () => {
    const row = { ...rowOf('held'), verifiedAtMs: 1_641_000_000_000 }
    const described = describeImage(
      entryOf({ width: 800, height: 600, sourceUrl: 'http://x/y' }),
      row,
      NODE
    )
    expect(described).toEqual({
      path: '图/100% #1.jpg',
      filename: '100% #1.jpg',
      size: 2048,
      hash: MD5,
      sha256: HASH,
      cid: 'bafkreiapb4hq6dypb4hq6dypb4hq6dypb4hq6dypb4hq6dypb4hq6dypb4',
      mime_type: 'image/jpeg',
      recognized: true,
      width: 800,
      height: 600,
      source_url: 'http://x/y',
      writer: 'a',
      created_at: '2021-12-31T23:58:20.000Z',
      modified_at: '2022-01-01T00:00:00.000Z',
      verified_at: '2022-01-01T01:20:00.000Z',
      state: 'ok',
      local: true,
      servers: ['a'],
      replicas: 1,
      url: '/images/%E5%9B%BE/100%25%20%231.jpg'
    })
    expect(describedImageShape.parse(described)).toEqual(described)
  })

  it.each([
    ['held', 'ok', true],
    ['wanted', 'pending', false],
    ['trashed', 'pending', false],
    ['missing', 'missing', false],
    ['damaged', 'corrupted', false]
  ] as const)('a blob that is %s makes it %s', (blob, state, local) => {
    const described = describeImage(entryOf(), rowOf(blob), NODE)
    expect(described).toMatchObject({ state, local, replicas: local ? 1 : 0 })
  })

  it('has null for what is not known', () => {
    const described = describeImage(entryOf({ writer: 'peer-b' }), undefined, NODE)
    expect(described).toMatchObject({
      width: null,
      height: null,
      source_url: null,
      verified_at: null,
      writer: 'peer-b',
      state: 'pending'
    })
  })

  it('names all who are believed to hold it, and who wrote it', () => {
    const viewpoint = { ...NODE, holdersOf: () => ['b', 'c'], nameOf: () => 'b' }
    const entry = entryOf({ writer: 'peer-b' })
    const described = describeImage(entry, rowOf('held'), viewpoint)
    expect(described).toMatchObject({ servers: ['a', 'b', 'c'], replicas: 3, writer: 'b' })
    const elsewhere = describeImage(entry, rowOf('wanted'), viewpoint)
    expect(elsewhere).toMatchObject({ servers: ['b', 'c'], replicas: 2, local: false })
  })

  it('says what no decoder knows', () => {
    const described = describeImage(
      entryOf({ mediaType: 'application/octet-stream' }),
      undefined,
      NODE
    )
    expect(described.recognized).toBe(false)
  })
})

it('makes addresses that say the path again', () => {
  for (const path of ['a.jpg', 'a b/c+d&e=f.jpg', '100%.jpg', 'ü/😀.png', "it's (1).gif"]) {
    const { pathname, search, hash } = new URL(imageUrl(path), 'http://x')
    expect([decodeURIComponent(pathname), search, hash]).toEqual([`/images/${path}`, '', ''])
  }
})
