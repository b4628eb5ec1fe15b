import { expect, test } from 'vitest'
import { countTests } from '../../../scripts/count-tests.ts'

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((result, at) => ({ status: result, fullName: `test ${at}` }))
})
const count = (...testResults: object[]) => countTests(JSON.stringify({ testResults }))

test('passed, failed and skipped tests are counted', () => {
  const counts = count(
    file('passed', 'passed', 'pending', 'todo'),
    file('failed', 'passed', 'failed')
  )
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: ['test 1', 'test 2'] })
})

test('a file that could not be loaded is a failure', () => {
  expect(count(file('failed'), file('passed', 'passed'))).toMatchObject({ passed: 1, failed: 1 })
})
