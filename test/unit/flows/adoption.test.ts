import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { Allowance } from '../../../src/base/allowance.ts'
import { Adoption, type AdoptionOptions } from '../../../src/flows/adoption.ts'
import { LeftFiles } from '../../../src/flows/left-files.ts'
import { LATE_MS, QUIET_AGAIN_MS, QUIET_MS } from '../../../src/flows/plan-adopt.ts'
import { remove } from '../../../src/flows/remove.ts'
import { MemoryImages } from '../../support/memory-images.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const MINUTE_MS = 60_000

let node: MemoryNode
let images: MemoryImages
let adoption: Adoption
let isCurrent: boolean
let ring: (name: string | undefined) => void
beforeEach(async () => {
  node = await openMemoryNode()
  images = new MemoryImages(node)
  isCurrent = true
  start()
})
afterEach(async () => {
  await adoption.stop()
  await node.close()
})

function start(options: Partial<AdoptionOptions> = {}): void {
  adoption = new Adoption(
    {
      flows: node.flows,
      found: images,
      ...{ left: new LeftFiles(), allowance: new Allowance(1000) },
      isCurrent: () => isCurrent,
      openBell: (onRing) => {
        ring = onRing
        return { watch: () => {}, close: () => {} }
      }
    },
    { ingest: node.options.ingest, changed: 'version', intervalMs: MINUTE_MS, ...options }
  )
  adoption.start()
}

/** Lets so much time pass, and the node do what it does meanwhile. */
async function pass(ms: number, stepMs = 50): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    for (let n = 0; n < 8; n++) await new Promise((resolve) => setImmediate(resolve))
    node.clock.advance(Math.min(left, stepMs))
  }
  for (let n = 0; n < 30; n++) await new Promise((resolve) => setImmediate(resolve))
  await node.flows.settler.idle()
}

const hashOf = (bytes: Uint8Array) => digest('sha256', bytes) as ContentHash
const image = (path: string) => node.flows.index.image(parsePath(path))
const ONE = hashOf(tinyImage(1))
const TWO = hashOf(tinyImage(2))

/** Past the first scan, so that only bells and later ones see what comes. */
const settleDown = () => pass(200)

describe('a new file', () => {
  test('is an image as soon as it is quiet, and its own file only after a minute', async () => {
    await settleDown()
    images.write('d/a.svg', tinyImage(1))
    ring('d/a.svg')
    await pass(QUIET_MS - 100)
    expect(image('d/a.svg')).toBeUndefined()
    await pass(300)
    expect(image('d/a.svg')?.hash).toBe(ONE)
    expect(node.flows.index.blob(ONE)?.state).toBe('held')
    await pass(LATE_MS - 3000, 1000)
    expect(node.view.at('d/a.svg')).toBe('foreign')
    await pass(LATE_MS + 5000, 1000)
    expect(node.view.at('d/a.svg')).toBe(ONE)
    expect(node.view.setAside).toEqual([])
    expect(node.flows.index.counts()).toMatchObject({ images: 1, trashBlobs: 0 })
  })

  test('is found without a bell, by the next scan', async () => {
    await settleDown()
    images.write('a.svg', tinyImage(1))
    await pass(MINUTE_MS + 2000, 500)
    expect(image('a.svg')?.hash).toBe(ONE)
  })

  test('is found in a folder that came with it', async () => {
    await settleDown()
    images.write('new/deep/a.svg', tinyImage(1))
    ring('new')
    await pass(1500)
    expect(image('new/deep/a.svg')?.hash).toBe(ONE)
  })

  test('that is old is shown at once', async () => {
    images.write('a.svg', tinyImage(1), 2 * MINUTE_MS)
    await settleDown()
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([ONE, ONE])
  })

  test('waits for what other servers have to tell of deletions', async () => {
    await adoption.stop()
    isCurrent = false
    start()
    images.write('a.svg', tinyImage(1), 2 * MINUTE_MS)
    await pass(5000, 500)
    expect(image('a.svg')).toBeUndefined()
    isCurrent = true
    await pass(2000, 500)
    expect(image('a.svg')?.hash).toBe(ONE)
  })

  test('that is hidden, or says that it is not complete, is left alone', async () => {
    await settleDown()
    for (const name of ['.a.svg', 'a.svg.part', '.d/a.svg']) {
      images.write(name, tinyImage(1), 2 * MINUTE_MS)
      ring(name)
    }
    await pass(2 * MINUTE_MS, 1000)
    expect([node.flows.index.counts().images, images.opened]).toEqual([0, 0])
  })

  test('that is no image is read once, and again when it changes', async () => {
    images.write('a.svg', Buffer.from('<!doctype html><html></html>'), 2 * MINUTE_MS)
    await pass(5 * MINUTE_MS, 5000)
    expect(images.opened).toBe(1)
    images.write('a.svg', tinyImage(1), 2 * MINUTE_MS)
    await pass(2 * MINUTE_MS, 5000)
    expect(image('a.svg')?.hash).toBe(ONE)
  })
})

