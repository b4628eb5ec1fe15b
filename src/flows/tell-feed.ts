// What the feed hears of: changes of the index, whoever made them, and damage and its repair.

import { type Entry, isImage, isTombstone } from '../../protocols/entry.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { News } from '../index/transaction.ts'
import type { Feed } from './feed.ts'
import type { Journal, JournalLine } from './journal.ts'

export interface ToldParts {
  readonly feed: Feed
  readonly index: Pick<ImageIndex, 'onNews'>
  readonly journal: Pick<Journal, 'onLine'>
}

/** To be called once, before anything happens. */
export function tellFeed({ feed, index, journal }: ToldParts): void {
  index.onNews((news) => {
    for (const one of news) tellNews(feed, one)
  })
  journal.onLine((line) => tellLine(feed, line))
}

function tellNews(feed: Feed, { entry, from }: News): void {
  const { path, writer } = entry
  const source = { writer, from: from ?? null }
  if (isImage(entry)) feed.tell('entry', { ...factsOf(entry), ...source })
  else if (isTombstone(entry)) feed.tell('deleted', { path, ...source })
}

function factsOf({ path, hash, bytes }: Entry): Record<string, string | number | null> {
  return { path, sha256: hash ?? null, size: bytes }
}

function tellLine(feed: Feed, { event, path, sha256, note }: JournalLine): void {
  const facts = { path: path ?? null, sha256: sha256 ?? null }
  if (event === 'healed') feed.tell('repaired', facts)
  else if (event === 'damaged' || event === 'missing') {
    feed.tell('damaged', { ...facts, state: event, reason: note ?? null })
  }
}
