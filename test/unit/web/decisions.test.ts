import { describe, expect, it } from 'vitest'

const web = new URL('../../../src/web/', import.meta.url)
const { wordsOfDenial } = await import(new URL('access.js', web).href)
const { detailOf } = await import(new URL('api.js', web).href)
const { verdictOf } = await import(new URL('detail.js', web).href)
const { subjectOf } = await import(new URL('audit.js', web).href)
const { eventReader } = await import(new URL('events.js', web).href)
const { searchOf } = await import(new URL('gallery.js', web).href)
const { CARD, DRAWN_MAX, planMesh } = await import(new URL('plan-mesh.js', web).href)
const { viewOf } = await import(new URL('router.js', web).href)
const { bySection } = await import(new URL('settings.js', web).href)
const { briefOf, stateOf, wordsOfServer } = await import(new URL('status.js', web).href)

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
    [{ ...none, valid_files: 0, blocked_files: ['a'] }, 'verify.blocked'],
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

describe('briefOf', () => {
  const say = (key: string, values = {}) => [key, ...Object.values(values)].join(' ')

  it('leaves out what is not known', () => {
    expect(briefOf({ total_files: 3 }, say)).toBe('brief.images 3')
    const servers = [{ connected_at: null }, { connected_at: '2026-01-01T00:00:00Z' }]
    expect(briefOf({ total_files: 3, servers, disk: { total: 9, free: 5e9 } }, say)).toBe(
      'brief.images 3 · brief.servers 1 2 · brief.free 5.0 GB'
    )
  })
})

describe('searchOf', () => {
  const cid = `bafkrei${'a2'.repeat(26)}`

  it.each([
    ['', 'contains', undefined],
    ['  ', 'prefix', undefined],
    ['cat', 'contains', 'contains'],
    ['cats/', 'prefix', 'prefix'],
    ['cat', 'no such way', 'contains'],
    ['a'.repeat(64), 'prefix', 'hash'],
    [` ${'A'.repeat(32)} `, 'contains', 'hash'],
    [cid, 'contains', 'hash'],
    ['a'.repeat(63), 'contains', 'contains']
  ])('takes %j, to be searched by %s, as %s', (text, by, how) => {
    expect(searchOf(text, by)).toEqual({ how, text: text.trim() })
  })
})

describe('subjectOf', () => {
  it.each([
    [undefined, ''],
    [{ path: 'a.jpg', sha256: 'f00', file_path: 'a.jpg' }, 'a.jpg'],
    [{ from: 'a.jpg', to: 'b.jpg' }, 'a.jpg → b.jpg'],
    [{ paths: ['a.jpg'] }, 'a.jpg'],
    [{ paths: ['a.jpg', 'b.jpg'], action: 'restore' }, 'a.jpg … (2) · restore'],
    [{ name: 'crawler', scopes: ['read'] }, 'crawler'],
    [{ sha256: 'f00', reason: 'not ours' }, 'f00 · not ours']
  ])('of %j is %j', (about, subject) => {
    expect(subjectOf(about)).toBe(subject)
  })
})

describe('viewOf', () => {
  it.each([
    ['', 'images'],
    ['#/mesh', 'mesh'],
    ['#/safety/trash', 'safety'],
    ['#/meshes', 'images'],
    ['#mesh', 'images'],
    ['#/constructor', 'images']
  ])('of %j is %s', (hash, view) => {
    expect(viewOf(hash)).toBe(view)
  })
})

describe('eventReader', () => {
  const read = (...pieces: string[]) => {
    const seen: unknown[] = []
    const take = eventReader((event: unknown) => seen.push(event))
    for (const piece of pieces) take(piece)
    return seen
  }

  it('puts together what comes in pieces, whichever they are', () => {
    const text =
      'retry: 2000\nid: r-4\n\n: quiet\n\nid: r-5\nevent: entry\ndata: {"path":"a:b"}\n\n'
    const whole = [
      { id: 'r-4', kind: 'message', data: '' },
      { id: 'r-5', kind: 'entry', data: '{"path":"a:b"}' }
    ]
    expect(read(text)).toEqual(whole)
    expect(read(...text)).toEqual(whole)
  })

  it('waits for the end of an event', () => {
    expect(read('id: r-6\nevent: entry\ndata: {}\n')).toEqual([])
  })
})

describe('planMesh', () => {
  type Point = { x: number; y: number }

  /** Pairs of cards that touch, and cards that are not wholly in the picture. */
  function faultsOf(width: number, count: number): unknown[] {
    const { self, others, height } = planMesh(width, count)
    const all: Point[] = [self, ...others]
    const [halfWidth, halfHeight] = [CARD.width / 2, CARD.height / 2]
    const isIn = ({ x, y }: Point) =>
      x >= halfWidth && x <= width - halfWidth && y >= halfHeight && y <= height - halfHeight
    const touches = (a: Point) => (b: Point) =>
      Math.abs(a.x - b.x) < CARD.width && Math.abs(a.y - b.y) < CARD.height
    return all.filter((a, n) => !isIn(a) || all.slice(n + 1).some(touches(a)))
  }

  it.each([260, 320, 390, 619, 620, 700, 900, 1100, 1800])(
    'keeps cards apart and inside a picture of %i pixels',
    (width) => {
      for (let count = 0; count <= DRAWN_MAX; count++) {
        expect([count, faultsOf(width, count)]).toEqual([count, []])
      }
    }
  )
})

describe('bySection', () => {
  it('groups by what stands before the dot, in the order of the keys', () => {
    const keys = ['name', 'log_level', 'http.port', 'p2p.port', 'http.host'].map((key) => ({ key }))
    const sections = bySection(keys)
    expect([...sections.keys()]).toEqual(['', 'http', 'p2p'])
    expect(sections.get('http')).toEqual([{ key: 'http.port' }, { key: 'http.host' }])
  })
})
