import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../../protocols/path.ts'
import { remove } from '../../../../src/flows/remove.ts'
import { trashRoutes } from '../../../../src/http/routes/trash.ts'
import { DAY_MS, type MemoryNode, openMemoryNode, tinyImage } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

async function ask(query: Record<string, string> = {}) {
  const server = serveRoutes(trashRoutes(node.http, node.options))
  return server.inject(`/api/trash?${new URLSearchParams(query)}`)
}

async function take(path: string, purge = false) {
  await remove(node.flows, node.options, parsePath(path), { purge })
  node.clock.advance(1000)
}

test('what was deleted and what was replaced, the latest first, with the time it has', async () => {
  await node.put('a.svg', tinyImage(1))
  await node.put('b.svg', tinyImage(2))
  node.clock.advance(1000)
  await node.put('a.svg', tinyImage(3))
  node.clock.advance(1000)
  const deletedMs = node.clock.now()
  await take('b.svg')
  const { count, next_cursor, files } = (await ask()).json()
  expect([count, next_cursor]).toEqual([2, null])
  expect(files.map(({ path, why }: Record<string, string>) => [path, why])).toEqual([
    ['b.svg', 'deleted'],
    ['a.svg', 'replaced']
  ])
  expect(files[0]).toMatchObject({
    since: new Date(deletedMs).toISOString(),
    recoverable_until: new Date(deletedMs + 7 * DAY_MS).toISOString(),
    size: tinyImage(2).length
  })
})

test('not what is gone for good, nor what lost its bytes', async () => {
  await node.put('a.svg', tinyImage(1))
  await node.put('b.svg', tinyImage(2))
  const { hash } = node.flows.index.image(parsePath('b.svg')) ?? {}
  await take('a.svg', true)
  await take('b.svg')
  await node.flows.index.change((tx) => hash && tx.setBlob(hash, { state: 'damaged' }))
  expect((await ask()).json().files).toEqual([])
})

test('not what is back already, and once what went several times', async () => {
  for (const path of ['a.svg', 'b.svg']) {
    for (let time = 0; time < 3; time++) {
      await node.put(path, tinyImage(1))
      node.clock.advance(1000)
      await take(path)
    }
  }
  await node.put('b.svg', tinyImage(1))
  const { files } = (await ask()).json()
  expect(files.map(({ path }: { path: string }) => path)).toEqual(['a.svg'])
})

test('page by page, each once', async () => {
  for (const n of [1, 2, 3, 4, 5]) {
    await node.put(`${n}.svg`, tinyImage(n))
    await take(`${n}.svg`)
  }
  const seen: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const body = (await ask({ limit: '2', ...(cursor && { cursor }) })).json()
    seen.push(...body.files.map(({ path }: { path: string }) => path))
    cursor = body.next_cursor
  }
  expect(seen).toEqual(['5.svg', '4.svg', '3.svg', '2.svg', '1.svg'])
  expect((await ask({ cursor: 'no cursor' })).statusCode).toBe(422)
})
