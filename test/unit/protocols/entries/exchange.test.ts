import { describe, expect, test } from 'vitest'
import { exchange } from '../../../../protocols/entries/exchange.ts'
import { PAGE_PAIRS_MAX } from '../../../../protocols/entries/limits.ts'
import { planNode, planPairs } from '../../../../protocols/entries/plan-descent.ts'
import { EntriesClient } from '../../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../../protocols/entries/serve.ts'
import type { ExchangedEntries } from '../../../../protocols/entries/source.ts'
import type { Entry } from '../../../../protocols/entry.ts'
import { EMPTY_NODE, type TreeKey } from '../../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../../protocols/version.ts'
import { imageEntry, MemoryEntries } from '../../../support/memory-entries.ts'
import { never, servePair } from '../../../support/serve-pair.ts'

const NOW_MS = 1_700_000_000_000
const at = (path: string, ms: number, options = {}) => imageEntry(path, versionAt(ms), options)
const burst = (count: number) =>
  Array.from({ length: count }, (_, number) => at(`b/${number}.png`, NOW_MS + (number % 100)))

/** Hears what a node of an earlier version answers: it knows nothing of further nodes. */
class OneByOne extends EntriesClient {
  override async pairsOfMany(keys: readonly TreeKey[], signal: AbortSignal) {
    return [await this.pairs(keys[0] as TreeKey, undefined, signal)]
  }
}

async function run(
  left: MemoryEntries,
  right: MemoryEntries,
  { signal = never, onApply = (_: readonly Entry[]) => {} } = {}
) {
  const served = servePair(entriesProtocol, right)
  const result = await exchange(left.asking(onApply), new EntriesClient(served.stream), signal)
  const bytes = served.stream.sent().byteLength + served.server.sent().byteLength
  return { ...result, bytes }
}

