import { expect, test } from 'vitest'
import { planTrash } from '../../../src/flows/plan-trash.ts'

const ask = (state: 'ok' | 'low' | 'full', free: number, trashBytes = 1000, bytesMax = 5000) =>
  planTrash({ trashBytes, bytesMax, disk: { state, free, reserved: 100 } })

test('a disk with room leaves the trash its bound', () => {
  expect(ask('ok', 900)).toBe(5000)
})

test('a disk that gets full takes what brings it back to twice its reserve', () => {
  expect(ask('low', 150)).toBe(950)
  expect(ask('full', 20)).toBe(820)
  expect(ask('full', 0, 150)).toBe(0)
  expect(ask('low', 150, 9000)).toBe(5000)
})

test('a disk that has bytes and no names left takes a little at a time', () => {
  expect(ask('full', 900)).toBe(990)
  expect(ask('full', 900, 1)).toBe(0)
})
