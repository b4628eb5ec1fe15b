import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock, systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { CounterTable } from '../../../src/network/counters.ts'
import { Lanes, type LanesOptions } from '../../../src/network/lanes.ts'

const HOST = '127.0.0.1'
const parts = { clock: systemClock, random: systemRandom, log: silentLog }

let other: Server
let taken: number
let lanes: Lanes | undefined
beforeEach(async () => {
  other = createServer().listen(0, HOST)
  await once(other, 'listening')
  taken = (other.address() as AddressInfo).port
})
afterEach(async () => {
  await lanes?.stop()
  other.close()
})

async function start(options: Omit<LanesOptions, 'host'>): Promise<number | undefined> {
  lanes = new Lanes({ ...parts, counters: new CounterTable(parts) }, { host: HOST, ...options })
  await lanes.start()
  return lanes.port
}

test('the port of the last run is taken again, or another one where somebody has it', async () => {
  const port = await start({ port: undefined, lastPort: taken })
  expect(port).toBeGreaterThan(0)
  expect(port).not.toBe(taken)
  await lanes?.stop()
  expect(await start({ port: undefined, lastPort: port })).toBe(port)
})

test('a port that a person has set is that one or none', async () => {
  const starting = start({ port: taken, lastPort: undefined })
  await expect(starting).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})
