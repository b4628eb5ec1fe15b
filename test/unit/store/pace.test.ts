import { expect, test } from 'vitest'
import { Pace } from '../../../src/store/pace.ts'

/** What each call takes, and whether it was made at once or later. */
async function callsOf(msOf: (n: number) => number, count: number): Promise<string> {
  let nowMs = 0
  const pace = new Pace({ monotonicMs: () => nowMs })
  let made = ''
  for (let n = 0; n < count; n++) {
    const call = (how: string) => {
      made += how
      nowMs += msOf(n)
    }
    await pace.run(
      () => call('n'),
      async () => call('l')
    )
  }
  return made
}

test('what is there at once is called at once, though one call had to wait for the processor', async () => {
  expect(await callsOf(() => 0.1, 300)).toBe('n'.repeat(300))
  expect(await callsOf((n) => (n % 150 === 0 ? 50 : 0.1), 600)).toBe('n'.repeat(600))
})

test('a disk of which one read brings along what the next ones ask for is slow all the same', async () => {
  for (const every of [2, 16]) {
    const made = await callsOf((n) => (n % every === 0 ? 10 : 0.1), 1000)
    expect(made.slice(0, every + 258)).toBe(`${'n'.repeat(every + 1)}${'l'.repeat(256)}n`)
    // most of the rest, too, wait elsewhere
    expect(made.match(/n/g)?.length).toBeLessThan(5 * 2 * every)
  }
})

test('a disk that is slow twice in a row holds up nobody for a while, and then is tried again', async () => {
  expect(await callsOf(() => 5, 2 + 256 + 2 + 1)).toBe(`nn${'l'.repeat(256)}nnl`)
  expect(await callsOf((n) => (n < 2 ? 5 : 0.1), 2 + 256 + 10)).toBe(
    `nn${'l'.repeat(256)}${'n'.repeat(10)}`
  )
})
