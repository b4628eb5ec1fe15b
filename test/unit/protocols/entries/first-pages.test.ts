import { beforeEach, expect, test } from 'vitest'
import {
  FirstPages,
  type FirstPagesParts,
  type Place
} from '../../../../protocols/entries/first-pages.ts'
import {
  PAGE_PAIRS_MAX,
  PAIRS_NODES_MAX,
  REQUESTS_OUTSTANDING_MAX
} from '../../../../protocols/entries/limits.ts'
import type { NodePlan } from '../../../../protocols/entries/plan-descent.ts'
import { EMPTY_NODE, treeKey } from '../../../../protocols/time-tree-shape.ts'

const never = new AbortController().signal
const PAGE = { refs: [], next: undefined }

let asked: string[]
let plans: NodePlan[]
let answers: number
beforeEach(() => {
  asked = []
  plans = []
  answers = PAIRS_NODES_MAX
})

/** Plans are `plans`, else pairs. */
function firstPages(
  count: number,
  size = 1,
  namesOf: FirstPagesParts['namesOf'] = async () => []
): FirstPages {
  const places: Place[] = Array.from({ length: count }, (_, at) => ({
    key: treeKey(3, (count - at) * 65_536),
    theirs: { ...EMPTY_NODE, live: size }
  }))
  const remote = {
    range: async () => {
      asked.push('range')
      return { ...PAGE, entries: [], malformed: 0 }
    },
    pairsOfMany: async (keys: readonly string[]) => {
      asked.push(`pairs of ${keys.length}`)
      return keys.slice(0, answers).map(() => PAGE)
    }
  }
  const planOf = async (place: Place) => plans[places.indexOf(place)] ?? 'pairs'
  return new FirstPages({ remote, signal: never, planOf, namesOf }, places)
}

test('small places share a request', async () => {
  const pages = firstPages(2 * PAIRS_NODES_MAX + 1)
  expect(await (await pages.take(0)).pairs).toEqual(PAGE)
  expect(asked).toEqual([
    `pairs of ${PAIRS_NODES_MAX}`,
    `pairs of ${PAIRS_NODES_MAX}`,
    'pairs of 1'
  ])
  for (let at = 1; at <= 2 * PAIRS_NODES_MAX; at++) {
    expect(await (await pages.take(at)).pairs).toEqual(PAGE)
  }
  expect(asked).toHaveLength(3)
})

test('a request asks for no more refs than its answer has room for', async () => {
  const pages = firstPages(4, PAGE_PAIRS_MAX / 2)
  await pages.take(0)
  expect(asked).toEqual(Array(4).fill('pairs of 1'))
})

test('so many requests are on their way, and others follow as places are looked at', async () => {
  plans = Array(20).fill('whole')
  const pages = firstPages(20)
  await pages.take(0)
  expect(asked).toHaveLength(REQUESTS_OUTSTANDING_MAX)
  await pages.take(1)
  expect(asked).toHaveLength(REQUESTS_OUTSTANDING_MAX + 1)
  await pages.take(9) // what lies between turned out to be settled
  expect(asked).toHaveLength(REQUESTS_OUTSTANDING_MAX + 9)
})

test('what is neither whole nor by pairs is not asked for', async () => {
  plans = ['same', 'send', 'descend', 'whole']
  const pages = firstPages(4)
  expect(await pages.take(0)).toEqual({})
  expect(asked).toEqual(['range'])
  expect((await pages.take(3)).whole).toBeDefined()
})

test('a place that the answer left out has no page', async () => {
  answers = 1
  const pages = firstPages(2)
  expect(await (await pages.take(0)).pairs).toEqual(PAGE)
  expect(await (await pages.take(1)).pairs).toBeUndefined()
})

test('names of this side are read one after the other, beside the request', async () => {
  let reading = 0
  let most = 0
  const namesOf = async () => {
    most = Math.max(most, ++reading)
    await Promise.resolve()
    reading--
    return []
  }
  const pages = firstPages(3, 1, namesOf)
  for (let at = 0; at < 3; at++) expect(await (await pages.take(at)).mine).toEqual([])
  expect(most).toBe(1)
})

test('names that can not be read are an error only where they are needed', async () => {
  const namesOf = async ({ key }: Place) => {
    if (key === treeKey(3, 65_536)) throw new Error('unreadable')
    return []
  }
  const pages = firstPages(2, 1, namesOf)
  expect(await (await pages.take(0)).mine).toEqual([])
  await expect((await pages.take(1)).mine).rejects.toThrow('unreadable')
})