describe('an exchange', () => {
  test('of equal nodes is one small message each way', async () => {
    const entries = burst(500)
    const result = await run(new MemoryEntries(entries), new MemoryEntries(entries))
    expect(result).toMatchObject({ equal: true, rounds: 1, received: 0, sent: 0 })
    expect(result.bytes).toBeLessThan(120)
    expect(result.remote).toMatchObject({ wantsFiles: 0 })
  })

  test('of empty nodes is equal', async () => {
    expect(await run(new MemoryEntries(), new MemoryEntries())).toMatchObject({ equal: true })
  })

  test('fills an empty node, and is not forwarded as if others had it', async () => {
    const right = new MemoryEntries()
    const result = await run(new MemoryEntries(burst(300)), right)
    expect(result).toMatchObject({ equal: true, sent: 300, received: 0 })
    expect(right.pushes.map(({ sentTo }) => sentTo)).toEqual([[], []])
  })

  test('fetches what comes newest first, and applies it at once', async () => {
    const entries = Array.from({ length: 600 }, (_, day) =>
      at(`${day}.png`, NOW_MS - day * 86_400_000)
    )
    const versions: bigint[] = []
    const onApply = (applied: readonly Entry[]) =>
      versions.push(...applied.map((one) => one.version))
    const left = new MemoryEntries(entries.filter((_, day) => day % 50 === 0))
    expect(await run(left, new MemoryEntries(entries), { onApply })).toMatchObject({ equal: true })
    expect(versions).toEqual([...versions].sort((a, b) => (a > b ? -1 : 1)))
  })

  test('does not fetch what a newer entry has superseded', async () => {
    const old = Array.from({ length: 300 }, (_, day) =>
      at(`${day}.png`, NOW_MS - (day + 100) * 86_400_000)
    )
    const renewed = old.map(({ path }, number) => at(path, NOW_MS + number))
    const left = new MemoryEntries(renewed)
    const result = await run(left, new MemoryEntries(old))
    expect(result).toMatchObject({ equal: true, sent: 300, received: 0 })
    const other = await run(new MemoryEntries(old), new MemoryEntries(renewed))
    expect(other).toMatchObject({ equal: true, sent: 0, received: 300 })
  })

  test('finds one difference among many at little cost, wherever it is', async () => {
    const spread = Array.from({ length: 1000 }, (_, number) =>
      at(`s/${number}.png`, NOW_MS - number * 120_000_000)
    )
    const all = [...spread, ...burst(500)]
    for (const missing of [0, 500, 999, 1300]) {
      const left = new MemoryEntries(all.filter((_, number) => number !== missing))
      const result = await run(left, new MemoryEntries(all))
      expect(result).toMatchObject({ equal: true, received: 1, sent: 0 })
      expect(result.rounds).toBeLessThanOrEqual(8)
      expect(result.bytes).toBeLessThan(40_000)
    }
  })

  test('asks for the names of many small places together, and takes less for an answer', async () => {
    const entries = Array.from({ length: 12_000 }, (_, number) =>
      at(`${number}.png`, NOW_MS - number * 10_000)
    )
    const some = entries.filter((_, number) => number % 400 !== 3)
    const whole = new MemoryEntries(entries)
    const result = await run(new MemoryEntries(some), whole)
    expect(result).toMatchObject({ equal: true, received: 30 })
    expect(result.rounds).toBeLessThan(15)
    const { stream } = servePair(entriesProtocol, whole)
    const slow = await exchange(new MemoryEntries(some).asking(), new OneByOne(stream), never)
    expect(slow).toMatchObject({ equal: true, received: 30 })
    expect(slow.rounds).toBeGreaterThan(30)
  })

  test.each([
    { what: 'goes on to older places while new images are merged', replaces: undefined, merges: 3 },
    { what: 'waits once it knows that others are replaced', replaces: 1n, merges: 2 }
  ])('$what', async ({ replaces, merges }) => {
    const places = [0, 1, 2].flatMap((place) =>
      Array.from({ length: 200 }, (_, number) =>
        at(`${place}/${number}.png`, NOW_MS - place * 20_000_000 + number, { replaces })
      )
    )
    const left = new MemoryEntries(places.filter((_, number) => number % 200 >= 40))
    const begun = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    let merging = 0
    const asking = left.asking()
    const local: ExchangedEntries = {
      ...asking,
      merge: async (entries) => {
        if (++merging === merges) begun.resolve()
        await held.promise
        return asking.merge(entries)
      }
    }
    const { stream } = servePair(entriesProtocol, new MemoryEntries(places))
    const result = exchange(local, new EntriesClient(stream), never)
    await begun.promise
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    expect(merging).toBe(merges)
    held.resolve()
    expect(await result).toMatchObject({ equal: true, received: 120 })
  })

  test('compares a large burst by pairs, also over several pages', async () => {
    const entries = burst(PAGE_PAIRS_MAX + 200)
    const left = new MemoryEntries(entries.slice(0, -3))
    const right = new MemoryEntries(entries.slice(2))
    expect(await run(left, right)).toMatchObject({ equal: true, received: 3, sent: 2 })
  })

  test('settles entries of one path and version by two writers', async () => {
    for (const count of [10, 500]) {
      const entries = burst(count)
      const tied = entries
        .slice(0, 4)
        .map(({ path, version }) => imageEntry(path, version, { writer: 'b' }))
      const left = new MemoryEntries([...tied.slice(0, 2), ...entries.slice(2)])
      const right = new MemoryEntries([
        ...entries.slice(0, 2),
        ...tied.slice(2),
        ...entries.slice(4)
      ])
      expect(await run(left, right)).toMatchObject({ equal: true })
      expect(left.lines()).toEqual(right.lines())
    }
  })

  test('goes through roots with very many children', async () => {
    const entries = Array.from({ length: 600 }, (_, number) =>
      at(`${number}.png`, number * 2 ** 32 + 1)
    )
    const left = new MemoryEntries(entries.filter((_, number) => number % 2 === 0))
    expect(await run(left, new MemoryEntries(entries))).toMatchObject({
      equal: true,
      received: 300
    })
  })

  test('says that it is not equal when the other side has changed meanwhile', async () => {
    const right = new MemoryEntries(burst(10))
    const left = new MemoryEntries()
    let writes = 0
    const onApply = () => right.merge(at(`new${writes++}.png`, NOW_MS + 10_000_000))
    expect(await run(left, right, { onApply })).toMatchObject({ equal: false, received: 10 })
    expect(await run(left, right)).toMatchObject({ equal: true, received: 1 })
  })

  test('ends with the error of what it applies to, and with the signal', async () => {
    const onApply = () => {
      throw new Error('no disk')
    }
    await expect(
      run(new MemoryEntries(), new MemoryEntries(burst(3)), { onApply })
    ).rejects.toThrow('no disk')
    const aborter = new AbortController()
    const stop = () => aborter.abort(new Error('stopping'))
    const left = new MemoryEntries()
    const right = new MemoryEntries(burst(1000))
    const stopped = run(left, right, { onApply: stop, signal: aborter.signal })
    await expect(stopped).rejects.toThrow('stopping')
    expect(left.size).toBeLessThan(1000)
  })
})

