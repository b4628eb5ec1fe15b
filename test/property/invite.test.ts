import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, test } from 'vitest'
import {
  decodeInvite,
  encodeInvite,
  INVITE_ADDRESSES_MAX,
  INVITE_CHARACTERS_MAX,
  INVITE_PREFIX,
  type Invite,
  isInvite
} from '../../protocols/invite.ts'
import { WireError } from '../../protocols/wire-error.ts'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const peerId = fc
  .array(fc.constantFrom(...BASE58), { minLength: 44, maxLength: 44 })
  .map((letters) => `12D3KooW${letters.join('')}`)
const address = fc
  .tuple(
    fc.oneof(
      fc.ipV4().map((ip) => `/ip4/${ip}`),
      fc.ipV6().map((ip) => `/ip6/${ip}`),
      fc.domain().map((name) => `/dns4/${name.slice(0, 150)}`)
    ),
    fc.integer({ min: 1, max: 65_535 }),
    peerId
  )
  .map(([host, port, id]) => `${host}/tcp/${port}/p2p/${id}`)
const invite: fc.Arbitrary<Invite> = fc.record({
  cluster: fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  addresses: fc.array(address, { minLength: 1, maxLength: INVITE_ADDRESSES_MAX }),
  ticket: fc.option(
    fc.record({
      port: fc.integer({ min: 1, max: 65_535 }),
      expiresMs: fc.integer({ min: 1, max: 99_999_999_999 }).map((seconds) => seconds * 1000)
    }),
    { nil: undefined }
  )
})

const badInvite = expect.objectContaining({ name: 'WireError', fault: 'BAD_INVITE' })
const plain = ({ secret, ...rest }: Invite) => ({ ...rest, secret: [...secret] })

describe('an invite', () => {
  test('holds what it was made of, in one word of letters and digits', () => {
    fc.assert(
      fc.property(invite, (given) => {
        const line = encodeInvite(given)
        expect(line).toMatch(/^tumesh-invite:[A-Za-z0-9]+$/)
        expect(isInvite(line)).toBe(true)
        expect(plain(decodeInvite(line))).toEqual(plain(given))
      })
    )
  })

  test('is read where a chat has broken it into lines', () => {
    fc.assert(
      fc.property(invite, fc.nat(), (given, seed) => {
        const line = encodeInvite(given)
        const at = INVITE_PREFIX.length + (seed % (line.length - INVITE_PREFIX.length))
        const broken = `  ${line.slice(0, at)}\r\n  ${line.slice(at)}\n`
        expect(plain(decodeInvite(broken))).toEqual(plain(given))
      })
    )
  })

  test('with any character changed, left out or doubled is refused', () => {
    fc.assert(
      fc.property(invite, fc.nat(), fc.constantFrom(...BASE58), (given, seed, letter) => {
        const line = encodeInvite(given)
        const at = seed % line.length
        const [before, after] = [line.slice(0, at), line.slice(at + 1)]
        for (const other of [
          before + letter + after,
          before + after,
          before + line.slice(at - 1)
        ]) {
          if (other !== line) expect(() => decodeInvite(other)).toThrow(badInvite)
        }
      })
    )
  })

  test('that is cut anywhere is refused', () => {
    fc.assert(
      fc.property(invite, fc.nat(), (given, seed) => {
        const line = encodeInvite(given)
        expect(() => decodeInvite(line.slice(0, seed % line.length))).toThrow(badInvite)
      })
    )
  })

  test('at its largest still fits', () => {
    const id = () => `12D3KooW${randomBytes(16).toString('hex')}`
    const addresses = Array.from({ length: INVITE_ADDRESSES_MAX }, () => {
      const name = randomBytes(300).toString('base64url').toLowerCase()
      const end = `/tcp/65535/p2p/${id()}`
      return `/dns4/${name}`.slice(0, 256 - end.length) + end
    })
    const given = { cluster: 'c'.repeat(63), secret: randomBytes(32), addresses }
    const line = encodeInvite(given)
    expect(line.length).toBeLessThanOrEqual(INVITE_CHARACTERS_MAX)
    expect(decodeInvite(line).addresses).toEqual(addresses)
  })

  test.each([
    ['a name that is none', { cluster: 'a b' }],
    ['a short secret', { secret: randomBytes(31) }],
    ['no address', { addresses: [] }],
    ['an address of nobody', { addresses: ['/ip4/10.0.0.1/tcp/4001'] }],
    ['too long an address', { addresses: [`/dns4/${'x'.repeat(256)}/tcp/1/p2p/12D3`] }],
    ['an address with a line break', { addresses: ['/dns4/a\n/ip4/1.1.1.1/tcp/1/p2p/12D3'] }],
    ['too many addresses', { addresses: Array(17).fill('/ip4/10.0.0.1/tcp/1/p2p/12D3') }]
  ])('can not be made with %s', (_what, change) => {
    const given = { cluster: 'c', secret: randomBytes(32), addresses: ['/ip4/1.1.1.1/tcp/1/p2p/1'] }
    expect(() => encodeInvite(given)).not.toThrow()
    expect(() => encodeInvite({ ...given, ...change })).toThrow(badInvite)
  })
})

/** Of version 1: lines that people have kept must go on being read. */
const KEPT =
  'tumesh-invite:6SLZP8Jo8ne92cf2pPzqo3H8UzBATNqYHE7pW93tUATfNXX2WLTNRuBE6ywfVSB7W5' +
  'hWUW94fyPN9zxH4dMfehYvBEDzCi6Rrm2cNrpSpTRye84KaZFLRd2e71TUvKVckXazYh2u8tSrYiq8aL' +
  'AVYBjti2GASBVaNBW2YRS2ZXGwpkBPXkefM4iFJiPedsYAMrx2k3uC9Tkj'

test('a line of version 1 stays one', () => {
  const id = '12D3KooWLQdSUBEPuqBWLgUN1iG2wyidXzGemwAJwTFFzgdvsM8e'
  expect(plain(decodeInvite(KEPT))).toEqual({
    cluster: 'photos',
    secret: Array.from({ length: 32 }, (_, n) => n),
    addresses: [`/ip4/192.168.1.5/tcp/4001/p2p/${id}`, `/dns/a.example/tcp/4001/p2p/${id}`]
  })
})

test('one of another version is told as such', () => {
  const rest = Buffer.from(base58btc.baseDecode(KEPT.slice(INVITE_PREFIX.length))).subarray(8)
  rest[0] = 3
  const sum = createHash('sha256').update(INVITE_PREFIX).update(rest).digest().subarray(0, 8)
  const line = INVITE_PREFIX + base58btc.baseEncode(Buffer.concat([sum, rest]))
  expect(() => decodeInvite(line)).toThrow('another version of Tumesh')
})

test('whatever the text is, reading it throws nothing else, and shows none of it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary' }).map((tail) => INVITE_PREFIX + tail),
    fc.array(fc.constantFrom(...BASE58)).map((letters) => INVITE_PREFIX + letters.join('')),
    fc.integer({ min: 6000, max: 6200 }).map((length) => INVITE_PREFIX + '1'.repeat(length))
  )
  fc.assert(
    fc.property(text, (junk) => {
      try {
        decodeInvite(junk)
        throw new Error('it was read')
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
        const tail = junk.replace(/\s+/g, '').slice(INVITE_PREFIX.length)
        if (tail.length > 8) expect((error as Error).message).not.toContain(tail)
      }
    })
  )
})
