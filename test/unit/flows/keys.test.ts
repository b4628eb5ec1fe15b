import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Entry, encodeEntry, KIND_RECORD } from '../../../protocols/entry.ts'
import { versionAt } from '../../../protocols/version.ts'
import { keepKeys, sealNoted } from '../../../src/flows/keep-keys.ts'
import { noteDeletedKeys } from '../../../src/flows/key-revocations.ts'
import {
  createKey,
  findKey,
  type KeyScope,
  listKeys,
  noteOwnKeys,
  resealHeard,
  resealKeys,
  revokeKey,
  type Seal,
  sealedKeys
} from '../../../src/flows/keys.ts'
import { createSeal } from '../../../src/seal.ts'
import { eventually } from '../../support/eventually.ts'
import { type MemoryNode, NO_SEAL, openMemoryNode } from '../../support/memory-node.ts'

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

const none = NO_SEAL
const secretOf = (byte: number) => new Uint8Array(32).fill(byte)
const sealOf = (byte: number) => createSeal(() => ({ secret: secretOf(byte) }))
const make = (node: MemoryNode, scopes: KeyScope[], seal: Seal) =>
  createKey({ ...node.flows, seal }, 'crawler', scopes)

test('a key opens every node of a mesh with a secret, until it is revoked', async () => {
  const { key, facts } = await make(a, ['write'], sealOf(1))
  await copyRecords(a, b)
  for (const { flows } of [a, b]) {
    expect(findKey(flows.index, key, sealOf(1))).toMatchObject({ scopes: ['write'] })
  }
  expect(findKey(b.flows.index, key, sealOf(2))).toBeUndefined()
  await revokeKey(a.flows.index, facts.id)
  expect(findKey(a.flows.index, key, sealOf(1))).toBeUndefined()
})

test('a key that was deleted by an earlier version is revoked for good, too', async () => {
  const { key, facts } = await make(a, ['write'], sealOf(1))
  const [made] = await Array.fromAsync(a.flows.index.records('key/'))
  await a.flows.index.change((tx) => tx.deleteRecord(`key/${facts.id}`))
  await noteDeletedKeys(a.flows.index)
  await a.flows.index.change((tx) => tx.putRecord(`key/${facts.id}`, made?.value as Uint8Array))
  expect(findKey(a.flows.index, key, sealOf(1))).toBeUndefined()
  expect(await sealedKeys(a.flows.index, sealOf(1))).toEqual([])
  const before = a.flows.index.root()
  await noteDeletedKeys(a.flows.index)
  expect(a.flows.index.root()).toEqual(before)
})

test('where anybody may join, a key opens only the node that made it, also later', async () => {
  const { key } = await make(a, ['admin'], none)
  await copyRecords(a, b)
  for (const seal of [none, sealOf(1)]) {
    expect(findKey(a.flows.index, key, seal)).toMatchObject({ name: 'crawler' })
    expect(findKey(b.flows.index, key, seal)).toBeUndefined()
  }
})

test('a record that replaces a key made here opens nothing there', async () => {
  const mine = await make(a, ['read'], none)
  const theirs = await make(b, ['admin'], sealOf(2))
  const path = `key/${mine.facts.id}`
  const [stolen] = await Array.fromAsync(b.flows.index.records('key/'))
  await a.flows.index.change((tx) => tx.putRecord(path, stolen?.value as Uint8Array))
  const forged = theirs.key.replace(theirs.facts.id, mine.facts.id)
  for (const key of [mine.key, theirs.key, forged]) {
    expect(findKey(a.flows.index, key, sealOf(1))).toBeUndefined()
  }
})

test('nobody widens what a key may do by writing its record anew', async () => {
  const { key, facts } = await make(a, ['read'], sealOf(1))
  const [own] = await Array.fromAsync(a.flows.index.records('key/'))
  const record = { ...JSON.parse(Buffer.from(own?.value ?? []).toString()), scopes: ['admin'] }
  const value = Buffer.from(JSON.stringify(record))
  await a.flows.index.change((tx) => tx.putRecord(`key/${facts.id}`, value))
  expect(findKey(a.flows.index, key, sealOf(1))).toBeUndefined()
})

test('keys of an index from before count as made here, once', async () => {
  const { key, facts } = await make(a, ['read'], none)
  await a.flows.index.change((tx) => tx.setMeta(`key-made-here/${facts.id}`, undefined))
  expect(findKey(a.flows.index, key, none)).toBeUndefined()
  await noteOwnKeys(a.flows.index)
  expect(findKey(a.flows.index, key, none)).toBeDefined()
  const later = await make(b, ['admin'], none)
  await copyRecords(b, a)
  await noteOwnKeys(a.flows.index)
  expect(findKey(a.flows.index, later.key, none)).toBeUndefined()
})

