// A revoked key stays revoked on every node, in whatever order records come, however new they are.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, encodeEntry, KIND_RECORD } from '../../protocols/entry.ts'
import { versionAt } from '../../protocols/version.ts'
import { noteDeletedKeys } from '../../src/flows/key-revocations.ts'
import { createKey, findKey, listKeys, revokeKey, scopesOf } from '../../src/flows/keys.ts'
import { createSeal } from '../../src/seal.ts'
import { type MemoryNode, openMemoryNode } from '../support/memory-node.ts'

const seal = createSeal(() => ({ secret: new Uint8Array(32).fill(1) }))
const DAY_MS = 86_400_000

/** What a node with a wrong clock, an old backup or bad intent may write, from anywhere in time. */
const strange = fc.record({
  what: fc.constantFrom('key again', 'key gone', 'revocation gone', 'revocation rewritten'),
  atMs: fc.integer({ min: -30 * DAY_MS, max: DAY_MS / 2 }),
  writer: fc.constantFrom('peer-a', 'peer-x')
})

test('once a node has heard of a revocation the key opens nothing there any more', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(strange, { maxLength: 8 }),
      fc.array(fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), {
        minLength: 2,
        maxLength: 3
      }),
      async (strangeOnes, orders) => {
        const maker = await openMemoryNode({ peerId: 'peer-a' })
        const { key, facts, entries } = await makeAndRevoke(maker)
        const all = [...entries, ...strangeOnes.map((one) => strangeEntry(maker, one, entries))]
        const nodes = await Promise.all(orders.map((_, n) => openMemoryNode({ peerId: `n${n}` })))
        for (const [at, node] of nodes.entries()) {
          let isHeard = false
          for (const entry of shuffled(all, orders[at] as number[])) {
            await node.flows.index.change((tx) => tx.receive(entry, 'peer-x'))
            isHeard ||= entry.path.startsWith('key-revoked/')
            if (isHeard) expectShut(node, key, facts.id)
          }
          await noteDeletedKeys(node.flows.index)
          expectShut(node, key, facts.id)
          expect(await listKeys(node.flows.index)).toEqual([])
        }
        await Promise.all([maker, ...nodes].map((node) => node.close()))
      }
    ),
    { numRuns: 40 }
  )
})

async function makeAndRevoke(node: MemoryNode) {
  const entries: Entry[] = []
  node.flows.index.onNews((news) => entries.push(...news.map(({ entry }) => entry)))
  const { key, facts } = await createKey({ ...node.flows, seal }, 'crawler', ['admin'])
  expect(findKey(node.flows.index, key, seal)).toEqual(facts)
  expect(await revokeKey(node.flows.index, facts.id)).toBe(true)
  return { key, facts, entries }
}

function strangeEntry(
  { clock }: MemoryNode,
  { what, atMs, writer }: { what: string; atMs: number; writer: string },
  [made]: readonly Entry[]
): Entry {
  const { path: keyPath = '', value } = made ?? {}
  const path = what.startsWith('key') ? keyPath : keyPath.replace('key/', 'key-revoked/')
  const deleted = what.endsWith('gone')
  return encodeEntry({
    ...{ kind: KIND_RECORD, path, deleted, bytes: 0, mediaType: '', createdMs: 0, writer },
    ...(!deleted && { value: what === 'key again' ? value : Buffer.from('{}') }),
    version: versionAt(clock.now() + atMs),
    replaces: undefined
  })
}

function shuffled<T>(all: readonly T[], order: readonly number[]): T[] {
  return all
    .map((one, at) => [order[at] ?? 0, one] as const)
    .sort(([one], [other]) => one - other)
    .map(([, one]) => one)
}

function expectShut({ flows: { index } }: MemoryNode, key: string, id: string): void {
  expect(findKey(index, key, seal)).toBeUndefined()
  expect(scopesOf(index, id, seal)).toBeUndefined()
}
