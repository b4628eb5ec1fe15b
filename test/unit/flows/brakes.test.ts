import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { Brakes } from '../../../src/flows/brakes.ts'
import { expire } from '../../../src/flows/expire.ts'
import { releaseIfBack } from '../../../src/flows/find-again.ts'
import { remove } from '../../../src/flows/remove.ts'
import { createBlobSource } from '../../../src/flows/serve-blobs.ts'
import { verifyBlob } from '../../../src/flows/verify-blob.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { eventually } from '../../support/eventually.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { DAY_MS, type MemoryNode, tinyImage } from '../../support/memory-node.ts'

const IMAGES = 150
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash
const pathOf = (n: number) => parsePath(`${n}.svg`)
const never = new AbortController().signal

let http: HttpNode
let node: MemoryNode
beforeEach(async () => {
  http = await startHttpNode()
  node = http.node
  for (let n = 0; n < IMAGES; n++) await node.put(pathOf(n), tinyImage(n))
  await node.flows.settler.idle()
})
afterEach(async () => {
  await node.flows.settler.idle()
  expect(await auditIndex(node.database)).toEqual([])
  await http.close()
})

const removeOne = (n: number) => remove(node.flows, { trashKeepMs: DAY_MS }, pathOf(n))
const decide = (body: unknown) =>
  http.send('/api/brakes', { method: 'POST', body: JSON.stringify(body) })
const brake = async () => (await http.send('/api/brakes')).json.brakes[0]

async function removeMany(count: number): Promise<number> {
  let removed = 0
  for (let n = 0; n < count; n++) {
    try {
      await removeOne(n)
      removed++
    } catch (error) {
      expect(error).toMatchObject({ code: 'BRAKE_ENGAGED' })
    }
  }
  return removed
}

describe('masses of deletions', () => {
  test('stop, are told with the token, and go on once confirmed', async () => {
    expect(await removeMany(IMAGES)).toBe(100)
    const { status, json } = await http.send('/images/149.svg', { method: 'DELETE' })
    expect([status, json.code]).toEqual([409, 'BRAKE_ENGAGED'])
    const { token, ...engaged } = await brake()
    expect(engaged).toMatchObject({ kind: 'changes', count: 100, of: IMAGES })
    expect(json.detail).toContain(token)
    const { json: state } = await http.send('/api/storage-status')
    expect(state.status).toBe('critical')
    expect(state.status_reasons.join()).not.toContain(token)
    expect((await decide({ token: 'another' })).status).toBe(404)
    expect((await decide({ token })).status).toBe(200)
    expect(await removeMany(IMAGES)).toBe(IMAGES)
    expect(await brake()).toBeUndefined()
  })

  test('of one image over and over are no mass', async () => {
    for (let n = 0; n < IMAGES; n++) await node.put(pathOf(1), tinyImage(1000 + n))
    expect(await brake()).toBeUndefined()
  })

  test('of an ordinary pace do not', async () => {
    for (let n = 0; n < IMAGES; n++) {
      await removeOne(n)
      node.clock.advance(1000)
    }
    expect(await brake()).toBeUndefined()
  })

  test('are undone as a whole', async () => {
    await removeMany(IMAGES)
    const { token } = await brake()
    const { json } = await decide({ token, action: 'undo' })
    const { tasks } = node.http
    await eventually(() => expect(tasks.get(json.task_id)?.status).toBe('completed'))
    expect(tasks.get(json.task_id)?.result).toEqual({ restored: 100, failed: 0, unblocked: 0 })
    expect(node.flows.index.counts().images).toBe(IMAGES)
    for (let n = 0; n < IMAGES; n++) expect(node.view.at(pathOf(n))).toBe(hashOf(n))
  })

  test('keep the trash while nobody has looked, also over a restart', async () => {
    await removeMany(IMAGES)
    node.clock.advance(30 * DAY_MS)
    const options = { trashKeepMs: DAY_MS, trashBytesMax: 0 }
    expect(await expire(node.flows, options, never)).toBe(0)
    const restarted = new Brakes(node.flows)
    expect(restarted.engaged('changes')).toMatchObject({ count: 100 })
    await node.flows.brakes.release('changes', { how: 'confirm' })
    expect(await expire(node.flows, options, never)).toBe(100)
  })

  test('by another server are taken into the index, and engage the brake', async () => {
    const { index } = node.flows
    await index.change((tx) => {
      for (let n = 0; n < IMAGES; n++) {
        const about = { kind: KIND_IMAGE, path: pathOf(n), writer: 'b', createdMs: 1, bytes: 0 }
        const version = versionAt(node.clock.now() + 1000)
        tx.receive(encodeEntry({ ...about, deleted: true, mediaType: '', version }), 'b')
      }
    })
    expect(index.counts().images).toBe(0)
    expect(await brake()).toMatchObject({ kind: 'changes', count: IMAGES })
  })

  test('confirmed while that they stop is still being written stay confirmed', async () => {
    const { brakes, index } = node.flows
    const gate = Promise.withResolvers<void>()
    await removeMany(99)
    node.level.pause = async () => {
      if (brakes.engaged('changes') !== undefined) await gate.promise
    }
    await removeOne(99)
    expect(brakes.engaged('changes')).toBeDefined()
    const released = brakes.release('changes', { how: 'confirm' })
    gate.resolve()
    await released
    await index.change(() => {})
    expect(brakes.engaged('changes')).toBeUndefined()
  })

  test('that replace images stop too; new images are taken', async () => {
    let refused = 0
    for (let n = 0; n < IMAGES; n++) {
      await node.put(pathOf(n), tinyImage(1000 + n)).catch(() => refused++)
    }
    expect(refused).toBe(IMAGES - 100)
    await node.put('new.svg', tinyImage(7000))
    await node.put(pathOf(IMAGES - 1), tinyImage(IMAGES - 1)) // as it is
  })
})

