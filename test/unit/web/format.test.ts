import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const web = new URL('../../../src/web/', import.meta.url)
const {
  extensionLabel,
  formatAgo,
  formatDuration,
  formatLatency,
  formatShare,
  formatSize,
  formatTime,
  imageUrl,
  shortenId
} = await import(new URL('format.js', web).href)

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [99_940, '99.9 KB'],
    [99_960, '100 KB'],
    [999_499, '999 KB'],
    [999_500, '1.0 MB'],
    [9_876_543_210, '9.9 GB'],
    [5e18, '5000 PB']
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0 sec'],
    [8.9, '8 sec'],
    [60, '1 min'],
    [754, '12 min 34 sec'],
    [3600, '1 hr'],
    [11_520, '3 hr 12 min'],
    [86_400 + 59, '1 day'],
    [3 * 86_400 + 4 * 3600 + 59, '3 days 4 hr']
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds, 'en')).toBe(text)
  })

  it('speaks Chinese', () => {
    expect(formatDuration(11_520, 'zh')).toBe('3小时 12分钟')
  })
})

describe('formatTime', () => {
  it('is local and readable', () => {
    expect(formatTime('2024-05-06T12:00:00Z', 'en')).toMatch(/^May [567], 2024, /)
  })

  it('leaves what is not a time as it is', () => {
    expect(formatTime('soon', 'en')).toBe('soon')
  })
})

describe('shortenId', () => {
  it('keeps both ends of a long id and all of a short one', () => {
    expect(shortenId('12D3KooWQm8WvYdzsvVcoEYyQCdL1fWBHVvBHMtZgvMhcTGxQAbc')).toBe(
      '12D3KooW…GxQAbc'
    )
    expect(shortenId('a-short-one')).toBe('a-short-one')
  })
})

describe('imageUrl', () => {
  it('escapes what would end or change the path of a URL', () => {
    expect(imageUrl('a b/c#d?e%f&g.jpg')).toBe('images/a%20b/c%23d%3Fe%25f%26g.jpg')
  })

  it('names the same path after the browser has parsed it', () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !['.', '..'].includes(text) && !text.includes('/') && text.isWellFormed())
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
        const { origin, pathname, search, hash } = new URL(
          imageUrl(segments.join('/')),
          'http://node.test:8000/'
        )
        expect([origin, search, hash]).toEqual(['http://node.test:8000', '', ''])
        expect(pathname.split('/').slice(2).map(decodeURIComponent)).toEqual(segments)
      })
    )
  })
})

describe('extensionLabel', () => {
  it.each([
    ['photo.heic', 'HEIC'],
    ['archive.tar.gz', 'GZ'],
    ['x.averylongextension', 'AVERY'],
    ['none', ''],
    ['.hidden', '']
  ])('%s is %s', (filename, label) => {
    expect(extensionLabel(filename)).toBe(label)
  })
})

describe('formatAgo', () => {
  const now = Date.parse('2026-01-02T00:00:00Z')

  it.each([
    ['2026-01-01T23:59:52Z', '8 seconds ago'],
    ['2026-01-01T23:01:00Z', '59 minutes ago'],
    ['2026-01-01T00:00:00Z', 'yesterday'],
    ['2026-01-02T02:30:00Z', 'in 2 hours'],
    ['2026-01-02T00:00:00Z', 'now'],
    ['no time', 'no time']
  ])('%s is %s', (iso, text) => {
    expect(formatAgo(iso, 'en', now)).toBe(text)
  })
})

describe('formatShare', () => {
  it('is never all before it is all', () => {
    expect(formatShare(0.99999, 'en')).toBe('99.9%')
    expect([formatShare(0, 'en'), formatShare(1, 'en')]).toEqual(['0%', '100%'])
  })
})

describe('formatLatency', () => {
  it.each([
    [0.42, '0.4 ms'],
    [17.6, '18 ms'],
    [1234, '1.2 s']
  ])('%d ms are %s', (ms, text) => {
    expect(formatLatency(ms, 'en')).toBe(text)
  })
})
