import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { scanHeader } from '../../../src/content/dimensions.ts'
import type { ImageKind } from '../../../src/content/kinds.ts'
import * as make from '../../fixtures/make-images.ts'
import { PHOTOS, readPhoto } from '../../fixtures/photos.ts'

const scan = (kind: ImageKind, bytes: Uint8Array) => scanHeader(kind, bytes, bytes.length)
const SHAPE = { width: 61, height: 37 }
const SIZE = { is: 'sound', ...SHAPE }
const BROKEN = { is: 'broken' }

/** The bytes with some overwritten. */
function patched(bytes: Uint8Array, at: number, ...values: readonly number[]): Buffer {
  const copy = Buffer.from(bytes)
  copy.set(values, at)
  return copy
}

describe('scanHeader', () => {
  it('agrees with sharp on real photographs', async () => {
    for (const number of PHOTOS.keys()) {
      const photo = readPhoto(number)
      const { width, height } = await sharp(photo).metadata()
      expect(scan('jpeg', photo.subarray(0, 65_536))).toEqual({ is: 'sound', width, height })
    }
  })

  it.each(['jpeg', 'png', 'gif', 'webp', 'avif'] as const)('reads %s', async (kind) => {
    expect(scan(kind, await make.makeImage(kind, SHAPE))).toEqual(SIZE)
  })

  it('reads progressive JPEG, lossless and transparent WebP', async () => {
    const image = sharp(await make.makeImage('png', SHAPE))
    expect(scan('jpeg', await image.jpeg({ progressive: true }).toBuffer())).toEqual(SIZE)
    expect(scan('webp', await image.webp({ lossless: true }).toBuffer())).toEqual(SIZE)
    const transparent = await image.ensureAlpha(0.5).webp({ lossless: false }).toBuffer()
    expect(transparent.toString('latin1', 12, 16)).toBe('VP8X')
    expect(scan('webp', transparent)).toEqual(SIZE)
  })

  it('reads animations as one frame', async () => {
    const frames = await Promise.all(
      [1, 2].map((seed) => make.makeImage('png', { ...SHAPE, seed }))
    )
    const image = sharp(frames, { join: { animated: true } })
    expect(scan('gif', await image.gif().toBuffer())).toEqual(SIZE)
    expect(scan('webp', await image.webp().toBuffer())).toEqual(SIZE)
  })

  it('reads what sharp cannot', async () => {
    expect(scan('bmp', make.makeBmp(SHAPE))).toEqual(SIZE)
    expect(scan('ico', await make.makeIco(SHAPE))).toEqual(SIZE)
    expect(scan('heic', make.makeHeic(SHAPE))).toEqual(SIZE)
    expect(scan('jxl', make.makeJxl(SHAPE))).toEqual(SIZE)
    expect(scan('jxl', make.makeJxl({ ...SHAPE, contained: true }))).toEqual(SIZE)
  })

  it('reads the other forms of a JPEG XL size', () => {
    // In eights: height 5 bits, ratio 3 bits, width 5 bits. 7 -> 64 high, ratio 7 -> twice as wide.
    const inEights = 1 | (7 << 1) | (7 << 6)
    expect(scan('jxl', Buffer.from([0xff, 0x0a, inEights & 255, inEights >> 8]))).toEqual({
      is: 'sound',
      width: 128,
      height: 64
    })
    // Not in eights; selector 1: 13 bits of height; ratio 1: square.
    const square = (1 << 1) | (2999 << 3) | (1 << 16)
    const bytes = Buffer.from([0xff, 0x0a, square & 255, (square >> 8) & 255, square >> 16])
    expect(scan('jxl', bytes)).toEqual({ is: 'sound', width: 3000, height: 3000 })
  })

  it('reads a BMP that runs from top to bottom, and one of OS/2', () => {
    const bmp = make.makeBmp(SHAPE)
    bmp.writeInt32LE(-37, 22)
    expect(scan('bmp', bmp)).toEqual(SIZE)
    const old = Buffer.alloc(28)
    old.write('BM')
    old.set([12, 0, 0, 0, 61, 0, 37, 0, 1, 0, 24, 0], 14)
    expect(scan('bmp', old)).toEqual(SIZE)
  })

  it('takes the largest picture of an icon, 0 for 256', async () => {
    const icon = Buffer.from([0, 0, 1, 0, 2, 0, ...Array(32).fill(0)])
    icon.set([16, 16], 6)
    expect(scan('ico', icon)).toEqual({ is: 'sound', width: 256, height: 256 })
  })

  it('has no scan for TIFF', async () => {
    expect(scan('tiff', await make.makeImage('tiff'))).toBeUndefined()
  })

  it('tells a head that is too short from bytes that end too early', async () => {
    const jpeg = await make.makeImage('jpeg')
    expect(scanHeader('jpeg', jpeg.subarray(0, 100), jpeg.length)).toEqual({ is: 'short' })
    expect(scan('jpeg', jpeg.subarray(0, 100))).toEqual(BROKEN)
    const heic = make.makeHeic()
    expect(scanHeader('heic', heic.subarray(0, 60), heic.length)).toEqual({ is: 'short' })
  })

  it('refuses headers without an image', async () => {
    const png = await make.makeImage('png')
    const gif = await make.makeImage('gif')
    const webp = await make.makeImage('webp')
    expect(
      scan('jpeg', Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex'))
    ).toEqual(BROKEN)
    expect(scan('png', patched(png, 16, 1))).toEqual(BROKEN) // checksum
    expect(scan('png', png.subarray(0, 33))).toEqual(BROKEN)
    expect(scan('gif', Buffer.from('GIF89a/*abcdefghijklmnopqrstuvwxyz*/=1;alert(1)//'))).toEqual(
      BROKEN
    )
    expect(scan('gif', patched(gif, 6, 0, 0))).toEqual(BROKEN)
    const frameAt = gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0]))
    expect(scan('gif', patched(gif, frameAt + 10, 12))).toEqual(BROKEN) // code size
    const jpeg = await make.makeImage('jpeg')
    expect(scan('jpeg', patched(jpeg, jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 9, 2))).toEqual(
      BROKEN // number of components against the length
    )
    expect(scan('webp', patched(webp, 20, (webp[20] ?? 0) | 1))).toEqual(BROKEN) // no key frame
    const lossless = await sharp(png).webp({ lossless: true }).toBuffer()
    expect(scan('webp', patched(lossless, 20, 0))).toEqual(BROKEN)
    expect(scan('webp', webp.subarray(0, -1))).toEqual(BROKEN)
    expect(scan('webp', patched(webp, 12, 0x58))).toEqual(BROKEN)
    expect(scan('bmp', patched(make.makeBmp(), 18, 0, 0, 0, 0))).toEqual(BROKEN)
    expect(scan('heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'))).toEqual(
      BROKEN
    )
  })
})

