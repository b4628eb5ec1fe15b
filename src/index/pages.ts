// Reading many rows without holding them all, or the event loop.

/**
 * Rows that are read at a time, between two pages the event loop is free: few at first, since many
 * readers need no more, then twice as many each time.
 */
const FIRST_PAGE_ROWS = 32
export const PAGE_ROWS_MAX = 256

interface Pageable<T> {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}

/**
 * Reads an iterator page by page, and closes it also when the reader leaves early. `firstRows`:
 * more where all are needed, since each page is a task of another thread.
 */
export async function* wholePages<T>(
  iterator: Pageable<T>,
  firstRows = FIRST_PAGE_ROWS
): AsyncGenerator<readonly T[]> {
  try {
    for (let rows = firstRows; ; rows = Math.min(2 * rows, PAGE_ROWS_MAX)) {
      const page = await iterator.nextv(rows)
      if (page.length === 0) return
      yield page
    }
  } finally {
    await iterator.close()
  }
}

/** The same, row by row. */
export async function* pages<T>(iterator: Pageable<T>, firstRows?: number): AsyncGenerator<T> {
  for await (const page of wholePages(iterator, firstRows)) yield* page
}
