import { StreamAbortEvent, StreamCloseEvent } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import { dialError, notOnLink } from '../../../src/network/dial-error.ts'

const home = [multiaddr('/ip4/192.168.7.9/tcp/4001')]
const far = [multiaddr('/ip4/203.0.113.9/tcp/4001'), multiaddr('/ip4/203.0.113.10/tcp/4001')]

function failed(name: string, message: string, code?: string): Error {
  return Object.assign(new Error(message), { name }, code === undefined ? {} : { code })
}

const refused = failed('Error', 'connection error 1.2.3.4:1: connect ECONNREFUSED', 'ECONNREFUSED')
const wrongSecret = failed(
  'EncryptionFailedError',
  'handshake stage 1 validation fail: Invalid chacha20poly1305 decryption'
)

describe('why a node could not be reached', () => {
  test.each([
    [refused, 'refused', 'Nothing listens at 192.168.7.9:4001'],
    [wrongSecret, 'other-cluster', 'another secret'],
    [failed('TimeoutError', 'no answer within 20 s'), 'timed-out', 'private'],
    [failed('Error', 'connect EHOSTUNREACH', 'EHOSTUNREACH'), 'no-route', 'private'],
    [failed('Error', 'read ECONNRESET', 'ECONNRESET'), 'hung-up', 'hung up'],
    [failed('EncryptionFailedError', 'read ECONNRESET'), 'hung-up', 'hung up'],
    [failed('UnexpectedEOFError', 'Unexpected EOF - stream closed'), 'hung-up', 'hung up'],
    [new StreamCloseEvent(false), 'hung-up', 'hung up'],
    [new StreamCloseEvent(false, failed('Error', 'read', 'ECONNRESET')), 'hung-up', 'hung up'],
    [new StreamAbortEvent(failed('TimeoutError', 'no answer')), 'timed-out', 'private'],
    [failed('EncryptionFailedError', 'Unexpected EOF'), 'no-node', 'is no Tumesh node'],
    [failed('DialDeniedError', 'The connection gater denied'), 'not-admitted', 'removed'],
    [
      failed('EncryptionFailedError', 'Payload identity key A does not match expected B'),
      'other-node',
      'another node'
    ],
    [failed('Error', 'something new'), 'unknown', 'could not be reached'],
    ['no error at all', 'unknown', 'could not be reached']
  ])('%s', (error, reason, words) => {
    const told = dialError(error, home)
    expect(told).toMatchObject({ code: 'PEER_UNREACHABLE', details: { reason } })
    expect(told.message).toContain(words)
  })

  test('of several addresses the most telling one counts', () => {
    const told = dialError(new AggregateError([refused, wrongSecret]), far)
    expect(told.details.reason).toBe('other-cluster')
    expect(told.message).toContain('203.0.113.9:4001 and 1 more')
    expect(told.message).toContain('npm run invite')
  })

  test('a public address that does not answer is no question of networks', () => {
    const told = dialError(failed('TimeoutError', 'no answer'), far)
    expect(told.message).toContain('firewall')
  })

  test('the node itself', () => {
    const error = failed('InvalidPeerIdError', 'Can not dial self')
    expect(dialError(error, home)).toMatchObject({ code: 'SAME_NODE' })
  })

  test('what has been told already stays', () => {
    const error = new NodeError('STOPPING', 'stopping')
    expect(dialError(error, home)).toBe(error)
  })

  test('without a secret, of other networks', () => {
    expect(notOnLink(far).message).toContain('without a secret')
    expect(notOnLink(far).message).toContain('npm run invite')
  })
})
