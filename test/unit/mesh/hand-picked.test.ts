import { expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { HandPicked } from '../../../src/mesh/hand-picked.ts'
import { settled } from '../../support/microtasks.ts'

const never = new AbortController().signal
const address = '/ip4/10.0.0.2/tcp/4001/p2p/B'

function begin() {
  const calls: string[] = []
  const network = {
    dial: async (addresses: readonly string[]) => {
      calls.push(`dial ${addresses.join(' ')}`)
      return { id: 'B' }
    }
  }
  const picked = new HandPicked(
    {
      network: network as never,
      log: silentLog,
      resolve: async (target) => {
        calls.push(`ask ${target}`)
        return [address]
      },
      merge: async (id) => {
        calls.push(`merge ${id}`)
      },
      saveJoins: async (targets) => {
        calls.push(`keep ${targets.join(' ')}`)
      }
    },
    { bootstrap: [], joins: ['http://b:8000', 'http://c:8000'] }
  )
  return { picked, calls }
}

test('whom a person named is asked for, dialled, merged with, and waits no more', async () => {
  const { picked, calls } = begin()
  await picked.dial(['http://b:8000'], never)
  await settled()
  expect(calls).toEqual(['ask http://b:8000', `dial ${address}`, 'merge B', 'keep http://c:8000'])
})

test('what others say of themselves is only dialled', async () => {
  const { picked, calls } = begin()
  await picked.dial(['http://169.254.169.254/', address], never)
  await settled()
  expect(calls).toEqual([`dial http://169.254.169.254/ ${address}`])
})
