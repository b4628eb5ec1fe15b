// What bytes are, by their first bytes alone: an image, positively something else, or unknown.
//
// "Positively" is meant: a random file must not be refused because two of its bytes look like a
// program. Short magics count only together with a plausible structure behind them.

import { Buffer } from 'node:buffer'
import type { ImageKind } from './kinds.ts'
import { type MarkupKind, readMarkup } from './markup.ts'

/** As much of the bytes as is looked at. */
const SNIFF_BYTES_MAX = 64 * 1024

interface ForeignFacts {
  /** As in "photo.jpg holds HTML". */
  readonly name: string
  /** Programs, and what a browser or a server would run: never kept under any name. */
  readonly runs?: true
  /** What to do about it. */
  readonly hint?: string
}

const ERROR_PAGE = 'The server probably answered with an error page.'
const UNPACK = 'Unpack it and upload the images in it.'

const FOREIGN_KINDS = {
  html: { name: 'HTML', runs: true, hint: ERROR_PAGE },
  xml: { name: 'XML', hint: ERROR_PAGE },
  json: { name: 'JSON', hint: ERROR_PAGE },
  php: { name: 'PHP code', runs: true },
  script: { name: 'a script', runs: true },
  elf: { name: 'a Linux program', runs: true },
  pe: { name: 'a Windows program', runs: true },
  'mach-o': { name: 'a macOS program', runs: true },
  wasm: { name: 'a WebAssembly program', runs: true },
  java: { name: 'a Java program', runs: true },
  zip: { name: 'a ZIP archive', hint: UNPACK },
  gzip: { name: 'gzip data', hint: UNPACK },
  bzip2: { name: 'bzip2 data', hint: UNPACK },
  xz: { name: 'xz data', hint: UNPACK },
  zstd: { name: 'Zstandard data', hint: UNPACK },
  '7z': { name: 'a 7z archive', hint: UNPACK },
  rar: { name: 'a RAR archive', hint: UNPACK },
  tar: { name: 'a tar archive', hint: UNPACK },
  pdf: { name: 'a PDF document' },
  postscript: { name: 'PostScript' },
  rtf: { name: 'an RTF document' },
  ole: { name: 'an old Office document' },
  psd: { name: 'a Photoshop document' },
  jp2: { name: 'a JPEG 2000 image' },
  sqlite: { name: 'an SQLite database' },
  mp4: { name: 'an MP4 or QuickTime video' },
  matroska: { name: 'a Matroska or WebM video' },
  avi: { name: 'an AVI video' },
  wav: { name: 'WAV audio' },
  ogg: { name: 'Ogg audio or video' },
  flac: { name: 'FLAC audio' },
  mp3: { name: 'MP3 audio' },
  font: { name: 'a font' }
} as const satisfies Record<string, ForeignFacts> & Record<MarkupKind, ForeignFacts>

export type ForeignKind = keyof typeof FOREIGN_KINDS

export function foreignFacts(kind: ForeignKind): ForeignFacts {
  return FOREIGN_KINDS[kind]
}

export type Sniffed =
  /**
   * Uncertain: good enough to believe a name that says the same, not to contradict one that
   * doesn't.
   */
  | { readonly is: 'image'; readonly kind: ImageKind; readonly certain: boolean }
  | { readonly is: 'foreign'; readonly kind: ForeignKind }
  | { readonly is: 'unknown' }

const UNKNOWN: Sniffed = { is: 'unknown' }

/**
 * Pure, synchronous, never throws. `head`: the first bytes, as many as there are; `bytes`: the
 * length of it all.
 */
export function sniff(head: Uint8Array, bytes: number): Sniffed {
  const seen = head.subarray(0, SNIFF_BYTES_MAX)
  const start = Buffer.from(seen.buffer, seen.byteOffset, seen.length).toString('latin1', 0, 512)
  const view = new DataView(seen.buffer, seen.byteOffset, seen.byteLength)

  const kind = imageByMagic(start, view, bytes)
  if (kind !== undefined) return { is: 'image', kind, certain: true }
  const foreign = foreignByMagic(start, view, bytes)
  if (foreign !== undefined) return { is: 'foreign', kind: foreign }
  const markup = readMarkup(seen, bytes)
  if (markup === 'svg') return { is: 'image', kind: 'svg', certain: true }
  if (markup !== undefined) return { is: 'foreign', kind: markup }
  // One random file in 65,536 starts like this.
  if (start.startsWith('\xff\x0a')) return { is: 'image', kind: 'jxl', certain: false }
  return UNKNOWN
}

const IMAGE_MAGICS: readonly (readonly [string, ImageKind])[] = [
  ['\xff\xd8\xff', 'jpeg'],
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  ['II+\0\x08\0\0\0', 'tiff'], // BigTIFF
  ['MM\0+\0\x08\0\0', 'tiff'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'jxl'] // the container; the bare codestream has two bytes only
]

function imageByMagic(start: string, view: DataView, bytes: number): ImageKind | undefined {
  for (const [magic, kind] of IMAGE_MAGICS) if (start.startsWith(magic)) return kind
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'webp'
  if (start.startsWith('ftyp', 4)) return imageByBrands(brandsOf(start, view))
  if (start.startsWith('BM') && looksLikeBmp(view)) return 'bmp'
  if (start.startsWith('\0\0\x01\0') && looksLikeIco(view, bytes)) return 'ico'
  return undefined
}

/** The major brand, then the compatible ones. */
function brandsOf(start: string, view: DataView): readonly string[] {
  const brands = [start.slice(8, 12)]
  const end = Math.min(view.getUint32(0), start.length)
  for (let at = 16; at + 4 <= end; at += 4) brands.push(start.slice(at, at + 4))
  return brands
}

