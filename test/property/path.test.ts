import { posix, win32 } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extensionOf, PATH_BYTES_MAX, parsePath, pathFault } from '../../protocols/path.ts'
import { WireError } from '../../protocols/wire-error.ts'

const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '/',
        '\\',
        'a',
        'b.jpg',
        'CON',
        'nul.txt',
        ' ',
        '\0',
        '\n',
        'ä',
        'a\u0308',
        '\u202E',
        '\uD800',
        'C:',
        '~',
        '%2e%2e'
      ),
      fc.string({ unit: 'binary', maxLength: 5 })
    ),
    { maxLength: 8 }
  )
  .chain((parts) => fc.constantFrom(parts.join('/'), parts.join('')))

describe('paths', () => {
  test('that are accepted never leave their folder, on any system', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        let path: string
        try {
          path = parsePath(text)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
          return
        }
        for (const system of [posix, win32]) {
          expect(system.isAbsolute(path)).toBe(false)
          const plain = system.normalize(path).replaceAll('\\', '/')
          expect(plain.replace(/^\.\//, '')).toBe(path) // win32 puts ./ before names such as CONa
        }
        expect(path.split('/')).not.toContain('..')
        expect(path).toBe(path.normalize('NFC'))
        expect(Buffer.byteLength(path)).toBeLessThanOrEqual(PATH_BYTES_MAX)
        expect(encodeURIComponent(path)).toBeTypeOf('string') // throws for lone surrogates
      }),
      { numRuns: 5000 }
    )
  })

  test('are the same once parsed again', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        fc.pre(pathFault(text.normalize('NFC')) === undefined && text.isWellFormed())
        expect(parsePath(parsePath(text))).toBe(parsePath(text))
      })
    )
  })

  test.each([
    ['', 'empty'],
    ['/etc/passwd', 'relative'],
    ['a/../b.jpg', '".."'],
    ['./a.jpg', '"."'],
    ['a//b.jpg', 'empty part'],
    ['a/', 'folder'],
    ['a\\b.jpg', 'not every system'],
    ['C:/a.jpg', 'not every system'],
    ['a\0.jpg', 'control'],
    ['a\u202Egpj.exe', 'control or direction'],
    ['con.jpg', 'device'],
    ['x/LPT1', 'device'],
    ['a./b.jpg', 'ends with a dot'],
    [' a.jpg', 'starts with a space'],
    ['a\uD800.jpg', 'Unicode'],
    ['x'.repeat(1025), 'longer']
  ])('%j is refused: %s', (text, reason) => {
    expect(() => parsePath(text)).toThrow(reason)
  })

  test('a decomposed name becomes the composed one', () => {
    expect(parsePath('a\u0308.jpg')).toBe('\u00E4.jpg')
  })

  test.each([
    ['a.JPG', 'jpg'],
    ['x.y/a', ''],
    ['.jpg', ''],
    ['a.tar.gz', 'gz'],
    ['x/b.jpeg', 'jpeg']
  ])('the extension of %s is %j', (path, extension) => {
    expect(extensionOf(path)).toBe(extension)
  })
})