describe('masses of files that are gone', () => {
  const verifyAll = async () => {
    for (let n = 0; n < IMAGES; n++) await verifyBlob(node.flows, hashOf(n))
  }
  const losses = () => node.flows.index.counts().missingImages

  test('stop: the rest is not called lost, nothing is taken in and nothing claimed', async () => {
    const { moveTo, placeOf } = node.store
    for (let n = 0; n < IMAGES; n++) await moveTo.call(node.store, hashOf(n), 'trash')
    node.store.placeOf = () => undefined
    await verifyAll()
    expect(losses()).toBe(99)
    expect(await brake()).toMatchObject({ kind: 'loss', count: 100, of: IMAGES })
    const source = createBlobSource(node.flows)
    expect(await source.have(hashOf(IMAGES - 1))).toBe(false)
    const { status } = await http.send('/images/new.svg', {
      method: 'PUT',
      body: Buffer.from(tinyImage(7000))
    })
    expect(status).toBe(409)
    await node.clock.run(() => releaseIfBack(node.flows, never))
    expect(await brake()).toMatchObject({ kind: 'loss' })
    // the disk is mounted again
    node.store.placeOf = placeOf
    for (let n = 0; n < IMAGES; n++) await moveTo.call(node.store, hashOf(n), 'blobs')
    await node.clock.run(() => releaseIfBack(node.flows, never))
    expect(await brake()).toBeUndefined()
    expect(losses()).toBe(0)
    expect(await source.have(hashOf(IMAGES - 1))).toBe(true)
  })

  test('can be confirmed: then they are lost', async () => {
    for (let n = 0; n < IMAGES; n++) node.store.lose(hashOf(n))
    await verifyAll()
    const { token } = await brake()
    expect((await decide({ token, action: 'undo' })).status).toBe(422)
    expect((await decide({ token, action: 'confirm' })).status).toBe(200)
    await verifyAll()
    expect(losses()).toBe(IMAGES)
  })
})
