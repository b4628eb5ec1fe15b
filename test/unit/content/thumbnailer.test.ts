import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { hasThumbnail, Thumbnailer } from '../../../src/content/thumbnailer.ts'
import * as make from '../../fixtures/make-images.ts'

const folder = mkdtempSync(join(tmpdir(), 'tumesh-thumbnails-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let drawer = new Thumbnailer({ clock: systemClock })
afterEach(() => {
  drawer.stop()
  drawer = new Thumbnailer({ clock: systemClock })
})

function fileOf(bytes: Uint8Array): string {
  const file = join(folder, 'image')
  writeFileSync(file, bytes)
  return file
}

async function draw(bytes: Uint8Array, mediaType = 'image/png', size = 32) {
  const drawn = await drawer.draw({ file: fileOf(bytes), mediaType, size })
  if ('why' in drawn) return drawn.why
  const { format, width, height, exif } = await sharp(drawn.bytes).metadata()
  return { format, width, height, exif }
}

describe('Thumbnailer', () => {
  it('makes the longer side as long as asked, and no image larger', async () => {
    const tall = await make.makeImage('png', { width: 60, height: 120 })
    expect(await draw(tall)).toMatchObject({ format: 'webp', width: 16, height: 32 })
    expect(await draw(tall, 'image/png', 500)).toMatchObject({ width: 60, height: 120 })
  })

  it('turns it upright and leaves out what the camera wrote', async () => {
    const turned = await sharp(await make.makeImage('jpeg', { width: 64, height: 32 }))
      .withExif({ IFD0: { Artist: 'somebody' } })
      .withMetadata({ orientation: 6 })
      .toBuffer()
    const shown = { format: 'webp', width: 16, height: 32, exif: undefined }
    expect(await draw(turned, 'image/jpeg')).toEqual(shown)
  })

  it('says why it draws nothing of bytes that are no such image, and goes on', async () => {
    const png = await make.makeImage('png', { width: 64, height: 64 })
    expect(await draw(png, 'image/jpeg')).toBe('it is image/png')
    expect(await draw(png.subarray(0, png.length / 2))).toEqual(expect.any(String))
    expect(await draw(make.makeSvg(), 'image/svg+xml')).toEqual(expect.any(String))
    expect(await draw(png)).toMatchObject({ width: 32 })
  })

  it('goes on with another process when one was ended', async () => {
    const png = await make.makeImage('png')
    await draw(png)
    const task = `/proc/${process.pid}/task/${process.pid}/children`
    for (const pid of readFileSync(task, 'utf8').trim().split(' ')) {
      if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('thumbnail-process')) {
        process.kill(Number(pid), 'SIGKILL')
      }
    }
    expect(await draw(png)).toBe('the program that draws it has ended')
    expect(await draw(png)).toMatchObject({ width: 32 })
  })

  it('begins no other once it is stopped', async () => {
    const png = await make.makeImage('png')
    const all = [draw(png), draw(png)]
    drawer.stop()
    expect(await Promise.all(all)).toEqual([
      'the program that draws it has ended',
      'the node stops'
    ])
  })
})

describe('hasThumbnail', () => {
  it.each([
    ['image/jpeg', true],
    ['image/avif', true],
    ['image/svg+xml', false],
    ['image/heic', false],
    ['application/octet-stream', false]
  ])('%s %s', (mediaType, expected) => expect(hasThumbnail(mediaType)).toBe(expected))
})
