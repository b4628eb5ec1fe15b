import { expect, test } from 'vitest'
import { versionAt } from '../../../protocols/version.ts'
import { Authors } from '../../../src/blob-sync/authors.ts'
import { imageEntry } from '../../support/memory-entries.ts'

const entryAt = (n: number) => imageEntry(`${n}.png`, versionAt(1_700_000_000_000 + n))

test('the writer of a new image is known, that of a deleted one is not', () => {
  const authors = new Authors()
  const entry = entryAt(1)
  const gone = imageEntry('gone.png', versionAt(1_700_000_000_000), { deleted: true })
  authors.note([entry, gone])
  expect(authors.of(entry.hash as never)).toBe(entry.writer)
  expect(authors.of(undefined as never)).toBeUndefined()
})
