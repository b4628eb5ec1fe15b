import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exchange } from '../../protocols/entries/exchange.ts'
import { EntriesClient } from '../../protocols/entries/request.ts'
import { entriesProtocol } from '../../protocols/entries/serve.ts'
import type { Entry } from '../../protocols/entry.ts'
import { versionAt } from '../../protocols/version.ts'
import { imageEntry, MemoryEntries } from '../support/memory-entries.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { never, servePair } from '../support/serve-pair.ts'
import { BrokenStream, type Fault } from '../support/stream-pair.ts'

type Random = () => number

const NOW_MS = 1_700_000_000_000
const DAY_MS = 24 * 3600 * 1000

/** Times as they are: some in one burst, some in the last hours, some over years. */
function someTime(random: Random): number {
  const spans = [1000, 60_000, 6 * 3600_000, 200 * DAY_MS, 10_000 * DAY_MS]
  return NOW_MS - Math.floor(random() * (spans[Math.floor(random() * spans.length)] as number))
}

function someEntry(random: Random, paths: number): Entry {
  const version = versionAt(someTime(random)) + BigInt(Math.floor(random() * 3))
  const writer = random() < 0.5 ? 'a' : 'b'
  const path = `p/${Math.floor(random() * paths)}.png`
  return imageEntry(path, version, { writer, deleted: random() < 0.2 })
}

interface World {
  readonly left: MemoryEntries
  readonly right: MemoryEntries
  readonly random: Random
}

/** Two nodes that have `common` writes in common, and up to `own` each that the other lacks. */
function world(seed: number, common: number, own: number): World {
  const random = seededRandom(seed)
  const paths = 1 + Math.floor(random() * (common + own) * 2)
  const shared = Array.from({ length: Math.floor(random() * common) }, () =>
    someEntry(random, paths)
  )
  const side = () => {
    const more = Array.from({ length: Math.floor(random() ** 2 * own) }, () =>
      someEntry(random, paths)
    )
    return new MemoryEntries(random() < 0.1 ? more : [...shared, ...more])
  }
  return { left: side(), right: side(), random }
}

/** Entries that one side has and the other has not. */
function difference({ left, right }: World): number {
  const lines = [new Set(left.lines()), new Set(right.lines())] as const
  return lines[0].symmetricDifference(lines[1]).size
}

async function run(world: World, fault?: Fault) {
  const { left, right, random } = world
  const served = servePair(entriesProtocol, right, {
    random,
    bufferBytes: 1 + Math.floor(random() * 100_000),
    ...(fault !== undefined && { fault })
  })
  const client = new EntriesClient(served.stream)
  try {
    const result = await exchange(left.asking(), client, never)
    await client.end(never)
    // a connection may be lost when all is said, and only the other side notices
    if (fault === undefined) expect(await served.outcome).toBeUndefined()
    return { ...result, bytes: served.stream.sent().byteLength + served.server.sent().byteLength }
  } finally {
    served.stream.abort(new Error('done'))
    await served.outcome
  }
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 })

describe('an exchange', () => {
  test('makes both sides equal, at the cost of what differed', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const one = world(seed, 600, 300)
        const before = difference(one)
        const result = await run(one)
        // two writers with one version for one path may show only when all else is settled
        if (!result.equal) await run(one)
        expect(one.left.lines()).toEqual(one.right.lines())
        expect(result.rounds).toBeLessThanOrEqual(1 + 7 * before)
        expect(result.received + result.sent).toBeLessThanOrEqual(before)
        expect(result.bytes).toBeLessThanOrEqual(500 + 20_000 * before)
        expect(await run(one)).toMatchObject({ equal: true, rounds: 1, received: 0, sent: 0 })
      }),
      { numRuns: 40 }
    )
  })

  test('is repeated while both sides change, and then both are equal', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const one = world(seed, 300, 200)
        let writes = 40
        const write = (entries: MemoryEntries) => () => {
          if (writes === 0 || one.random() < 0.7) return
          writes--
          entries.merge(someEntry(one.random, 300))
        }
        one.left.before = write(one.left)
        one.right.before = write(one.right)
        await run(one)
        writes = 0
        let rounds = 0
        while (!(await run(one)).equal) expect(++rounds).toBeLessThan(3)
        expect(one.left.lines()).toEqual(one.right.lines())
      }),
      { numRuns: 40 }
    )
  })

  test('broken off anywhere, is begun again and loses nothing', async () => {
    const fault = fc.record({
      afterBytes: fc.oneof(fc.nat(300), fc.nat(50_000)),
      from: fc.constantFrom('left' as const, 'right' as const),
      how: fc.constantFrom('break' as const, 'end' as const)
    })
    await fc.assert(
      fc.asyncProperty(seeds, fc.array(fault, { maxLength: 3 }), async (seed, faults) => {
        const one = world(seed, 300, 200)
        const all = new MemoryEntries([...one.left.entries(), ...one.right.entries()])
        for (const at of faults) {
          await run(one, at).catch((error) => {
            if (!(error instanceof BrokenStream))
              expect(error).toMatchObject({ fault: 'TRUNCATED' })
          })
        }
        if (!(await run(one)).equal) await run(one)
        expect(one.left.lines()).toEqual(all.lines())
        expect(one.right.lines()).toEqual(all.lines())
      }),
      { numRuns: 40 }
    )
  })
})
