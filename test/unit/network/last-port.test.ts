import { afterEach, expect, test } from 'vitest'
import { systemClock, systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createAdmission } from '../../../src/network/admission.ts'
import { createIdentity } from '../../../src/network/identity.ts'
import { Libp2pNetwork } from '../../../src/network/libp2p-network.ts'

const nodes: Libp2pNetwork[] = []
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop()
})

async function start(lastPort?: number): Promise<Libp2pNetwork> {
  const { identity } = await createIdentity()
  const admission = createAdmission('test', new Uint8Array(32).fill(7))
  const node = new Libp2pNetwork(
    { clock: systemClock, random: systemRandom, log: silentLog },
    { identity, admission, host: '127.0.0.1', port: undefined, lastPort, mdns: false }
  )
  nodes.push(node)
  await node.start()
  return node
}

test('the port of the last run is taken, and another one where somebody has it by now', async () => {
  const a = await start()
  const lastPort = a.port as number
  const b = await start(lastPort)
  expect([0, lastPort, undefined]).not.toContain(b.port)
  await b.dial(a.addresses(), new AbortController().signal)
  expect(b.peers()).toHaveLength(1)
  await a.stop()
  expect((await start(lastPort)).port).toBe(lastPort)
})
