// Text that is code: HTML, PHP, scripts, JSON and XML, and SVG among them. Scanned, never parsed:
// no entity is expanded, nothing is loaded, and the cost is one pass over the head.

import { Buffer } from 'node:buffer'

export type MarkupKind = 'html' | 'php' | 'script' | 'xml' | 'json'

/** Width and height in pixels. */
interface SvgSize {
  readonly width: number
  readonly height: number
}

/**
 * What the text is; undefined for plain text and for anything binary. `head`: at most 64 KiB;
 * `bytes`: of it all.
 */
export function readMarkup(head: Uint8Array, bytes: number): MarkupKind | 'svg' | undefined {
  const text = textOf(head)
  if (text === undefined) return undefined
  const at = skipSpace(text, 0)
  switch (text[at]) {
    case '#':
      return /^#![ \t]*\//.test(text) ? 'script' : undefined
    case '@':
      return /^@echo[ \t]+off\b/i.test(text.slice(at, at + 32)) ? 'script' : undefined
    case '{':
    case '[':
      return isJson(text, at, head.length === bytes) ? 'json' : undefined
    case '<':
      return rootOf(text).kind
    default:
      return undefined
  }
}

/**
 * Size of an SVG by its root tag, at 96 pixels per inch; the view box where width and height don't
 * say.
 */
export function svgSizeOf(head: Uint8Array): SvgSize | undefined {
  const text = textOf(head)
  const root = text === undefined ? undefined : rootOf(text)
  if (text === undefined || root?.kind !== 'svg') return undefined
  const attributes = attributesOf(text, root.attributesAt)
  const width = pixelsOf(attributes.get('width'))
  const height = pixelsOf(attributes.get('height'))
  if (width !== undefined && height !== undefined) return sizeOf(width, height)
  const [, , boxWidth, boxHeight, ...rest] = (attributes.get('viewBox') ?? '')
    .trim()
    .split(/[\s,]+/, 5)
    .map(Number)
  if (boxWidth === undefined || boxHeight === undefined || rest.length > 0) return undefined
  if (width !== undefined) return sizeOf(width, (width * boxHeight) / boxWidth)
  if (height !== undefined) return sizeOf((height * boxWidth) / boxHeight, height)
  return sizeOf(boxWidth, boxHeight)
}

function sizeOf(width: number, height: number): SvgSize | undefined {
  const size = { width: Math.round(width), height: Math.round(height) }
  const sane = (side: number) => side >= 1 && side < 2 ** 31
  return sane(size.width) && sane(size.height) ? size : undefined
}

// --- text

/**
 * The head as text if its beginning has no binary bytes, by the list of the WHATWG's MIME sniffing.
 */
function textOf(head: Uint8Array): string | undefined {
  const [a, b, c] = head
  let text: string
  if (a === 0xff && b === 0xfe) text = new TextDecoder('utf-16le').decode(head)
  else if (a === 0xfe && b === 0xff) text = new TextDecoder('utf-16be').decode(head)
  else {
    const bomBytes = a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0
    // Only ASCII matters here, so a byte may be a character.
    text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1', bomBytes)
  }
  for (let at = 0; at < Math.min(text.length, 512); at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 && !(code >= 9 && code <= 13 && code !== 11) && code !== 0x1b) return undefined
  }
  return text
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 9 && code <= 13)
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

function isJson(text: string, at: number, complete: boolean): boolean {
  if (!complete) return /^(?:\{\s*"|\[\s*[[{"\d-])/.test(text.slice(at, at + 256))
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// --- markup

const HTML_TAGS = new Set(
  `html head body title meta link base style script noscript iframe frameset div span p br hr a b i u em strong center
  font h1 h2 h3 h4 h5 h6 table tr td ul ol li pre code form input button img video nav main header footer section
  article template`.split(/\s+/)
)

interface Root {
  readonly kind: MarkupKind | 'svg' | undefined
  /** Where the attributes of the root tag begin. */
  readonly attributesAt: number
}

const NO_ROOT: Root = { kind: undefined, attributesAt: 0 }

/** Goes over declarations, comments and doctype to the first tag. */
function rootOf(text: string): Root {
  let commented = false
  for (let at = skipSpace(text, 0); ; at = skipSpace(text, at)) {
    let end: number
    if (text.startsWith('<?', at)) {
      if (/^<\?(?:php|=|\s)/i.test(text.slice(at, at + 8))) return { ...NO_ROOT, kind: 'php' }
      end = endOf(text, '?>', at)
    } else if (text.startsWith('<!--', at)) {
      commented = true
      end = endOf(text, '-->', at + 4)
    } else if (/^<!doctype\s/i.test(text.slice(at, at + 10))) {
      if (/^<!doctype\s+html\b/i.test(text.slice(at, at + 64))) return { ...NO_ROOT, kind: 'html' }
      end = endOfDoctype(text, at)
    } else {
      return rootTag(text, at, commented)
    }
    if (end === -1) return NO_ROOT
    at = end
  }
}

function rootTag(text: string, at: number, commented: boolean): Root {
  const tag = /^<(?:[\w.-]{1,64}:)?([A-Za-z_][\w.-]{0,63})(?=[\s/>])/.exec(text.slice(at, at + 140))
  // A browser takes anything after a leading comment for HTML.
  if (tag === null) return commented && at < text.length ? { ...NO_ROOT, kind: 'html' } : NO_ROOT
  const [opened, name = ''] = tag
  const kind = name === 'svg' ? 'svg' : HTML_TAGS.has(name.toLowerCase()) ? 'html' : 'xml'
  return { kind, attributesAt: at + opened.length }
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at === -1 ? -1 : at + mark.length
}

/** After the `>` that ends the doctype, or after the `]>` of one with declarations inside. */
function endOfDoctype(text: string, from: number): number {
  const plainEnd = endOf(text, '>', from)
  const inside = text.indexOf('[', from)
  if (inside === -1 || inside > plainEnd) return plainEnd
  for (let at = endOf(text, ']', inside); at !== -1; at = endOf(text, ']', at)) {
    const close = skipSpace(text, at)
    if (text[close] === '>') return close + 1
  }
  return -1
}

/** Attributes as they stand in the text, up to the end of the tag; the first of a name counts. */
function attributesOf(text: string, from: number): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  const pattern = /\s+([^\s=<>"'/]{1,256})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
  pattern.lastIndex = from
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [, name = '', double, single] = match
    if (!attributes.has(name)) attributes.set(name, double ?? single ?? '')
  }
  return attributes
}

const PIXELS_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  pt: 96 / 72,
  pc: 16,
  in: 96,
  cm: 96 / 2.54,
  mm: 96 / 25.4
}

/** Pixels of "12", "12.5px", "2in"; undefined for percentages and what depends on a font. */
function pixelsOf(length: string | undefined): number | undefined {
  if (length === undefined || length.length > 64) return undefined
  const [, number, unit = ''] = /^\s*\+?(\d+\.?\d*|\.\d+)([a-z]*)\s*$/i.exec(length) ?? []
  const scale = PIXELS_PER_UNIT[unit.toLowerCase()]
  return number === undefined || scale === undefined ? undefined : Number(number) * scale
}
