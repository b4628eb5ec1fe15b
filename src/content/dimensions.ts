// Width and height straight from the header, as stored: an orientation flag turns nothing. Every
// scan is one bounded walk that only goes forward, and never throws whatever the bytes are.

import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { scanHeif } from './dimensions-heif.ts'
import { scanJxl } from './dimensions-jxl.ts'
import { BROKEN, type HeaderScan, SHORT, sound } from './header-scan.ts'
import type { ImageKind } from './kinds.ts'
import { svgSizeOf } from './markup.ts'

/**
 * Reads up to the pixels: `view` holds the first bytes, `bytes` is the length of it all. May throw
 * RangeError.
 */
type Scan = (view: DataView, bytes: number) => HeaderScan

const SCANS: Readonly<Partial<Record<ImageKind, Scan>>> = {
  jpeg: scanJpeg,
  png: scanPng,
  gif: scanGif,
  webp: scanWebp,
  bmp: scanBmp,
  ico: scanIco,
  avif: scanHeif,
  heic: scanHeif,
  heif: scanHeif,
  jxl: scanJxl,
  svg: scanSvg
}

/**
 * `head`: the first bytes, as many as there are; `bytes`: the length of it all. Broken is also what
 * is too short for its own header. Undefined for TIFF, whose header may be anywhere in the file.
 */
export function scanHeader(
  kind: ImageKind,
  head: Uint8Array,
  bytes: number
): HeaderScan | undefined {
  const scan = SCANS[kind]
  if (scan === undefined) return undefined
  try {
    return scan(new DataView(head.buffer, head.byteOffset, head.byteLength), bytes)
  } catch (error) {
    // A read past the end of the head.
    if (error instanceof RangeError) return head.length < bytes ? SHORT : BROKEN
    throw error
  }
}

/** From marker to marker, until the scan data begin: a frame header must have come before. */
function scanJpeg(view: DataView): HeaderScan {
  let frame: HeaderScan | undefined
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return BROKEN
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at++ // fill byte
      continue
    }
    if (marker === 0xda) return frame ?? BROKEN
    const length = view.getUint16(at + 2)
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9) || length < 2) return BROKEN
    if (isFrameMarker(marker)) {
      const components = view.getUint8(at + 9)
      if (frame !== undefined || components > 4 || length !== 8 + 3 * components) return BROKEN
      frame = sound(view.getUint16(at + 7), view.getUint16(at + 5))
    }
    at += 2 + length
  }
}

function isFrameMarker(marker: number): boolean {
  // Among the frame markers lie those of Huffman tables, extensions and arithmetic tables.
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

const IHDR = 0x49484452
const IDAT = 0x49444154
const IEND = 0x49454e44
const PNG_DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16]
}

/** The first chunk must be a right IHDR by its checksum, and pixels must follow. */
function scanPng(view: DataView): HeaderScan {
  const ihdr = Buffer.from(view.buffer, view.byteOffset + 12, 17)
  const depths = PNG_DEPTHS[view.getUint8(25)] ?? []
  if (view.getUint32(8) !== 13 || view.getUint32(12) !== IHDR) return BROKEN
  if (!depths.includes(view.getUint8(24)) || crc32(ihdr) !== view.getUint32(29)) return BROKEN
  for (let at = 33; ; ) {
    const type = view.getUint32(at + 4)
    if (type === IDAT) return sound(view.getUint32(16), view.getUint32(20))
    if (type === IEND) return BROKEN
    at += 12 + view.getUint32(at)
  }
}

/**
 * The screen's size counts, but only if a frame really follows: "GIF89a" is also the start of many
 * a script.
 */
function scanGif(view: DataView): HeaderScan {
  const flags = view.getUint8(10)
  let at = 13 + colorTableBytes(flags)
  while (view.getUint8(at) === 0x21) {
    at += 2
    while (view.getUint8(at) !== 0) at += 1 + view.getUint8(at)
    at++
  }
  if (view.getUint8(at) !== 0x2c) return BROKEN
  const frame = sound(view.getUint16(at + 5, true), view.getUint16(at + 7, true))
  const codeBits = view.getUint8(at + 10 + colorTableBytes(view.getUint8(at + 9)))
  if (frame.is !== 'sound' || codeBits < 1 || codeBits > 11) return BROKEN
  return sound(view.getUint16(6, true), view.getUint16(8, true))
}

function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1)
}

function scanWebp(view: DataView, bytes: number): HeaderScan {
  if (view.getUint32(4, true) + 8 > bytes) return BROKEN
  const chunk = String.fromCharCode(...[12, 13, 14, 15].map((at) => view.getUint8(at)))
  switch (chunk) {
    case 'VP8 ': {
      const isKeyFrame = (view.getUint8(20) & 1) === 0
      if (!isKeyFrame || view.getUint16(23) !== 0x9d01 || view.getUint8(25) !== 0x2a) return BROKEN
      return sound(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff)
    }
    case 'VP8L': {
      const bits = view.getUint32(21, true)
      if (view.getUint8(20) !== 0x2f || bits >>> 29 !== 0) return BROKEN
      return sound((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1)
    }
    case 'VP8X':
      // At least one chunk must follow: the canvas alone is no image.
      if (view.getUint32(16, true) !== 10 || view.getUint32(34, true) === 0) return BROKEN
      return sound((view.getUint32(24, true) & 0xffffff) + 1, (view.getUint32(26, true) >>> 8) + 1)
    default:
      return BROKEN
  }
}

/** A negative height means rows from top to bottom. */
function scanBmp(view: DataView): HeaderScan {
  if (view.getUint32(14, true) === 12) {
    return sound(view.getUint16(18, true), view.getUint16(20, true))
  }
  return sound(view.getInt32(18, true), Math.abs(view.getInt32(22, true)))
}

/** The largest of the pictures in it. A side of 0 means 256. */
function scanIco(view: DataView): HeaderScan {
  const count = view.getUint16(4, true)
  let [width, height] = [0, 0]
  for (let at = 6; at < 6 + 16 * count; at += 16) {
    const [w, h] = [view.getUint8(at) || 256, view.getUint8(at + 1) || 256]
    if (w * h > width * height) [width, height] = [w, h]
  }
  return sound(width, height)
}

/** Any root tag will do; a size is a gift. */
function scanSvg(view: DataView): HeaderScan {
  const head = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return { is: 'sound', ...svgSizeOf(head) }
}
