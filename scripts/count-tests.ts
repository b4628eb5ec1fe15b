// Prints "N passed, N failed, N skipped" from vitest's JSON report, and fails unless all that ran
// passed. node scripts/count-tests.ts REPORT

import { readFileSync } from 'node:fs'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly string[]
}

/** A file that could not be loaded counts as one failed test. */
export function countTests(text: string): Counts {
  const { testResults } = JSON.parse(text) as Report
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every(({ status: test }) => test !== 'failed')
  )
  const passed = tests.filter(({ status }) => status === 'passed').length
  const failed = tests.filter(({ status }) => status === 'failed').length + broken.length
  const others = tests.filter(({ status }) => status !== 'passed' && status !== 'failed')
  return { passed, failed, skipped: others.map(({ fullName }) => fullName) }
}

if (import.meta.main) {
  const { passed, failed, skipped } = countTests(readFileSync(process.argv[2] ?? '', 'utf8'))
  for (const name of skipped) console.error(`skipped: ${name}`)
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
  process.exitCode = failed + skipped.length > 0 || passed === 0 ? 1 : 0
}
