import { expect, test } from 'vitest'
import { PAGE_PAIRS_MAX } from '../../../../protocols/entries/limits.ts'
import { EntriesClient } from '../../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../../protocols/entries/serve.ts'
import { Sides } from '../../../../protocols/entries/sides.ts'
import { EMPTY_NODE, LEAF_LEVEL, treeKey } from '../../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../../protocols/version.ts'
import { imageEntry, MemoryEntries } from '../../../support/memory-entries.ts'
import { never, servePair } from '../../../support/serve-pair.ts'

const NOW_MS = 1_700_000_000_000
const key = treeKey(LEAF_LEVEL, NOW_MS)
const burst = (count: number) =>
  Array.from({ length: count }, (_, number) => imageEntry(`${number}.png`, versionAt(NOW_MS)))

test.each([
  { what: 'as many as an answer tells', mine: 100, theirs: PAGE_PAIRS_MAX - 1, names: 100 },
  { what: 'more than one answer tells', mine: 100, theirs: PAGE_PAIRS_MAX, names: undefined },
  { what: 'many fewer', mine: 100, theirs: 10, names: undefined }
])('own names are held where the other side has $what', async ({ mine, theirs, names }) => {
  const { stream } = servePair(entriesProtocol, new MemoryEntries())
  const remote = new EntriesClient(stream)
  const local = new MemoryEntries(burst(mine))
  const sides = new Sides({ local, remote, signal: never, onMalformed: () => {} })
  const held = await sides.namesOf({ key, theirs: { ...EMPTY_NODE, live: theirs } })
  expect(held?.length).toBe(names)
})
