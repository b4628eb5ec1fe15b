import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sniff } from '../../../src/content/sniff.ts'
import * as make from '../../fixtures/make-images.ts'
import { PHOTOS, readPhoto } from '../../fixtures/photos.ts'

/** The kind as one word: "png", "html", "?". */
function kindOf(content: Uint8Array | string, bytes?: number): string {
  const head = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  const sniffed = sniff(head, bytes ?? head.length)
  return sniffed.is === 'unknown' ? '?' : sniffed.kind
}

describe('sniff: images', () => {
  it('knows real photographs', () => {
    for (const number of PHOTOS.keys()) expect(kindOf(readPhoto(number))).toBe('jpeg')
  })

  it.each(make.SHARP_KINDS)('knows %s', async (kind) => {
    expect(kindOf(await make.makeImage(kind))).toBe(kind)
  })

  it('knows what sharp does not write', async () => {
    expect(kindOf(make.makeBmp())).toBe('bmp')
    expect(kindOf(await make.makeIco())).toBe('ico')
    expect(kindOf(make.makeJxl({ contained: true }))).toBe('jxl')
    expect(kindOf('MM\0*\0\0\0\x08')).toBe('tiff')
    expect(kindOf('II+\0\x08\0\0\0')).toBe('tiff')
    expect(kindOf('MM\0+\0\x08\0\0')).toBe('tiff')
  })

  it('is not certain of a bare JPEG XL codestream: two bytes', () => {
    const head = make.makeJxl()
    expect(sniff(head, head.length)).toEqual({ is: 'image', kind: 'jxl', certain: false })
  })

  it.each([
    ['heic', 'heic'],
    ['heix', 'heic'],
    ['mif1', 'heif'],
    ['avif', 'avif'],
    ['avis', 'avif']
  ])('reads the brand %s as %s', (brand, kind) => {
    expect(kindOf(make.makeHeic({ brand }))).toBe(kind)
  })

  it('lets the compatible brands decide where the major brand is general', () => {
    expect(kindOf('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf')).toBe('avif')
    expect(kindOf('\0\0\0\x18ftypmif1\0\0\0\0mif1heic')).toBe('heic')
    // A brand behind the end of the box is no brand.
    expect(kindOf('\0\0\0\x14ftypmif1\0\0\0\0mif1heic')).toBe('heif')
  })

  it('wants structure behind short magics', () => {
    expect(kindOf('BM and then some words that are no bitmap at all')).toBe('?')
    expect(kindOf(make.makeBmp().subarray(0, 27))).toBe('?')
    expect(kindOf(`\0\0\x01\0\x01\0${'\0'.repeat(60)}`)).toBe('?')
    const icon = '\0\0\x01\0\x01\0\x20\x20\0\0\0\0\0\0\x02\0\0\0\x16\0\0\0xx'
    expect(kindOf(icon)).toBe('ico')
    expect(kindOf(icon.slice(0, -1))).toBe('?')
    expect(kindOf('\0\0\x02\0\x01\0\x20\x20\0\0\0\0\0\0\x01\0\0\0\x16\0\0\0x')).toBe('?')
  })

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '\xef\xbb\xbf<svg>',
    ' \n\t<svg\n>',
    '<?xml version="1.0"?>\n<!-- made by hand --><svg >',
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/svg11.dtd"><svg>',
    '<!DOCTYPE svg [<!ENTITY a "[b]"> <!ENTITY c "d">] ><svg width="1">',
    '<svg:svg xmlns:svg="http://www.w3.org/2000/svg">'
  ])('knows an SVG: %s', (text) => {
    expect(kindOf(text)).toBe('svg')
  })

  it('knows an SVG in UTF-16', () => {
    expect(kindOf(Buffer.from('\ufeff<?xml version="1.0"?><svg>', 'utf16le'))).toBe('svg')
    expect(kindOf(Buffer.from('\ufeff<svg>', 'utf16le').swap16())).toBe('svg')
  })
})

