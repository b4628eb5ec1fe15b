// Self-check of the past versions: each grows old, unless it waits for a person to decide on it.

import { type Check, type Finding, pagesOf, SLICE_ROWS, valuesOf } from './check-scan.ts'
import type { Ledger } from './ledger.ts'
import { encodePast } from './past.ts'
import { readPast } from './read-entry.ts'
import type { ReviewRow } from './rows.ts'
import { keys } from './tables.ts'

export const checkPast: Check = async (scan, from) => {
  const findings: Finding[] = []
  let last: string | undefined
  let rows = 0
  for await (const page of pagesOf(scan, 'past', { gte: from, limit: SLICE_ROWS })) {
    const readable = page.flatMap(([key, bytes]) => {
      const past = readPast(bytes)
      return past === undefined
        ? []
        : [{ key, path: past.entry.path, age: keys.age(past.sinceMs, key) }]
    })
    const ages = await valuesOf(
      scan,
      'age',
      readable.map(({ age }) => age)
    )
    const reviews = await valuesOf(
      scan,
      'review',
      readable.map(({ path }) => path)
    )
    for (const [at, { key }] of readable.entries()) {
      const isInReview = (reviews[at] as ReviewRow | undefined)?.past === key
      const growsOld = ages[at] !== undefined
      if (growsOld === isInReview) findings.push(wrongAge(key))
    }
    rows += page.length
    last = page.at(-1)?.[0]
  }
  return { findings, next: rows < SLICE_ROWS ? undefined : `${last}\0` }
}

function wrongAge(key: string): Finding {
  return {
    kind: 'look_up',
    subject: `age of past version ${key}`,
    mend: (ledger) => mendAge(ledger, key)
  }
}

/** What has no age begins to grow old now: damage of the index lets nothing go early. */
function mendAge({ rows, nowMs }: Ledger, key: string): boolean {
  const past = readPast(rows.get('past', key))
  if (past === undefined) return false
  const { entry, sinceMs } = past
  const review = rows.get('review', entry.path) as ReviewRow | undefined
  const isInReview = review?.past === key
  const age = keys.age(sinceMs, key)
  const growsOld = rows.get('age', age) !== undefined
  if (growsOld !== isInReview) return false
  if (growsOld) rows.put('age', age, undefined)
  else {
    rows.put('past', key, encodePast({ entry, sinceMs: nowMs }))
    rows.put('age', keys.age(nowMs, key), '')
  }
  return true
}
