import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import {
  createInspector,
  type InspectedBytes,
  type Inspection
} from '../../../src/content/inspect.ts'
import * as make from '../../fixtures/make-images.ts'
import { readPhoto } from '../../fixtures/photos.ts'

const inspect = createInspector({ clock: systemClock })

/** As the store hands them over: small ones whole, large ones in a file. */
function inMemory(content: Uint8Array | string): InspectedBytes {
  const whole = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  return { head: whole.subarray(0, 65_536), bytes: whole.length, whole, file: undefined }
}

function lenient(content: Uint8Array | string, extension: string): Promise<Inspection> {
  return inspect(inMemory(content), { extension, strict: false })
}

function strictly(content: Uint8Array | string, extension: string): Promise<Inspection> {
  return inspect(inMemory(content), { extension, strict: true, name: `photo.${extension}` })
}

const kept = (kind: string, mediaType: string, width?: number, height?: number) => ({
  ok: true,
  recognized: true,
  kind,
  mediaType,
  width,
  height
})
const UNRECOGNIZED = { ok: true, recognized: false, mediaType: 'application/octet-stream' }
const GIF_SCRIPT = 'GIF89a/*abcdefghijklmnopqrstuvwxyz*/=1;alert(1)//'
const JPEG_HEADER_ONLY = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex')

describe('what is kept as an image', () => {
  it('a photograph under each of its extensions', async () => {
    const photo = readPhoto(3)
    for (const extension of ['jpg', 'jpeg', 'JPG']) {
      expect(await lenient(photo, extension)).toEqual(kept('jpeg', 'image/jpeg', 1024, 750))
    }
  })

  it.each(make.SHARP_KINDS)('%s, the same in both modes', async (kind) => {
    const image = await make.makeImage(kind)
    const expected = kept(kind, `image/${kind}`, 40, 30)
    expect(await lenient(image, kind)).toEqual(expected)
    expect(await strictly(image, kind)).toEqual(expected)
  })

  it('kinds that nothing here decodes', async () => {
    expect(await lenient(make.makeBmp(), 'bmp')).toEqual(kept('bmp', 'image/bmp', 40, 30))
    expect(await lenient(await make.makeIco(), 'ico')).toEqual(
      kept('ico', 'image/vnd.microsoft.icon', 40, 30)
    )
    expect(await lenient(make.makeHeic(), 'heif')).toEqual(kept('heic', 'image/heic', 40, 30))
    expect(await lenient(make.makeJxl(), 'jxl')).toEqual(kept('jxl', 'image/jxl', 40, 30))
  })

  it('SVG, by its root tag', async () => {
    const expected = kept('svg', 'image/svg+xml', 40, 30)
    expect(await lenient(make.makeSvg(), 'svg')).toEqual(expected)
    expect(await strictly(make.makeSvg(), 'svg')).toEqual(expected)
    const inPoints = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"/>'
    expect(await lenient(inPoints, 'svg')).toMatchObject({ width: 96, height: 48 })
    expect(await strictly(inPoints, 'svg')).toMatchObject({ width: 96, height: 48 })
  })

  it('sizes as stored, whatever the orientation flag says', async () => {
    const turned = await sharp(readPhoto(3)).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect(await lenient(turned, 'jpg')).toMatchObject({ width: 1024, height: 750 })
    expect(await strictly(turned, 'jpg')).toMatchObject({ width: 1024, height: 750 })
  })

  it('a JPEG with stray bytes between its segments, since decoders go over them', async () => {
    const jpeg = await make.makeImage('jpeg')
    const odd = Buffer.concat([jpeg.subarray(0, 20), Buffer.from([0]), jpeg.subarray(20)])
    expect(await lenient(odd, 'jpg')).toMatchObject({ recognized: true, width: 40, height: 30 })
  })

  it('a damaged image, as long as only decoding could tell', async () => {
    const photo = readPhoto().subarray(0, 100_000)
    expect(await lenient(photo, 'jpg')).toMatchObject({ recognized: true, kind: 'jpeg' })
  })
})

