import { expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { HandPicked } from '../../../src/mesh/hand-picked.ts'
import { settled } from '../../support/microtasks.ts'

const never = new AbortController().signal
const address = '/ip4/10.0.0.2/tcp/4001/p2p/B'

function begin() {
  const calls: string[] = []
  let left: readonly string[] = ['http://b:8000', 'http://c:8000']
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
      readJoins: () => left,
      saveJoins: async (targets) => {
        left = targets
        calls.push(`keep ${targets.join(' ')}`)
      }
    },
    { bootstrap: [], joins: ['http://b:8000', 'http://c:8000'] }
  )
  const leave = (target: string) => {
    left = [...left, target]
  }
  return { picked, calls, leave }
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

test('what is left while the node runs is met, and again until it can be', async () => {
  const { picked, calls, leave } = begin()
  leave('http://d:8000')
  await picked.follow(() => Promise.reject(new Error('not yet')))
  await picked.follow(async (target) => calls.push(`meet ${target}`))
  await picked.follow(async (target) => calls.push(`meet ${target}`))
  expect(calls).toEqual(['meet http://d:8000', 'keep http://b:8000 http://c:8000'])
})

test('what was left meanwhile is not lost when another one is met', async () => {
  const { picked, calls, leave } = begin()
  leave('http://d:8000')
  await picked.dial(['http://b:8000'], never)
  await settled()
  expect(calls.at(-1)).toBe('keep http://c:8000 http://d:8000')
})
