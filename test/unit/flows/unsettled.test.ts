import { expect, test } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import { Unsettled } from '../../../src/flows/unsettled.ts'

const cause = Object.assign(new Error('denied'), { code: 'EACCES' })
const FAULT = new NodeError('DISK_FAULT', 'The disk failed.', { system: 'EACCES' }, { cause })
const STEPS = Array.from({ length: 5000 }, (_, n) => `${n}.jpg`)

test('however many steps fail, and however often, few are logged until all are done', () => {
  const logged: string[] = []
  const unsettled = new Unsettled<string>((subject) => logged.push(subject))
  for (let round = 0; round < 3; round++) {
    for (const step of STEPS) unsettled.failed(step, FAULT)
  }
  expect(logged).toEqual(STEPS.slice(0, 100))
  expect(unsettled.obstacle).toEqual({ count: 5000, subject: '4999.jpg', error: 'EACCES' })
  for (const step of STEPS.slice(1)) unsettled.done(step)
  expect(unsettled.obstacle?.count).toBe(1)
  unsettled.done('0.jpg')
  unsettled.done('0.jpg')
  expect(unsettled.obstacle).toBeUndefined()
  unsettled.failed('0.jpg', FAULT)
  expect(logged.length).toBe(101)
})

test('what was broken off has not failed yet, and what fails otherwise is no fault of the disk', () => {
  const logged: string[] = []
  const unsettled = new Unsettled<string>((subject) => logged.push(subject))
  unsettled.brokenOff('a.jpg')
  expect([unsettled.has('a.jpg'), unsettled.obstacle]).toEqual([true, undefined])
  unsettled.failed('a.jpg', new NodeError('READ_ONLY', 'The marker is gone.'))
  expect([logged, unsettled.obstacle]).toEqual([['a.jpg'], undefined])
  unsettled.done('a.jpg')
  expect(unsettled.has('a.jpg')).toBe(false)
})