test('a record that is written wrongly opens nothing, and hides no other key', async () => {
  const { facts } = await make(a, ['read'], none)
  const about = { name: 'k', scopes: ['admin'], createdMs: 1, digest: '0'.repeat(64) }
  const wrong = [
    { ...about, digest: [about.digest], seal: sealOf(1)('') },
    { ...about, createdMs: 'soon' },
    { ...about, createdMs: 9e15 }
  ]
  for (const [at, record] of wrong.entries()) {
    const value = Buffer.from(JSON.stringify(record))
    await a.flows.index.change((tx) => tx.putRecord(`key/00000000000${at}`, value))
    const key = `tumesh_00000000000${at}_${'x'.repeat(43)}`
    expect(findKey(a.flows.index, key, sealOf(1))).toBeUndefined()
  }
  const listed = await listKeys(a.flows.index)
  expect(listed.map(({ id }) => id)).toContain(facts.id)
  for (const { createdMs } of listed) expect(new Date(createdMs).toISOString()).toBeDefined()
})

test('keys outlive the secret that they were sealed with', async () => {
  const [sealed, unsealed] = [await make(a, ['write'], sealOf(1)), await make(a, ['read'], none)]
  const during = createSeal(() => ({ secret: secretOf(2), former: { secret: secretOf(1) } }))
  await copyRecords(a, b)
  expect(findKey(b.flows.index, sealed.key, during)).toBeDefined()
  const keys = await sealedKeys(a.flows.index, during)
  expect(await resealKeys(a.flows.index, during, keys)).toBe(1)
  expect(await resealKeys(a.flows.index, during, keys)).toBe(0)
  a.clock.advance(1000)
  await copyRecords(a, b)
  expect(findKey(b.flows.index, sealed.key, sealOf(2))).toMatchObject({ scopes: ['write'] })
  expect(findKey(b.flows.index, sealed.key, sealOf(1))).toBeUndefined()
  expect(findKey(b.flows.index, unsealed.key, sealOf(2))).toBeUndefined()
  // one that somebody wrote anew meanwhile is not sealed for him
  const name = `key/${sealed.facts.id}`
  const late = await sealedKeys(a.flows.index, sealOf(2))
  await a.flows.index.change((tx) => tx.deleteRecord(name))
  expect(await resealKeys(a.flows.index, sealOf(3), late)).toBe(0)
  expect(a.flows.index.record(name)).toBeUndefined()
})

test('a key that comes sealed with the secret of before outlives that, too', async () => {
  const during = createSeal(() => ({ secret: secretOf(2), former: { secret: secretOf(1) } }))
  resealHeard(a.flows, during)
  const late = await make(b, ['write'], sealOf(1))
  const strange = await make(b, ['write'], sealOf(9))
  await copyRecords(b, a)
  await eventually(() => expect(findKey(a.flows.index, late.key, sealOf(2))).toBeDefined())
  expect(findKey(a.flows.index, strange.key, sealOf(2))).toBeUndefined()
})

test('a key that was revoked meanwhile is not brought back by a new seal', async () => {
  const during = createSeal(() => ({ secret: secretOf(2), former: { secret: secretOf(1) } }))
  const written: Entry[] = []
  for (const { flows } of [a, b]) {
    flows.index.onNews((news) => {
      for (const { entry, from } of news) if (from === undefined) written.push(entry)
    })
  }
  const spread = async () => {
    for (const { flows } of [a, b]) {
      await flows.index.change((tx) => written.map((entry) => tx.merge(entry, entry.writer)))
    }
  }
  const { facts, key } = await make(a, ['admin'], sealOf(1))
  await spread()
  expect(findKey(b.flows.index, key, during)).toBeDefined()
  b.clock.advance(1000)
  await revokeKey(b.flows.index, facts.id)
  a.clock.advance(60_000)
  expect(await resealKeys(a.flows.index, during, await sealedKeys(a.flows.index, during))).toBe(1)
  await spread()
  for (const { flows } of [a, b]) expect(findKey(flows.index, key, during)).toBeUndefined()
})

test('a crash after the exchange costs no key, also where the one of before ends at once', async () => {
  const { key, facts } = await make(a, ['write'], sealOf(1))
  const gone = await make(a, ['read'], sealOf(1))
  const begun = Promise.withResolvers<void>()
  void keepKeys(a.flows.index, sealOf(1), () => {
    begun.resolve()
    return new Promise(() => {}) // it never comes to what follows
  })
  await begun.promise
  await revokeKey(a.flows.index, gone.facts.id)
  await copyRecords(a, b) // as other nodes have it
  expect(findKey(b.flows.index, key, sealOf(2))).toBeUndefined()
  await sealNoted(a.flows.index, sealOf(2)) // it starts with the new one
  a.clock.advance(1000)
  await copyRecords(a, b)
  expect(findKey(b.flows.index, key, sealOf(2))).toEqual(facts)
  expect(findKey(a.flows.index, gone.key, sealOf(2))).toBeUndefined()
  expect(a.flows.index.meta('keys-to-seal')).toBeUndefined()
})

test('keys are sealed anew with the exchange, or stay as they are where it fails', async () => {
  const { key, facts } = await make(a, ['write'], sealOf(1))
  let secret = 1
  const seal = createSeal(() => ({ secret: secretOf(secret) }))
  await expect(
    keepKeys(a.flows.index, seal, () => Promise.reject(new Error('a file')))
  ).rejects.toThrow('a file')
  const exchange = async () => {
    secret = 2
    return 'done'
  }
  expect(await keepKeys(a.flows.index, seal, exchange)).toBe('done')
  await copyRecords(a, b)
  expect(findKey(b.flows.index, key, sealOf(2))).toEqual(facts)
})
