import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const IMAGE = tinyImage(1)
const digest = (name: string) => createHash(name).update(IMAGE).digest('hex')
const YEAR = 'max-age=31536000, immutable'

test.each([
  ['public', 0, 'no-cache', 'no-cache', `public, ${YEAR}`],
  ['public', 90_500, 'public, max-age=90', 'no-cache', `public, ${YEAR}`],
  ['key', 0, 'private, no-cache', 'private, no-cache', `private, ${YEAR}`],
  ['key', 60_000, 'private, max-age=60', 'private, no-cache', `private, ${YEAR}`]
] as const)('read: %s, path_max_age %d ms', async (read, pathMaxAgeMs, path, md5, hash) => {
  const http = await startHttpNode({ options: { read, pathMaxAgeMs } })
  await http.node.put('a.svg', IMAGE)
  const cacheControl = async (url: string) => (await http.send(url)).headers['cache-control']
  expect(await cacheControl('/images/a.svg')).toBe(path)
  expect(await cacheControl(`/blobs/${digest('md5')}`)).toBe(md5)
  expect(await cacheControl(`/blobs/${digest('sha256')}`)).toBe(hash)
  expect(await cacheControl('/images/nothing.svg')).toBe('no-store')
  await http.close()
})