describe('what is kept unrecognised', () => {
  it.each([
    ['no bytes', ''],
    ['noise', make.noiseBytes(5_000)],
    ['plain text', 'hello'],
    ['the header of a JPEG alone', JPEG_HEADER_ONLY],
    ['what starts like a bare JPEG XL', Buffer.from([0xff, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8])]
  ])('%s', async (_what, content) => {
    expect(await lenient(content, 'jpg')).toMatchObject(UNRECOGNIZED)
  })

  it('a script that starts like a GIF', async () => {
    expect(await lenient(GIF_SCRIPT, 'gif')).toMatchObject(UNRECOGNIZED)
  })

  it('anything but programs under an extension this node does not know', async () => {
    expect(await lenient('%PDF-1.7', 'pdf')).toMatchObject(UNRECOGNIZED)
    expect(await lenient('II*\0\x08\0\0\0', 'dng')).toMatchObject(UNRECOGNIZED)
  })
})

describe('what is refused', () => {
  it.each([
    [
      'jpg',
      '<!DOCTYPE html><title>404</title>',
      'photo.jpg holds HTML, not a JPEG image. The server probably answered with an error page.'
    ],
    [
      'png',
      '{"error":1}',
      'photo.png holds JSON, not a PNG image. The server probably answered with an error page.'
    ],
    ['svg', '<?php ', 'photo.svg holds PHP code, not an SVG image.'],
    ['ico', '#!/bin/sh\n', 'photo.ico holds a script, not an ICO image.'],
    ['gif', '\x7fELF\x02', 'photo.gif holds a Linux program, not a GIF image.'],
    [
      'webp',
      'PK\x03\x04',
      'photo.webp holds a ZIP archive, not a WebP image. Unpack it and upload the images in it.'
    ],
    ['heic', '\0\0\0\x14ftypqt  \0\0\0\0qt  ', 'photo.heic holds an MP4 or QuickTime video'],
    ['exe', '\x7fELF\x02', 'photo.exe holds a Linux program.'],
    ['dat', '<html>', 'photo.dat holds HTML. The server probably']
  ])('as .%s: %j', async (extension, content, reason) => {
    for (const strict of [false, true]) {
      const name = `photo.${extension}`
      const seen = await inspect(inMemory(content), { extension, strict, name })
      expect(seen).toMatchObject({ ok: false, code: 'CONTENT_MISMATCH' })
      expect(seen.ok ? '' : seen.reason).toContain(reason)
    }
  })

  it('another kind of image than the extension says', async () => {
    const png = await make.makeImage('png')
    expect(await lenient(png, 'jpg')).toMatchObject({
      ok: false,
      code: 'CONTENT_MISMATCH',
      reason: 'The .jpg file holds a PNG image; name it .png.',
      found: 'png',
      said: { code: 'content_misnamed', details: { found: 'png', extension: 'png' } }
    })
    expect(await lenient(await make.makeImage('avif'), 'heif')).toMatchObject({ found: 'avif' })
    expect(await lenient(make.makeSvg(), 'png')).toMatchObject({ found: 'svg' })
    expect(await lenient(readPhoto(), 'jxl')).toMatchObject({ found: 'jpeg' })
  })
})

