// Keys outlive an exchange of the secret of the mesh: those that are sealed with the one of before
// are noted until they are sealed with the new one, so that a crash in between costs none of them.

import { hash } from 'node:crypto'
import type { ImageIndex } from '../index/image-index.ts'
import { resealKeys, type Seal, type SealedKey, sealedKeys } from './keys.ts'

/** The row of this node with names of records, and hashes of what they said. */
const ROW = 'keys-to-seal'

/** Runs `exchange`, after which `seal` seals with the new secret. */
export async function keepKeys<T>(
  index: ImageIndex,
  seal: Seal,
  exchange: () => Promise<T>
): Promise<T> {
  const keys = await sealedKeys(index, seal)
  const noted = keys.map(({ name, value }) => [name, hash('sha256', value)])
  await index.change((tx) => tx.setMeta(ROW, noted))
  try {
    return await exchange()
  } finally {
    await sealNoted(index, seal)
  }
}

/** At start-up: what the last run did not come to. */
export async function sealNoted(index: ImageIndex, seal: Seal): Promise<void> {
  const noted = index.meta(ROW) as readonly [string, string][] | undefined
  if (noted === undefined) return
  const keys: SealedKey[] = []
  for (const [name, sum] of noted) {
    const value = index.record(name)
    if (value !== undefined && hash('sha256', value) === sum) keys.push({ name, value })
  }
  await resealKeys(index, seal, keys)
  await index.change((tx) => tx.setMeta(ROW, undefined))
}
