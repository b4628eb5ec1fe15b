import { afterAll, describe, expect, test } from 'vitest'
import { bytesOf, readCorpus, readPinned } from './corpus.ts'
import { FuzzedTarget } from './fuzz-target.ts'
import { TARGETS } from './targets.ts'

/** Enough to notice a reader that anything breaks; the rest is for `npm run fuzz`. */
const INPUTS = 200
/** Each of them waits for a connection. */
const CONNECTIONS = 32

const pinned = readPinned()

test('every pinned input is of a target', () => {
  const names = TARGETS.map(({ name }) => name)
  for (const { target } of pinned) expect(names).toContain(target)
})

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (name, target) => {
  const fuzzed = new FuzzedTarget(target, { seed: 1 })
  afterAll(() => fuzzed.close())

  test('takes what it was made for, and what once broke it', async () => {
    const once = pinned.filter((one) => one.target === name).map(({ input }) => bytesOf(input))
    for (const input of [...readCorpus(name), Buffer.alloc(0), ...once]) {
      expect(await fuzzed.try(input)).toBeUndefined()
    }
  })

  test('takes changed samples', async () => {
    expect(await fuzzed.run(name === 'http' ? CONNECTIONS : INPUTS)).toBeUndefined()
  })
})

test('what breaks is found, with its input', async () => {
  const fragile = { ...TARGETS[0], name: 'hash', shape: 'text' as const, open: () => ({ run }) }
  const run = (input: Buffer) => {
    if (input.length % 2 === 1) throw new TypeError('odd')
  }
  const finding = await new FuzzedTarget(fragile, { seed: 1 }).run(1000)
  expect(finding).toMatchObject({ target: 'hash', was: expect.stringContaining('odd') })
  expect(bytesOf(finding?.input ?? '').length % 2).toBe(1)
})