describe('an exchange that fails', () => {
  const places = [0, 1, 2].flatMap((place) =>
    Array.from({ length: 200 }, (_, number) =>
      at(`${place}/${number}.png`, NOW_MS - place * 20_000_000 + number, { replaces: 1n })
    )
  )
  const some = places.filter((_, number) => number % 200 >= 40)
  const noDisk = async () => {
    throw new Error('no disk')
  }

  test('waits for no answer that never comes', async () => {
    let fetches = 0
    class Stalled extends MemoryEntries {
      override fetch: MemoryEntries['fetch'] = (refs) =>
        ++fetches < 4 ? super.fetch(refs) : new Promise(() => {})
    }
    const { stream } = servePair(entriesProtocol, new Stalled(places))
    const asking = { ...new MemoryEntries(some).asking(), merge: noDisk }
    const failing = exchange(asking, new EntriesClient(stream), never)
    await expect(failing).rejects.toThrow('no disk')
    expect(fetches).toBe(4)
  })

  test('reads nothing any more once it has ended', async () => {
    const reading = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    class Slow extends MemoryEntries {
      #reads = 0
      override async *pairs(...about: Parameters<MemoryEntries['pairs']>) {
        if (++this.#reads === 3) {
          reading.resolve()
          await held.promise
        }
        yield* super.pairs(...about)
      }
    }
    const { stream } = servePair(entriesProtocol, new MemoryEntries(places))
    const merge = async () => {
      await reading.promise
      return noDisk()
    }
    const asking = { ...new Slow(some).asking(), merge }
    let failure: unknown
    const failing = exchange(asking, new EntriesClient(stream), never).catch((error) => {
      failure = error
    })
    await reading.promise
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    expect(failure).toBeUndefined()
    held.resolve()
    await failing
    expect(failure).toMatchObject({ message: 'no disk' })
  })
})

describe('the plan for a node', () => {
  const node = (live: number, liveSum = BigInt(live)) => ({ ...EMPTY_NODE, live, liveSum })

  test.each([
    [node(5), node(5), 'same'],
    [node(5), EMPTY_NODE, 'send'],
    [EMPTY_NODE, node(100_000), 'whole'],
    [node(5), node(5, 1n), 'pairs'],
    [node(32), node(64), 'pairs'],
    [node(31), node(64), 'whole'],
    [node(64), node(31), 'pairs'],
    [node(64), node(64, 1n), 'pairs'],
    [node(64), node(65), 'descend'],
    [node(65), node(64), 'descend']
  ] as const)('%o against %o: %s', (mine, theirs, plan) => {
    expect(planNode(mine, theirs, false)).toBe(plan)
    expect(planNode(mine, theirs, true)).toBe(plan === 'descend' ? 'pairs' : plan)
  })

  test('pairs where many children differ', () => {
    expect(planPairs(node(1000), node(1000), 2)).toBe(false)
    expect(planPairs(node(1000), node(1000), 8)).toBe(true)
  })
})
