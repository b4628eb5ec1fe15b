import { expect, test } from 'vitest'
import { encodeEntry, KIND_RECORD } from '../../../protocols/entry.ts'
import { versionAt } from '../../../protocols/version.ts'
import { planTwinSign } from '../../../src/mesh/twin-signs.ts'
import { imageEntry } from '../../support/memory-entries.ts'

const facts = { ownId: 'own', startedMs: 1000 }
const image = (ms: number, writer: string) => imageEntry('a.png', versionAt(ms), { writer })
const member = (ms: number, writer: string, addresses: string[]) =>
  encodeEntry({
    ...{ kind: KIND_RECORD, path: 'member/own', deleted: false, version: versionAt(ms), writer },
    ...{ bytes: 0, mediaType: '', createdMs: 0 },
    value: Buffer.from(JSON.stringify({ name: 'a', addresses }))
  })

test('what was written before this start, or by others, is no sign', () => {
  const entries = [image(900, 'own'), image(2000, 'other'), member(2000, 'other', [])]
  expect(planTwinSign(entries, facts)).toBeUndefined()
  expect(planTwinSign([], facts)).toBeUndefined()
})

test('what this node has not written, and somebody has in its name, is one', () => {
  expect(planTwinSign([image(2000, 'own')], facts)).toEqual({ place: undefined })
})

test.each([
  ['/ip4/10.0.0.2/tcp/4001/p2p/own', '10.0.0.2:4001'],
  ['/ip6/fd00::1/tcp/4001/p2p/own', '[fd00::1]:4001'],
  ['/dns4/b.example/tcp/4001/p2p/own', 'b.example:4001'],
  ['/unix/x/p2p/own', undefined]
])('its record says where it is: %s', (address, place) => {
  expect(planTwinSign([member(2000, 'own', [address])], facts)).toEqual({ place })
})