describe('a writer that goes on', () => {
  test('while it is being looked at makes one image, not many', async () => {
    await settleDown()
    images.write('a.svg', tinyImage(1))
    ring('a.svg')
    for (let n = 0; n < 20; n++) {
      await pass(500)
      images.append('a.svg', Buffer.from(`<!--${n}-->`))
    }
    expect(image('a.svg')).toBeUndefined()
    await pass(1500)
    expect(node.flows.index.counts()).toMatchObject({ images: 1, trashBlobs: 0 })
  })

  test('after its file was taken in makes a new version, after a longer quiet', async () => {
    await settleDown()
    images.write('a.svg', tinyImage(1))
    ring('a.svg')
    await pass(1500)
    images.append('a.svg', Buffer.from('<!-- more -->'))
    ring('a.svg')
    const whole = hashOf(Buffer.concat([tinyImage(1), Buffer.from('<!-- more -->')]))
    await pass(QUIET_AGAIN_MS - 500, 500)
    expect(image('a.svg')?.hash).toBe(ONE)
    await pass(2000)
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([whole, 'foreign'])
    await pass(3 * LATE_MS, 5000)
    expect(node.view.at('a.svg')).toBe(whole)
    expect(node.view.setAside).toEqual([])
  })

  test('heals the image when what was taken in is lost meanwhile', async () => {
    await settleDown()
    images.write('a.svg', tinyImage(1))
    ring('a.svg')
    await pass(1500)
    await node.store.quarantine(ONE)
    await node.flows.index.change(async (tx) => {
      tx.setBlob(ONE, { state: 'damaged' })
      await tx.intendViews(ONE)
    })
    await node.flows.settler.settleViews(ONE)
    await pass(2 * MINUTE_MS, 5000)
    expect(node.flows.index.blob(ONE)?.state).toBe('held')
    expect(node.view.setAside).toEqual([])
  })
})

describe('a file at the place of an image', () => {
  beforeEach(async () => {
    await node.put('a.svg', tinyImage(1))
    await settleDown()
  })

  test('is a new version', async () => {
    node.clock.advance(1000)
    images.write('a.svg', tinyImage(2))
    ring('a.svg')
    await pass(1500)
    expect(image('a.svg')?.hash).toBe(TWO)
    expect((await node.flows.index.past(parsePath('a.svg'), 9)).length).toBe(1)
  })

  test('is set aside when it is older', async () => {
    images.write('a.svg', tinyImage(2), 2 * MINUTE_MS)
    ring('a.svg')
    await pass(500)
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([ONE, ONE])
    expect(node.view.setAside).toEqual(['a.svg'])
  })

  test('with the same bytes changes nothing, however old', async () => {
    const { version } = image('a.svg') ?? {}
    images.write('a.svg', tinyImage(1), 2 * MINUTE_MS)
    ring('a.svg')
    await pass(500)
    expect([image('a.svg')?.version, node.view.at('a.svg')]).toEqual([version, ONE])
    expect(node.view.setAside).toEqual([])
  })

  test.each([
    ['a page', '<!doctype html><html></html>'],
    ['no image', 'some bytes']
  ])('is damage when it is %s', async (_what, text) => {
    images.write('a.svg', Buffer.from(text))
    ring('a.svg')
    await pass(1500)
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([ONE, ONE])
    expect(node.view.setAside).toEqual(['a.svg'])
  })

  test('is damage when it stays empty', async () => {
    images.write('a.svg', Buffer.alloc(0))
    ring('a.svg')
    await pass(2000)
    expect(node.view.at('a.svg')).toBe('foreign')
    await pass(3 * MINUTE_MS, 5000)
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([ONE, ONE])
  })

  test('is damage where images are not changed by files', async () => {
    await adoption.stop()
    start({ changed: 'repair' })
    images.write('a.svg', tinyImage(2), -1)
    await pass(1500)
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([ONE, ONE])
    expect(node.view.setAside).toEqual(['a.svg'])
  })

  test('waits while changes are stopped', async () => {
    const { index } = node.flows
    const token = { token: 't', kind: 'changes', reason: '', count: 1, of: 1 }
    await index.change((tx) => tx.setMeta('brake/changes', token))
    images.write('a.svg', tinyImage(2), -1)
    ring('a.svg')
    await pass(2 * MINUTE_MS, 1000)
    expect([image('a.svg')?.hash, node.view.at('a.svg')]).toEqual([ONE, 'foreign'])
    await node.flows.brakes.release('changes', { how: 'confirm' })
    await pass(2 * MINUTE_MS, 1000)
    expect(image('a.svg')?.hash).toBe(TWO)
  })
})

