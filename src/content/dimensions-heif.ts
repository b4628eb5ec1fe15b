// The size of the primary item of an AVIF or HEIC file: ISO/IEC 23008-12, boxes `pitm`, `ipco`,
// `ipma` and `ispe`.

import { BROKEN, type HeaderScan, sound } from './header-scan.ts'

interface Box {
  readonly type: string
  /** Of the content. */
  readonly start: number
  readonly end: number
}

/** May throw RangeError where the view ends too early. */
export function scanHeif(view: DataView, bytes: number): HeaderScan {
  const meta = find(view, 0, bytes, 'meta')
  if (meta === undefined) return BROKEN
  const inMeta = meta.start + 4 // version and flags
  const primary = find(view, inMeta, meta.end, 'pitm')
  const properties = find(view, inMeta, meta.end, 'iprp')
  if (primary === undefined || properties === undefined) return BROKEN
  const container = find(view, properties.start, properties.end, 'ipco')
  const links = find(view, properties.start, properties.end, 'ipma')
  if (container === undefined || links === undefined) return BROKEN

  const isLong = view.getUint8(primary.start) > 0
  const item = isLong ? view.getUint32(primary.start + 4) : view.getUint16(primary.start + 4)
  const wanted = new Set(propertiesOf(view, links, item))
  let index = 0
  for (const box of boxes(view, container.start, container.end)) {
    index++
    if (box.type === 'ispe' && wanted.has(index)) {
      return sound(view.getUint32(box.start + 4), view.getUint32(box.start + 8))
    }
  }
  return BROKEN
}

/** Numbers, from 1, of the properties that belong to an item. */
function propertiesOf(view: DataView, links: Box, item: number): readonly number[] {
  const longItems = view.getUint8(links.start) > 0
  const longIndexes = (view.getUint8(links.start + 3) & 1) === 1
  for (let at = links.start + 8; at < links.end; ) {
    const id = longItems ? view.getUint32(at) : view.getUint16(at)
    at += longItems ? 4 : 2
    const count = view.getUint8(at++)
    const indexBytes = longIndexes ? 2 : 1
    if (id === item) {
      return Array.from({ length: count }, (_, i) =>
        longIndexes ? view.getUint16(at + 2 * i) & 0x7fff : view.getUint8(at + i) & 0x7f
      )
    }
    at += count * indexBytes
  }
  return []
}

function find(view: DataView, from: number, to: number, type: string): Box | undefined {
  for (const box of boxes(view, from, to)) if (box.type === type) return box
  return undefined
}

/** Boxes one after the other; ends at the first whose length can't be. */
function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const declared = view.getUint32(at)
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)))
    const headerBytes = declared === 1 ? 16 : 8
    const length =
      declared === 0 ? to - at : declared === 1 ? Number(view.getBigUint64(at + 8)) : declared
    if (length < headerBytes || at + length > to) return
    yield { type, start: at + headerBytes, end: at + length }
    at += length
  }
}
