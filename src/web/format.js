// @ts-check
// Values as people read them, and paths as URLs write them. Pure functions.

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
const SPANS = /** @type {const} */ ([
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1]
])

/**
 * "1.5 MB", "812 B": decimal units, as the node itself writes sizes.
 * @param {number} bytes
 */
export function formatSize(bytes) {
  let value = bytes
  let at = 0
  // from 999.5 on it would be written as 1000
  while (value >= 999.5 && at < SIZES.length - 1) {
    value /= 1000
    at++
  }
  return `${at === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${SIZES[at]}`
}

/**
 * The largest unit and the next: "3 days 4 hr", "12 min", "8 sec".
 * @param {number} seconds
 * @param {string} locale
 */
export function formatDuration(seconds, locale) {
  const first = SPANS.findIndex(([, span]) => seconds >= span)
  let rest = Math.floor(seconds)
  const words = SPANS.slice(first).map(([unit, span], at) => {
    const count = Math.floor(rest / span)
    rest -= count * span
    if (at > 1 || (at === 1 && count === 0)) return ''
    const style = /** @type {const} */ ({ style: 'unit', unit, unitDisplay: 'short' })
    return count.toLocaleString(locale, style)
  })
  return words.join(' ').trim()
}

/**
 * An ISO 8601 time as local date and time; the text itself if it is not one.
 * @param {string} iso
 * @param {string} locale
 */
export function formatTime(iso, locale) {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return iso
  return time.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' })
}

/**
 * "3 minutes ago", "in 2 days": the largest unit that fits.
 * @param {string} iso
 * @param {string} locale
 * @param {number} [nowMs]
 */
export function formatAgo(iso, locale, nowMs = Date.now()) {
  const seconds = (Date.parse(iso) - nowMs) / 1000
  if (Number.isNaN(seconds)) return iso
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const [unit, span] = SPANS.find(([, span]) => Math.abs(seconds) >= span) ?? ['second', 1]
  return words.format(Math.trunc(seconds / span), unit)
}

/**
 * The time of day, with seconds.
 * @param {string} iso
 * @param {string} locale
 */
export function formatClock(iso, locale) {
  const time = new Date(iso)
  return Number.isNaN(time.getTime()) ? iso : time.toLocaleTimeString(locale, { hour12: false })
}

/**
 * A share as "43%", never as all before it is all.
 * @param {number} share 0 to 1
 * @param {string} locale
 */
export function formatShare(share, locale) {
  const percent = share < 1 ? Math.floor(share * 1000) / 1000 : 1
  return percent.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 1 })
}

/**
 * A latency: "0.4 ms", "1.2 s".
 * @param {number} ms
 * @param {string} locale
 */
export function formatLatency(ms, locale) {
  if (ms >= 1000) return `${(ms / 1000).toLocaleString(locale, { maximumFractionDigits: 1 })} s`
  return `${ms.toLocaleString(locale, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`
}

/**
 * The order of servers: a list keeps it whoever was heard of last.
 * @param {{ name: string }} a
 * @param {{ name: string }} b
 */
export function byName(a, b) {
  return a.name.localeCompare(b.name, 'en', { numeric: true })
}

/**
 * Both ends of a long id: peer ids begin alike, so the end tells them apart.
 * @param {string} id
 */
export function shortenId(id) {
  return id.length <= 20 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`
}

/**
 * Where an image is read by its path, relative to the page.
 * @param {string} path
 */
export function imageUrl(path) {
  return `images/${path.split('/').map(encodeURIComponent).join('/')}`
}

/**
 * Where the small picture of a tile is read, the only place that knows. By its hash, under which it
 * never changes: the browser keeps it.
 * @param {{ sha256: string }} image
 */
export function tileUrl({ sha256 }) {
  return `thumbnails/${encodeURIComponent(sha256)}?size=256`
}

/**
 * A picture of it that fills a window, for images that a browser can't show themselves.
 * @param {string} sha256
 */
export function largerUrl(sha256) {
  return `thumbnails/${encodeURIComponent(sha256)}?size=768`
}

/**
 * @param {string} sha256
 */
export function blobUrl(sha256) {
  return `blobs/${encodeURIComponent(sha256)}`
}

/**
 * The extension in capitals, for a picture that can't be shown: "HEIC".
 * @param {string} filename
 */
export function extensionLabel(filename) {
  const dot = filename.lastIndexOf('.')
  return dot <= 0 ? '' : filename.slice(dot + 1, dot + 6).toUpperCase()
}