describe('a deleted path', () => {
  beforeEach(async () => {
    await node.put('a.svg', tinyImage(1))
    node.clock.advance(1000)
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
    await settleDown()
  })

  test('does not come to life by a file that is older', async () => {
    images.write('a.svg', tinyImage(1), 5000)
    ring('a.svg')
    await pass(2000)
    expect([image('a.svg')?.path, node.view.at('a.svg')]).toEqual([undefined, undefined])
    expect(node.view.setAside).toEqual(['a.svg'])
  })

  test('does by one that is newer', async () => {
    images.write('a.svg', tinyImage(1))
    ring('a.svg')
    await pass(2000)
    expect(image('a.svg')?.hash).toBe(ONE)
  })
})

describe('a file that somebody removed', () => {
  test('is shown again, with time for whoever is replacing it', async () => {
    await node.put('a.svg', tinyImage(1))
    await settleDown()
    images.remove('a.svg')
    ring('a.svg')
    await pass(9000, 500)
    expect(node.view.at('a.svg')).toBeUndefined()
    await pass(2000, 500)
    expect(node.view.at('a.svg')).toBe(ONE)
  })

  test('is shown again by a scan, and after a start at once, if not too many are gone', async () => {
    await node.put(`${'x'.repeat(300)}.svg`, tinyImage(1))
    for (let n = 0; n < 39; n++) await node.put(`${n}.svg`, tinyImage(n))
    await settleDown()
    for (const name of node.view.names()) images.remove(name)
    await pass(MINUTE_MS + 12_000, 1000)
    expect(node.view.names()).toHaveLength(40)
    await adoption.stop()
    for (const name of node.view.names()) images.remove(name)
    start()
    await pass(20, 1)
    expect([node.view.names().length > 1, node.view.names().length < 20]).toEqual([true, true])
    await pass(200)
    expect(node.view.names()).toHaveLength(40)
  })

  test('of its own is shown though its minute is not over', async () => {
    await settleDown()
    images.write('a.svg', tinyImage(1))
    ring('a.svg')
    await pass(1500)
    images.remove('a.svg')
    ring('a.svg')
    await pass(12_000, 500)
    expect(node.view.at('a.svg')).toBe(ONE)
  })

  test('stays gone when its image was deleted', async () => {
    await node.put('a.svg', tinyImage(1))
    await settleDown()
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
    ring('a.svg')
    await pass(2 * MINUTE_MS, 5000)
    expect(node.view.names()).toEqual([])
  })
})

test('an image that was deleted while its writer had it open is gone, its file set aside', async () => {
  await settleDown()
  images.write('a.svg', tinyImage(1))
  ring('a.svg')
  await pass(1500)
  node.clock.advance(1000)
  await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath('a.svg'))
  await pass(3 * MINUTE_MS, 5000)
  expect([image('a.svg')?.path, node.view.names()]).toEqual([undefined, []])
})

test('more names than can wait are found by a scan that comes soon', async () => {
  await settleDown()
  for (let n = 0; n < 30; n++) images.write(`${n}.svg`, tinyImage(n), 2 * MINUTE_MS)
  ring(undefined)
  await pass(3000, 100)
  expect(node.flows.index.counts().images).toBe(30)
})
