import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

test('a node whose disk could not keep something is in a critical state, and says what to do', () => {
  expect(node.http.status()).toMatchObject({ health: 'healthy', reasons: [] })
  node.store.fault = new NodeError('DISK_FAULT', 'The disk failed (EIO). Look at it.')
  expect(node.http.status()).toMatchObject({
    health: 'critical',
    reasons: [expect.stringMatching(/^The disk failed \(EIO\)\. Look at it\. .*restart/)]
  })
})

test('an index that could not be written is told', async () => {
  void node.level.failNext(new Error('Input/output error'))
  await expect(node.flows.index.change((tx) => tx.setMeta('x', 1))).rejects.toThrow()
  expect(node.http.status()).toMatchObject({
    health: 'critical',
    reasons: [expect.stringContaining('The index could not be written')]
  })
})
