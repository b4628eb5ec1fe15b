import { expect, test } from 'vitest'
import { createLog } from '../../../src/base/log.ts'
import { TwinWatch } from '../../../src/network/twin-watch.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('a twin is told of while it is there, and said once', () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const clock = new ManualClock()
  const log = createLog({ level: 'info', name: 'a', destination })
  const twins = new TwinWatch({ log, clock })
  expect(twins.fault).toBe(undefined)
  for (let n = 1; n <= 20; n++) {
    twins.met(`10.0.0.${n}:4001`)
    clock.advance(5000)
  }
  expect(twins.fault).toContain('10.0.0.20:4001')
  expect(lines).toHaveLength(1)
  twins.met()
  expect(twins.fault).toContain('10.0.0.20:4001')
  clock.advance(60_001)
  expect(twins.fault).toBe(undefined)
  twins.met()
  expect(twins.fault).toMatch(/^Another node has the identity.*Stop one of the two.*identity\.key/)
})
