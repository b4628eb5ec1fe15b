import { expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { collect } from '../../../src/flows/collect.ts'
import { announce, hasRecord, removeMember } from '../../../src/flows/members.ts'
import { MetPeers } from '../../../src/index-sync/met-peers.ts'
import { SyncedIndexes } from '../../support/synced-indexes.ts'

const PATH = parsePath('a.jpg')
const IMAGE = {
  ...{ path: PATH, hash: '01'.repeat(32) as ContentHash, md5: '01'.repeat(16) as Md5 },
  ...{ bytes: 7, mediaType: 'image/jpeg', createdMs: 1 }
}
const KEEP_MS = 86_400_000
const never = new AbortController().signal

/** Two that are connected, of which neither has told the other that it is a member. */
async function begin() {
  const mesh = new SyncedIndexes()
  const [a, b] = [await mesh.join('a'), await mesh.join('b')]
  const { clock } = mesh
  await clock.run(() => a.index.change((tx) => tx.putImage(IMAGE)))
  await clock.pass(60_000)
  expect(b.index.image(PATH)).toBeDefined()
  const forgotten = async () =>
    (await clock.run(() => collect({ ...a, clock }, { tombstonesKeepMs: KEEP_MS }, never)))
      .forgotten
  const remove = async () => {
    await clock.run(() => b.network.stop())
    await clock.run(() => a.index.change((tx) => tx.deleteImage(PATH)))
    await clock.pass(3 * KEEP_MS)
  }
  return { mesh, clock, a, b, forgotten, remove }
}

test('who got entries is waited for before its record has come, until it is removed', async () => {
  const { mesh, clock, a, forgotten, remove } = await begin()
  await remove()
  expect(await forgotten()).toBe(0)
  expect(await clock.run(() => removeMember(a.index, 'nobody'))).toBe(false)
  expect(await clock.run(() => removeMember(a.index, 'b'))).toBe(true)
  expect(await forgotten()).toBe(1)
  await mesh.close()
})

test('its record takes the place of the note: whoever is removed then is not waited for', async () => {
  const { mesh, clock, a, b, forgotten, remove } = await begin()
  const about = { id: 'b', name: 'b', database: b.index.databaseId(), addresses: [] }
  await clock.run(() => announce(b.index, about))
  await clock.pass(60_000)
  await remove()
  expect(await forgotten()).toBe(0)
  expect(await clock.run(() => removeMember(a.index, 'b'))).toBe(true)
  expect(await forgotten()).toBe(1)
  await mesh.close()
})

test('who was removed before its record had come is noted again where it comes again', async () => {
  const { mesh, clock, a } = await begin()
  const met = new MetPeers({ index: a.index, hasRecord })
  for (let times = 0; times < 2; times++) {
    await clock.run(() => met.note('c'))
    expect(a.index.meta('met')).toEqual(['b', 'c'])
    expect(await clock.run(() => removeMember(a.index, 'c'))).toBe(true)
  }
  await mesh.close()
})

test('who is not connected has got nothing, and is not waited for', async () => {
  const { mesh, clock, a } = await begin()
  await clock.run(() => a.sync.compare('nobody'))
  expect(await clock.run(() => removeMember(a.index, 'nobody'))).toBe(false)
  await mesh.close()
})