describe('strict', () => {
  it.each([
    ['jpg', '', 'photo.jpg is empty.'],
    ['jpg', make.noiseBytes(5_000), 'photo.jpg holds no image that this node knows.'],
    ['jpg', JPEG_HEADER_ONLY, 'photo.jpg holds a JPEG image that is damaged or incomplete.'],
    ['gif', GIF_SCRIPT, 'photo.gif holds a GIF image that is damaged or incomplete.'],
    ['bmp', make.makeBmp(), "photo.bmp holds a BMP image, which this node can't decode."],
    ['heic', make.makeHeic(), "photo.heic holds a HEIC image, which this node can't decode."],
    ['jxl', make.makeJxl(), "photo.jxl holds a JPEG XL image, which this node can't decode."],
    ['dng', 'II*\0\x08\0\0\0', 'photo.dng holds no image that this node knows.'],
    ['svg', '<svg xmlns="http://www.w3.org/2000/svg"><g>', 'photo.svg holds an SVG image that is']
  ])('refuses as .%s what does not decode', async (extension, content, reason) => {
    const seen = await strictly(content, extension)
    expect(seen).toMatchObject({ ok: false, code: 'CONTENT_MISMATCH' })
    expect(seen.ok ? '' : seen.reason).toContain(reason)
    expect(seen.ok ? '' : seen.reason).toContain('(file_storage.content: strict)')
  })

  it.each(make.SHARP_KINDS)('refuses a %s that ends too early', async (kind) => {
    const image = await make.makeImage(kind)
    expect(await strictly(image.subarray(0, -20), kind)).toMatchObject({ ok: false })
  })

  it('refuses more pixels than the limit, without decoding them', async () => {
    const narrow = createInspector({ clock: systemClock }, { pixelsMax: 40 * 30 * 2 - 1 })
    const frames = await Promise.all([1, 2].map((seed) => make.makeImage('png', { seed })))
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    const [first = gif] = frames
    const options = { strict: true, name: 'photo' }
    expect(await narrow(inMemory(first), { ...options, extension: 'png' })).toMatchObject({
      ok: true
    })
    expect(await narrow(inMemory(gif), { ...options, extension: 'gif' })).toMatchObject({
      reason: expect.stringContaining('more pixels')
    })
  })

  it('loads nothing that an SVG refers to', async () => {
    const svg =
      '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>' +
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&x;</text></svg>'
    expect(await lenient(svg, 'svg')).toEqual(kept('svg', 'image/svg+xml', 9, 9))
    expect(await strictly(svg, 'svg')).toMatchObject({ ok: false })
  })

  it('does not wait for a decoder that never answers', async () => {
    const impatient: Clock = {
      ...systemClock,
      after(_ms, task) {
        queueMicrotask(task)
        return () => {}
      }
    }
    const hurried = createInspector({ clock: impatient })
    const png = await make.makeImage('png')
    expect(await hurried(inMemory(png), { extension: 'png', strict: true })).toMatchObject({
      reason: expect.stringContaining('took too long')
    })
    const tiff = await make.makeImage('tiff')
    const seen = await hurried(inMemory(tiff), { extension: 'tiff', strict: false })
    expect(seen).toMatchObject(UNRECOGNIZED)
  })
})

describe('blobs that are not in memory', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'inspect-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function onDisk(content: Uint8Array): InspectedBytes {
    const file = join(folder, 'staged')
    writeFileSync(file, content)
    return { head: content.subarray(0, 65_536), bytes: content.length, file }
  }

  it('are read by their head where that is enough, and decoded from the file', async () => {
    const photo = readPhoto(3)
    const head = { head: photo.subarray(0, 65_536), bytes: photo.length }
    const expected = kept('jpeg', 'image/jpeg', 1024, 750)
    expect(await inspect(head, { extension: 'jpg', strict: false })).toEqual(expected)
    expect(await inspect(onDisk(photo), { extension: 'jpg', strict: true })).toEqual(expected)
  })

  it('are read from the file where the header lies deeper', async () => {
    const jpeg = await make.makeImage('jpeg')
    const comment = Buffer.alloc(65_537, 'x')
    comment.set([0xff, 0xfe, 0xff, 0xff])
    const deep = Buffer.concat([jpeg.subarray(0, 20), comment, jpeg.subarray(20)])
    const tiff = await make.makeImage('tiff', { width: 300, height: 300 })
    expect(await inspect(onDisk(deep), { extension: 'jpg', strict: false })).toMatchObject({
      width: 40,
      height: 30
    })
    expect(await inspect(onDisk(tiff), { extension: 'tif', strict: false })).toMatchObject({
      recognized: true,
      width: 300
    })
  })

  it('are recognised without a size where nothing can look deeper', async () => {
    const heic = make.makeHeic()
    const blob = { head: heic.subarray(0, 40), bytes: heic.length }
    const expected = kept('heic', 'image/heic')
    expect(await inspect(blob, { extension: 'heic', strict: false })).toEqual(expected)
  })
})
