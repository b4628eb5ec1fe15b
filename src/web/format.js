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
 * The extension in capitals, for a picture that can't be shown: "HEIC".
 * @param {string} filename
 */
export function extensionLabel(filename) {
  const dot = filename.lastIndexOf('.')
  return dot <= 0 ? '' : filename.slice(dot + 1, dot + 6).toUpperCase()
}
