import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
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

test.each([
  ['EACCES', 'images_unshown', /\(EACCES\): let the user of this node write/],
  ['EIO', 'images_unshown_fault', /\(EIO\): look at the disk/]
])('what %s keeps from images/ is told with what helps', (error, code, text) => {
  const cause = Object.assign(new Error('failed'), { code: error })
  const fault = new NodeError('DISK_FAULT', 'The disk failed.', {}, { cause })
  node.flows.settler.unsettled.failed(parsePath('d/a.jpg'), fault)
  const details = { count: 1, path: 'd/a.jpg', error }
  expect(node.http.status()).toMatchObject({
    health: 'degraded',
    causes: [{ code, text: expect.stringMatching(text), details }]
  })
})
