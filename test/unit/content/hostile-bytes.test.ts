// Bytes that were made to harm: what is claimed of them, what is kept, and what that costs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { Decoder, isDecodable } from '../../../src/content/decoder.ts'
import { createInspector, type Inspection } from '../../../src/content/inspect.ts'
import { kindOfExtension } from '../../../src/content/kinds.ts'
import { Thumbnailer } from '../../../src/content/thumbnailer.ts'
import { makeBombs, makePng, makeZip } from '../../fixtures/make-hostile.ts'
import * as make from '../../fixtures/make-images.ts'

const inspect = createInspector({ clock: systemClock })

function look(whole: Buffer, extension: string, strict = false): Promise<Inspection> {
  const head = whole.subarray(0, 65_536)
  return inspect({ head, bytes: whole.length, whole }, { extension, strict })
}

const bombs = Object.entries(await makeBombs())

describe('a few bytes that claim to be endless', () => {
  /** What is said of each where nothing is decoded; the sides are only told. */
  const told: Readonly<Record<string, unknown>> = {
    png: { kind: 'png', width: 60_000, height: 60_000 },
    jpg: { kind: 'jpeg', width: 65_500, height: 65_500 },
    gif: { kind: 'gif', width: 5000, height: 5000 },
    webp: { kind: 'webp', width: 16_000, height: 16_000 },
    avif: { kind: 'avif', width: 60_000, height: 60_000 },
    tiff: { kind: undefined, recognized: false },
    bmp: { kind: 'bmp', width: 2 ** 30, height: 2 ** 30 },
    ico: { kind: 'ico', width: 256, height: 256 },
    svg: { kind: 'svg', width: 9, height: 9 }
  }

  test.each(bombs)('%s: kept as it is, and never where it must decode', async (kind, bytes) => {
    expect(bytes.length).toBeLessThan(10_000)
    expect(await look(bytes, kind)).toMatchObject({ ok: true, ...(told[kind] as object) })
    expect(await look(bytes, kind, true)).toMatchObject({ ok: false, code: 'CONTENT_MISMATCH' })
  })

  test.each(bombs)('%s: the decoder says no before it takes memory', async (extension, bytes) => {
    const kind = kindOfExtension(extension)
    if (kind === undefined || !isDecodable(kind)) return
    const before = process.memoryUsage().rss
    const decoded = await new Decoder({ clock: systemClock }).decode(kind, bytes)
    expect(decoded).toMatchObject({ is: 'failed', why: kind === 'svg' ? 'damaged' : 'pixels' })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
  })

  describe('as small pictures', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tumesh-bombs-'))
    const drawer = new Thumbnailer({ clock: systemClock })
    afterAll(async () => {
      await drawer.stop()
      rmSync(folder, { recursive: true })
    })

    test.each(bombs)('%s: is not drawn beyond its first frame', async (extension, bytes) => {
      const file = join(folder, `bomb.${extension}`)
      writeFileSync(file, bytes)
      const seen = await look(bytes, extension)
      if (!seen.ok) throw new Error('it was refused')
      const order = { file, mediaType: seen.mediaType, size: 64, pixelsMax: 64_000_000 }
      const drawn = await drawer.draw(order)
      // the first of its frames alone is an ordinary picture
      expect('why' in drawn).toBe(extension !== 'gif')
    })
  })
})

const SCRIPT = '<script>alert(1)</script>'
const PAGE = `<!DOCTYPE html><html><body>${SCRIPT}</body></html>`
const svg = (content: string, before = '') =>
  Buffer.from(
    `${before}<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4">${content}</svg>`
  )

describe('bytes that are two things at once are served as the image that their name says', async () => {
  const png = await make.makeImage('png')
  const jpeg = await make.makeImage('jpeg')
  test.each([
    ['GIF and script', 'gif', Buffer.from('GIF89a/*aaaaaaaaaaaaaaaaaaaa*/=1;alert(1)//')],
    ['PNG, then an archive', 'png', Buffer.concat([png, makeZip()])],
    ['PNG, then a page', 'png', Buffer.concat([png, Buffer.from(PAGE)])],
    ['PNG with a page in a text', 'png', makePng(4, 4, Buffer.from(`Comment\0${PAGE}`))],
    ['JPEG, then an archive', 'jpg', Buffer.concat([jpeg, makeZip()])],
    ['JPEG, then PHP', 'jpg', Buffer.concat([jpeg, Buffer.from('<?php system($_GET[0]);')])],
    ['SVG with a script', 'svg', svg(SCRIPT)],
    ['SVG with a handler', 'svg', svg('<rect onload="alert(1)" width="1" height="1"/>')],
    ['SVG with a page inside', 'svg', svg(`<foreignObject>${PAGE}</foreignObject>`)],
    ['SVG that asks others', 'svg', svg('<image href="http://127.0.0.1:9/x.png"/>')],
    ['SVG with entities', 'svg', svg('&x;', '<!DOCTYPE svg [<!ENTITY x "y">]>')],
    ['SVG with a file', 'svg', svg('&x;', '<!DOCTYPE svg [<!ENTITY x SYSTEM "/etc/passwd">]>')]
  ])('%s', async (_what, extension, bytes) => {
    const seen = await look(bytes, extension)
    expect(seen.ok).toBe(true)
    if (!seen.ok) return
    expect([
      'application/octet-stream',
      `image/${extension}`,
      'image/jpeg',
      'image/svg+xml'
    ]).toContain(seen.mediaType)
    for (const other of ['png', 'jpg', 'gif', 'webp', 'svg'].filter((one) => one !== extension)) {
      expect(await look(bytes, other)).toMatchObject({ ok: false })
    }
  })
})

describe('what is no image is refused under every name', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(PAGE, 'utf16le')])
  const pages: readonly (readonly [string, Buffer])[] = [
    ['a page', Buffer.from(PAGE)],
    ['a page in capitals', Buffer.from('<HTML><BODY>')],
    ['a page after space', Buffer.from(`${' \n\t'.repeat(2000)}${PAGE}`)],
    ['a page after a mark', Buffer.concat([Buffer.from('\ufeff'), Buffer.from(PAGE)])],
    ['a page after a comment', Buffer.from(`<!-- GIF89a -->${PAGE}`)],
    ['a page of two bytes a letter', utf16],
    ['a script tag', Buffer.from(SCRIPT)],
    [
      'a page as XML',
      Buffer.from(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>`)
    ],
    ['PHP', Buffer.from('<?php phpinfo();')],
    ['a shell script', Buffer.from('#!/bin/sh\nrm -rf /')],
    ['a program', Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(100)])],
    ['an archive', makeZip()]
  ]
  test.each(pages)('%s', async (_what, bytes) => {
    for (const extension of ['jpg', 'png', 'gif', 'webp', 'avif', 'bmp', 'ico', 'tiff', 'svg']) {
      expect(await look(bytes, extension)).toMatchObject({ ok: false, code: 'CONTENT_MISMATCH' })
      expect(await look(bytes, extension, true)).toMatchObject({ ok: false })
    }
  })
})

test('an image under the name of another kind is refused, and the right name is told', async () => {
  const all = await Promise.all(
    make.SHARP_KINDS.map(async (kind) => [kind, await make.makeImage(kind)] as const)
  )
  for (const [kind, bytes] of all) {
    for (const other of make.SHARP_KINDS.filter((one) => one !== kind)) {
      const seen = await look(bytes, other)
      expect(seen).toMatchObject({ ok: false, found: kind })
    }
  }
})