describe('sniff: positively something else', () => {
  it.each([
    ['html', '<!DOCTYPE html><title>404</title>'],
    ['html', '<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">'],
    ['html', '\xef\xbb\xbf\r\n <HTML>'],
    ['html', '<!-- error --><head>'],
    ['html', '<!-- error -->Not found'],
    ['html', '<script>alert(1)</script>'],
    ['html', '<br />\n<b>Warning</b>: no database'],
    ['html', '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'],
    ['php', '<?php system($_GET[0]);'],
    ['php', '\n<?= 1 ?>'],
    ['script', '#!/bin/sh\n'],
    ['script', '#! /usr/bin/env python3\n'],
    ['script', '@echo off\r\ndel *'],
    ['json', '{"error": "not found"}'],
    ['json', ' []'],
    ['xml', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
    ['xml', '<rss version="2.0">'],
    ['elf', '\x7fELF\x02\x01'],
    ['mach-o', '\xcf\xfa\xed\xfe\x07'],
    ['mach-o', '\xca\xfe\xba\xbe\0\0\0\x02'],
    ['java', '\xca\xfe\xba\xbe\0\0\0\x41'],
    ['wasm', '\0asm\x01\0\0\0'],
    ['zip', 'PK\x03\x04\x14\0'],
    ['xz', '\xfd7zXZ\0'],
    ['7z', '7z\xbc\xaf\x27\x1c'],
    ['rar', 'Rar!\x1a\x07\0'],
    ['bzip2', 'BZh91AY&SY'],
    ['tar', `photo.png${'\0'.repeat(248)}ustar\0`],
    ['pdf', '%PDF-1.7\n'],
    ['postscript', '%!PS-Adobe-3.0'],
    ['rtf', '{\\rtf1'],
    ['ole', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
    ['psd', '8BPS\0\x01'],
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['sqlite', 'SQLite format 3\0'],
    ['mp4', '\0\0\0\x18ftypisom\0\0\x02\0isommp41'],
    ['mp4', '\0\0\0\x14ftypqt  \0\0\0\0qt  '],
    ['matroska', '\x1a\x45\xdf\xa3\x01'],
    ['avi', 'RIFF\0\0\0\0AVI LIST'],
    ['wav', 'RIFF\0\0\0\0WAVEfmt '],
    ['ogg', 'OggS\0\x02'],
    ['flac', 'fLaC\0\0\0\x22'],
    ['mp3', 'ID3\x04\0\0\0\0\x02\x01'],
    ['font', 'wOF2\0\x01\0\0']
  ])('knows %s: %j', (kind, text) => {
    expect(kindOf(text)).toBe(kind)
  })

  it('knows real compressed data', () => {
    expect(kindOf(gzipSync('x'))).toBe('gzip')
    expect(kindOf(zstdCompressSync('x'))).toBe('zstd')
  })

  it('knows the running program', async () => {
    const { openSync, readSync, closeSync, statSync } = await import('node:fs')
    const head = Buffer.alloc(1000)
    const file = openSync(process.execPath, 'r')
    readSync(file, head)
    closeSync(file)
    const kinds = { linux: 'elf', darwin: 'mach-o', win32: 'pe' } as Record<string, string>
    expect(kindOf(head, statSync(process.execPath).size)).toBe(kinds[process.platform])
  })

  it('knows Windows programs by their header, and DOS programs by sizes that fit', () => {
    const windows = Buffer.alloc(512)
    windows.write('MZ')
    windows.writeUInt32LE(0x80, 0x3c)
    windows.write('PE\0\0', 0x80)
    expect(kindOf(windows)).toBe('pe')
    const dos = Buffer.alloc(1024)
    dos.write('MZ')
    dos.writeUInt16LE(2, 4)
    dos.writeUInt16LE(4, 8)
    expect(kindOf(dos)).toBe('pe')
    expect(kindOf(`MZ${'x'.repeat(500)}`)).toBe('?')
  })

  it('needs no end of a long JSON text', () => {
    expect(kindOf('{ "items": [1, 2', 1_000_000)).toBe('json')
    expect(kindOf('{ "items": [1, 2')).toBe('?')
  })
})

describe('sniff: unknown', () => {
  it.each([
    '',
    'hello',
    'Not found\n',
    '<',
    '<3 you',
    '<!-- never closed',
    '<!DOCTYPE svg [ <!ENTITY',
    '{ no json }',
    '#hashtag',
    '\0\0\0\x18ftypcrx \0\0\0\0crx ',
    '\x1f\x8b\x08',
    'ID3'
  ])('does not guess at %j', (text) => {
    expect(kindOf(text)).toBe('?')
  })

  it('takes no random bytes for text, whatever they begin with', () => {
    const noise = make.noiseBytes(600)
    for (const start of ['<b>', '<?=', '{"a"', '<svg>']) {
      expect(kindOf(Buffer.concat([Buffer.from(start), noise])), start).toBe('?')
    }
  })
})
