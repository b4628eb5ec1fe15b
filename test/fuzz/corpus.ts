// The samples that are kept (test/fixtures/fuzz): for each target a file of real ones, and in
// pinned.json every input that once broke something.

import { readFileSync } from 'node:fs'

/** As text where it is text. */
export type Kept = string | { readonly base64: string }

export interface Pinned {
  readonly target: string
  /** What it did. */
  readonly was: string
  readonly input: Kept
}

const FOLDER = new URL('../fixtures/fuzz/', import.meta.url)

export function readCorpus(target: string): readonly Buffer[] {
  return (readJson(`${target}.json`) as readonly Kept[]).map(bytesOf)
}

export function readPinned(): readonly Pinned[] {
  return readJson('pinned.json') as readonly Pinned[]
}

export function bytesOf(kept: Kept): Buffer {
  return typeof kept === 'string' ? Buffer.from(kept) : Buffer.from(kept.base64, 'base64')
}

export function keep(bytes: Buffer): Kept {
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') }
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
}
