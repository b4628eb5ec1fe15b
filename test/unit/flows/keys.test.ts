import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeEntry, KIND_RECORD } from '../../../protocols/entry.ts'
import { versionAt } from '../../../protocols/version.ts'
import { createKey, findKey, revokeKey } from '../../../src/flows/keys.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

let a: MemoryNode
let b: MemoryNode
beforeEach(async () => {
  a = await openMemoryNode({ name: 'a', peerId: 'peer-a' })
  b = await openMemoryNode({ name: 'b', peerId: 'peer-b' })
})
afterEach(() => Promise.all([a.close(), b.close()]))

/** As the mesh does. */
async function copyRecords(from: MemoryNode, to: MemoryNode): Promise<void> {
  for await (const { name: path, value } of from.flows.index.records('key/')) {
    const version = versionAt(from.clock.now() + 1)
    const about = { deleted: false, bytes: 0, mediaType: '', createdMs: 0, replaces: undefined }
    const entry = encodeEntry({
      ...about,
      kind: KIND_RECORD,
      path,
      value,
      version,
      writer: 'peer-a'
    })
    await to.flows.index.change((tx) => tx.merge(entry, 'peer-a'))
  }
}

test('a key opens every node of a mesh with a secret, until it is revoked', async () => {
  const { key, facts } = await createKey(a.flows, 'crawler', ['write'])
  await copyRecords(a, b)
  for (const { flows } of [a, b]) {
    expect(findKey(flows.index, key)).toMatchObject({ name: 'crawler', scopes: ['write'] })
  }
  await revokeKey(a.flows.index, facts.id)
  expect(findKey(a.flows.index, key)).toBeUndefined()
})

test('where anybody may join, a key opens only the node that made it', async () => {
  const { key } = await createKey(a.flows, 'crawler', ['admin'])
  await copyRecords(a, b)
  expect(findKey(a.flows.index, key, { madeHere: true })).toMatchObject({ name: 'crawler' })
  expect(findKey(b.flows.index, key, { madeHere: true })).toBeUndefined()
})

test('a record that replaces a key made here opens nothing there', async () => {
  const mine = await createKey(a.flows, 'crawler', ['admin'])
  const theirs = await createKey(b.flows, 'thief', ['admin'])
  const path = `key/${mine.facts.id}`
  const [stolen] = await Array.fromAsync(b.flows.index.records('key/'))
  await a.flows.index.change((tx) => tx.putRecord(path, stolen?.value as Uint8Array))
  const forged = theirs.key.replace(theirs.facts.id, mine.facts.id)
  for (const key of [mine.key, theirs.key, forged]) {
    expect(findKey(a.flows.index, key, { madeHere: true })).toBeUndefined()
  }
})
