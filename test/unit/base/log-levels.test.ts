import { beforeEach, expect, test } from 'vitest'
import { createLog, type Log } from '../../../src/base/log.ts'
import { LOG_PARTS, LogLevels, oneLog } from '../../../src/base/log-levels.ts'

let lines: { msg: string; part?: string }[]
let log: Log
beforeEach(() => {
  lines = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  log = createLog({ level: 'info', name: 'a', destination })
})

const said = () => lines.splice(0).map(({ msg, part }) => (part ? `${part}: ${msg}` : msg))

test('a part says as much as the rest, or as it was configured', () => {
  const { parts } = new LogLevels(log, { network: 'debug', http: 'error', sync: undefined })
  for (const one of [log, parts.network, parts.http, parts.sync]) {
    one.debug('little')
    one.info('usual')
    one.error('bad')
  }
  expect(said()).toEqual([
    ...['usual', 'bad', 'network: little', 'network: usual', 'network: bad'],
    ...['http: bad', 'sync: usual', 'sync: bad']
  ])
})

test('levels change while it runs, and go back to what was configured', () => {
  const levels = new LogLevels(log, { network: 'debug' })
  const { network, http } = levels.parts
  levels.set(undefined, 'error')
  levels.set('http', 'trace')
  network.debug('1')
  http.trace('2')
  log.info('not said')
  levels.parts.store.info('not said')
  expect(said()).toEqual(['network: 1', 'http: 2'])
  expect([levels.isChanged(), levels.isChanged('http'), levels.isChanged('network')]).toEqual([
    ...[true, true, false]
  ])
  levels.set('network', 'silent')
  network.error('not said')
  levels.set('network', undefined)
  levels.set('http', undefined)
  levels.set(undefined, undefined)
  network.debug('3')
  http.debug('not said')
  http.info('4')
  expect(said()).toEqual(['network: 3', 'http: 4'])
  expect([levels.level, [...levels.own], levels.isChanged()]).toEqual([
    ...['info', [['network', 'debug']], false]
  ])
})

test('where there is one log, all parts have it', () => {
  for (const part of LOG_PARTS) expect(oneLog(log)[part]).toBe(log)
})
