// The size of a JPEG XL image: the SizeHeader of ISO/IEC 18181-1, bare or in its container.

import { BROKEN, type HeaderScan, sound } from './header-scan.ts'

const BARE = 0xff0a
const JXLC = 0x6a786c63
const JXLP = 0x6a786c70

/** May throw RangeError where the view ends too early. */
export function scanJxl(view: DataView): HeaderScan {
  if (view.getUint16(0) === BARE) return scanCodestream(view, 0)
  for (let at = 0; ; ) {
    const length = view.getUint32(at)
    const type = view.getUint32(at + 4)
    if (type === JXLC) return scanCodestream(view, at + 8)
    if (type === JXLP) return scanCodestream(view, at + 12) // a part, after its number
    // No box before the codestream is large enough for a long length.
    if (length < 8) return BROKEN
    at += length
  }
}

/** Width by ratio code; 0 says that it is spelled out. */
const RATIOS = [undefined, 1, 12 / 10, 4 / 3, 3 / 2, 16 / 9, 5 / 4, 2]

function scanCodestream(view: DataView, at: number): HeaderScan {
  if (view.getUint16(at) !== BARE) return BROKEN
  const bits = new BitReader(view, at + 2)
  const inEights = bits.read(1) === 1
  const side = () => (inEights ? (bits.read(5) + 1) * 8 : bits.read(bits.sizeBits()) + 1)
  const height = side()
  const ratio = RATIOS[bits.read(3)]
  const width = ratio === undefined ? side() : Math.floor(height * ratio + 1e-9)
  return sound(width, height)
}

/** Lowest bit first. */
class BitReader {
  readonly #view: DataView
  #bit: number

  constructor(view: DataView, at: number) {
    this.#view = view
    this.#bit = at * 8
  }

  read(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.#bit++) {
      value += ((this.#view.getUint8(this.#bit >> 3) >> (this.#bit & 7)) & 1) * 2 ** i
    }
    return value
  }

  /** How many bits the next size has. */
  sizeBits(): number {
    return [9, 13, 18, 30][this.read(2)] ?? 30
  }
}