describe('scanHeader: SVG', () => {
  const sizeOf = (root: string) => scan('svg', Buffer.from(root))

  it.each([
    ['<svg width="40" height="30"/>', 40, 30],
    ["<svg width = '40px' height='30.4px' viewBox='0 0 1 1'>", 40, 30],
    ['<svg width="1in" height="72pt">', 96, 96],
    ['<svg viewBox="0 0 24 12">', 24, 12],
    ['<svg viewBox="0,0,24.6,12">', 25, 12],
    ['<svg width="100%" height="100%" viewBox="0 0 24 12">', 24, 12],
    ['<svg width="48" viewBox="0 0 24 12">', 48, 24],
    ['<svg height="6" viewBox="0 0 24 12">', 12, 6],
    ['<svg data-note="a > b" width="4" height="3">', 4, 3],
    ['<?xml version="1.0"?><!-- <svg width="9"> --><svg width="4" height="3">', 4, 3]
  ])('reads %s', (root, width, height) => {
    expect(sizeOf(root)).toEqual({ is: 'sound', width, height })
  })

  it.each([
    '<svg>',
    '<svg width="40">',
    '<svg width="10em" height="10em">',
    '<svg width="0" height="0">',
    '<svg width="99999999999" height="1">',
    '<svg width="&w;" height="&h;">',
    '<svg viewBox="0 0 a b">',
    '<svg viewBox="0 0 0 0" width="3">',
    '<svg viewBox="0 0 -4 4" width="3">',
    '<svg><svg width="4" height="3">'
  ])('has no size for %s', (root) => {
    expect(sizeOf(root)).toEqual({ is: 'sound' })
  })
})
