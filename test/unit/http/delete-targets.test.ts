import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import type { ImagePath } from '../../../protocols/path.ts'
import { findTargets } from '../../../src/http/delete-targets.ts'

const HASH_A = 'a'.repeat(64) as ContentHash
const HASH_B = 'b'.repeat(64) as ContentHash
const paths = (...texts: string[]) => texts as ImagePath[]

/** An index in which id 1 is one image, id 2 two, and one MD5 is that of two blobs. */
const index: Parameters<typeof findTargets>[0] = {
  image: (path) => (path === 'a.jpg' ? ({ path } as never) : undefined),
  pathsWithId: async (id) => [[], paths('a.jpg'), paths('b.jpg', 'c.jpg')][id] ?? [],
  pathsOf: async (hash) => (hash === HASH_A ? paths('a.jpg', 'copy.jpg') : paths('b.jpg')),
  hashesOf: async (md5) => (md5.startsWith('c') ? [HASH_A, HASH_B] : [HASH_A])
}

test('ids, hashes and paths of one image are one target', async () => {
  const request = { image_ids: [1], hashes: [HASH_A.toUpperCase()], paths: ['a.jpg'] }
  const targets = await findTargets(index, request)
  expect(targets).toEqual({ paths: ['a.jpg', 'copy.jpg'], notFound: [], failed: [] })
})

test('what names nothing is given back as it was sent', async () => {
  const targets = await findTargets(index, { image_ids: [0, 7], paths: ['no.jpg', '../x'] })
  expect(targets).toEqual({
    paths: [],
    notFound: [0, 7, 'no.jpg'],
    failed: [{ path: '../x', detail: expect.stringContaining('".."') }]
  })
})

test('an id of two images is refused, whatever else is named', async () => {
  const request = { image_ids: [1, 2], paths: ['a.jpg'] }
  await expect(findTargets(index, request)).rejects.toMatchObject({
    code: 'AMBIGUOUS_ID',
    message: expect.stringContaining('b.jpg, c.jpg')
  })
})

test('an MD5 of two live blobs is refused', async () => {
  const request = { hashes: ['c'.repeat(32)] }
  await expect(findTargets(index, request)).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
  const one = await findTargets(index, { hashes: ['d'.repeat(32)] })
  expect(one.paths).toEqual(['a.jpg', 'copy.jpg'])
})

test('a blob with more names than one request may delete is refused', async () => {
  const many = Array.from({ length: 100_001 }, (_, n) => `${n}.jpg` as ImagePath)
  const crowded = { ...index, pathsOf: async () => many }
  await expect(findTargets(crowded, { hashes: [HASH_A] })).rejects.toMatchObject({
    code: 'VALIDATION'
  })
})
