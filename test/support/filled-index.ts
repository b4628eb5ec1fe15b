// An index that holds something of everything, and its self-check.

import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { ImageEntry } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import type { Finding } from '../../src/index/check-scan.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import type { Transaction } from '../../src/index/transaction.ts'
import type { TestIndex } from './open-index.ts'

/** More than is read at a time. */
const IMAGES = 300
const GROUP = 10
const STAMP = { ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 }
const never = new AbortController().signal

export const hashOf = (content: string) =>
  createHash('sha256').update(content).digest('hex') as ContentHash

export function putImage(tx: Transaction, path: string, content: string): ContentHash {
  const hash = hashOf(content)
  tx.putImage({
    path: parsePath(path),
    hash,
    md5: createHash('md5').update(content).digest('hex') as Md5,
    bytes: content.length,
    mediaType: 'image/png',
    sourceUrl: `http://origin/${path}`,
    createdMs: 1
  })
  return hash
}

/** Images over some leaves and levels, shared, held, replaced and deleted ones, and records. */
export async function fill({ index, clock }: TestIndex): Promise<void> {
  for (let first = 0; first < IMAGES; first += GROUP) {
    clock.advance(first % (3 * GROUP) === 0 ? 40_000_000 : 50_000)
    await index.change((tx) => {
      for (let n = first; n < first + GROUP; n++) {
        const hash = putImage(tx, `${n}.png`, `content ${n % 200}`)
        if (n % 3 === 0) tx.setBlob(hash, { state: 'held', stamp: STAMP })
        if (n % 7 === 0) tx.deleteImage(parsePath(`${n}.png`))
        if (n % 11 === 0) tx.putRecord(`member/${n}`, Buffer.from('x'))
        if (n % 22 === 0) tx.deleteRecord(`member/${n}`)
      }
    })
  }
  while (await index.makeLookUps()) {}
  await index.change((tx) => {
    putImage(tx, '1.png', 'another')
    for (const path of ['8.png', '9.png']) {
      tx.putToReview(tx.get(parsePath(path)) as ImageEntry, 'node-b')
    }
  })
}

export async function check(index: ImageIndex): Promise<Finding[]> {
  const faults: Finding[] = []
  const found = await index.selfCheck.everything({
    signal: never,
    onFaults: (some) => faults.push(...some)
  })
  expect(found).toBe(faults.length)
  return faults
}

export const kindsOf = (faults: readonly Finding[]) =>
  [...new Set(faults.map(({ kind }) => kind))].sort()