const HEVC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs']

function imageByBrands(brands: readonly string[]): ImageKind | undefined {
  const [major = ''] = brands
  if (major === 'avif' || major === 'avis') return 'avif'
  if (HEVC_BRANDS.includes(major)) return 'heic'
  if (major !== 'mif1' && major !== 'msf1' && major !== 'mif2' && major !== 'miaf') return undefined
  if (brands.includes('avif') || brands.includes('avis')) return 'avif'
  return brands.some((brand) => HEVC_BRANDS.includes(brand)) ? 'heic' : 'heif'
}

const BMP_HEADER_BYTES = [12, 16, 40, 52, 56, 64, 108, 124]

function looksLikeBmp(view: DataView): boolean {
  if (view.byteLength < 28) return false
  const headerBytes = view.getUint32(14, true)
  const planes = view.getUint16(headerBytes === 12 ? 22 : 26, true)
  return BMP_HEADER_BYTES.includes(headerBytes) && planes === 1
}

function looksLikeIco(view: DataView, bytes: number): boolean {
  if (view.byteLength < 22) return false
  const count = view.getUint16(4, true)
  const imageBytes = view.getUint32(14, true)
  const offset = view.getUint32(18, true)
  return count > 0 && imageBytes > 0 && offset >= 6 + 16 * count && offset + imageBytes <= bytes
}

const FOREIGN_MAGICS: readonly (readonly [string, ForeignKind])[] = [
  ['\x7fELF', 'elf'],
  ['\xfe\xed\xfa\xce', 'mach-o'],
  ['\xfe\xed\xfa\xcf', 'mach-o'],
  ['\xce\xfa\xed\xfe', 'mach-o'],
  ['\xcf\xfa\xed\xfe', 'mach-o'],
  ['\0asm', 'wasm'],
  ['PK\x03\x04', 'zip'],
  ['PK\x05\x06', 'zip'],
  ['PK\x07\x08', 'zip'],
  ['\xfd7zXZ\0', 'xz'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['7z\xbc\xaf\x27\x1c', '7z'],
  ['Rar!\x1a\x07', 'rar'],
  ['%PDF-', 'pdf'],
  ['%!PS-', 'postscript'],
  ['{\\rtf', 'rtf'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'ole'],
  ['8BPS\0\x01', 'psd'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'jp2'],
  ['\xff\x4f\xff\x51', 'jp2'],
  ['SQLite format 3\0', 'sqlite'],
  ['\x1a\x45\xdf\xa3', 'matroska'],
  ['OggS\0', 'ogg'],
  ['fLaC\0', 'flac'],
  ['wOFF', 'font'],
  ['wOF2', 'font'],
  ['OTTO\0', 'font']
]
// QuickTime, MPEG-4, 3GPP and Flash video. Not every brand: cameras keep raw pictures in this
// container too.
const VIDEO_BRANDS =
  /^(?:iso.|mp4.|avc1|qt {2}|M4[ABPV] |M4V[HP]|3g[p2].|f4[abpv] |dash|mmp4|MSNV)$/

function foreignByMagic(start: string, view: DataView, bytes: number): ForeignKind | undefined {
  for (const [magic, kind] of FOREIGN_MAGICS) if (start.startsWith(magic)) return kind
  if (start.startsWith('ftyp', 4)) return VIDEO_BRANDS.test(start.slice(8, 12)) ? 'mp4' : undefined
  if (start.startsWith('RIFF') && start.startsWith('AVI ', 8)) return 'avi'
  if (start.startsWith('RIFF') && start.startsWith('WAVE', 8)) return 'wav'
  if (start.startsWith('ustar', 257)) return 'tar'
  if (/^BZh[1-9]1AY&SY/.test(start)) return 'bzip2'
  if (start.startsWith('\x1f\x8b\x08') && view.byteLength > 9 && (view.getUint8(3) & 0xe0) === 0)
    return 'gzip'
  if (start.startsWith('ID3') && looksLikeId3(view)) return 'mp3'
  if (start.startsWith('MZ') && looksLikeProgram(start, view, bytes)) return 'pe'
  // Java classes and fat macOS programs share a magic: a class has its version (45 and up) where
  // the other has a count.
  if (start.startsWith('\xca\xfe\xba\xbe') && view.byteLength >= 8)
    return view.getUint32(4) < 45 ? 'mach-o' : 'java'
  return undefined
}

function looksLikeId3(view: DataView): boolean {
  if (view.byteLength < 10) return false
  const version = view.getUint8(3)
  return version >= 2 && version <= 4 && (view.getUint32(6) & 0x80808080) === 0
}

/** "MZ" alone is two letters: the Windows header, or sizes that fit, must follow. */
function looksLikeProgram(start: string, view: DataView, bytes: number): boolean {
  if (view.byteLength < 64) return false
  const windowsAt = view.getUint32(0x3c, true)
  if (windowsAt + 4 <= view.byteLength) {
    const [first, second] = [view.getUint8(windowsAt), view.getUint8(windowsAt + 1)]
    if (/^(?:PE|NE|LE|LX)$/.test(String.fromCharCode(first, second))) return true
  } else if (windowsAt + 4 <= bytes && start.includes('DOS mode')) return true
  const lastPageBytes = view.getUint16(2, true)
  const pages = view.getUint16(4, true)
  const programBytes = lastPageBytes === 0 ? pages * 512 : (pages - 1) * 512 + lastPageBytes
  const headerBytes = view.getUint16(8, true) * 16
  return (
    lastPageBytes < 512 && headerBytes >= 32 && headerBytes < programBytes && programBytes <= bytes
  )
}
