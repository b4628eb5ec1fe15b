import { describe, expect, it } from 'vitest'

const web = new URL('../../../src/web/', import.meta.url)
const { wordsOfDenial } = await import(new URL('access.js', web).href)
const { detailOf } = await import(new URL('api.js', web).href)
const { verdictOf } = await import(new URL('detail.js', web).href)
const { stateOf, wordsOfServer } = await import(new URL('status.js', web).href)

describe('wordsOfDenial', () => {
  const read = { status: 401, method: 'GET' }
  const write = { status: 401, method: 'DELETE' }

  it('tells looking from changing on another machine', () => {
    expect(wordsOfDenial(read, false, '10.0.0.2')).toBe('access.read')
    expect(wordsOfDenial(write, false, 'node-a.lan')).toBe('access.write')
  })

  it.each(['127.0.0.1', 'localhost', '[::1]', '127.9.9.9'])(
    'does not send people on %s to where they are',
    (hostname) => {
      expect(wordsOfDenial(read, false, hostname)).toBe('access.local')
    }
  )

  it('does not take a name for loopback that only begins so', () => {
    expect(wordsOfDenial(read, false, '127.0.0.1.example.org')).toBe('access.read')
  })

  it('tells an unknown key from one without the scope', () => {
    expect(wordsOfDenial(read, true, '10.0.0.2')).toBe('access.unknown')
    expect(wordsOfDenial({ ...write, status: 403 }, true, '10.0.0.2')).toBe('access.scope')
  })
})

describe('detailOf', () => {
  it.each([
    [{ detail: 'No room. Free some.' }, 'No room. Free some.'],
    [{ detail: [{ msg: 'limit must be a number' }, { msg: 'cursor is bad' }] }, /number; cursor/],
    [{ detail: [] }, 'HTTP 500'],
    [{ detail: '' }, 'HTTP 500'],
    [{ detail: [null, { loc: [] }] }, 'HTTP 500'],
    [{}, 'HTTP 500'],
    [null, 'HTTP 500'],
    ['<html>', 'HTTP 500']
  ])('of %j is a sentence', (answer, text) => {
    expect(detailOf(answer, 500)).toMatch(text)
  })
})

describe('verdictOf', () => {
  const none = { corrupted_files: [], missing_files: [], repaired_files: [] }

  it.each([
    [{ ...none, status: 'success', valid_files: 1 }, 'verify.whole'],
    [{ ...none, status: 'success', valid_files: 0 }, 'verify.nothing'],
    [{ ...none, valid_files: 0, corrupted_files: [{}] }, 'verify.damaged'],
    [{ ...none, valid_files: 0, missing_files: ['a'] }, 'verify.missing'],
    [{ ...none, corrupted_files: [{}], repaired_files: ['a'] }, 'verify.repaired'],
    [{ status: 'accepted', task_id: 'verify_1' }, 'verify.background'],
    [{}, 'verify.nothing']
  ])('of %j is %s', (answer, key) => {
    expect(verdictOf(answer)).toBe(key)
  })
})

describe('stateOf', () => {
  it('says no answer before anything remembered', () => {
    expect(stateOf({ status: 'healthy' }, false)).toBe('unreachable')
  })

  it.each([
    [undefined, 'waiting'],
    [{ status: 'read_only' }, 'read_only'],
    [{ distributed_storage: false }, 'off'],
    [{ status: 'something new' }, 'off']
  ])('of %j is %s', (status, state) => {
    expect(stateOf(status, true)).toBe(state)
  })
})

describe('wordsOfServer', () => {
  const say = (key: string, values = {}) => [key, ...Object.values(values)].join(' ')

  it('says only what there is to say', () => {
    const near = { status: 'online', missing_files: 0, latency_ms: 0.4 }
    expect(wordsOfServer(near, 'en', say)).toBe('servers.online · 0.4 ms')
    const busy = { status: 'syncing', missing_files: 1200, latency_ms: null }
    expect(wordsOfServer(busy, 'en', say)).toBe('servers.syncing · servers.lacks 1,200')
  })
})
