import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isReshowNeeded, reshow } from '../../../src/flows/reshow.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const switchTo = async (mode: string, signal = new AbortController().signal) => {
  if (!isReshowNeeded(node.flows, mode)) return
  await reshow(node.flows, mode, { signal, total: () => {}, processed: () => {} })
}

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
  await switchTo('auto')
})
afterEach(() => node.close())

const shown = () => ['a.svg', 'b.svg'].map((name) => node.view.at(name))
const hashOf = (n: number) => digest('sha256', tinyImage(n))

test('images that came while the view was off are shown when it is on again', async () => {
  await node.put('a.svg', tinyImage(1))
  node.view.isOn = false
  await switchTo('off')
  expect(shown()).toEqual([undefined, undefined])
  await node.put('b.svg', tinyImage(2))
  node.view.isOn = true
  await switchTo('auto')
  expect(shown()).toEqual([hashOf(1), hashOf(2)])
})

test('nothing is done while the way of showing stays the same', async () => {
  await node.put('a.svg', tinyImage(1))
  await node.flows.settler.idle()
  const before = node.level.batchesWritten
  await switchTo('auto')
  expect(node.level.batchesWritten).toBe(before)
})

test('what was broken off is begun again', async () => {
  await node.put('a.svg', tinyImage(1))
  await expect(switchTo('copy', AbortSignal.abort())).rejects.toThrow()
  node.view.unlink('a.svg')
  await switchTo('copy')
  expect(shown()[0]).toBe(hashOf(1))
})
