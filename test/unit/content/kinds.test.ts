import { describe, expect, it } from 'vitest'
import {
  acceptsKind,
  extensionOfKind,
  IMAGE_KINDS,
  kindOfExtension,
  mediaTypeOf,
  nameOfKind
} from '../../../src/content/kinds.ts'

describe('kinds', () => {
  it('knows every extension that is allowed by default', () => {
    for (const extension of 'jpg jpeg png gif webp avif bmp tiff svg ico heic heif jxl'.split(
      ' '
    )) {
      expect(kindOfExtension(extension), extension).toBeDefined()
    }
  })

  it('reads extensions in any case, and says nothing about others', () => {
    expect(kindOfExtension('JPG')).toBe('jpeg')
    expect(kindOfExtension('exe')).toBeUndefined()
    expect(kindOfExtension('')).toBeUndefined()
    expect(kindOfExtension('constructor')).toBeUndefined()
  })

  it('recommends an extension that names the kind', () => {
    for (const kind of IMAGE_KINDS) expect(kindOfExtension(extensionOfKind(kind))).toBe(kind)
  })

  it('lets several extensions name one kind', () => {
    expect(acceptsKind('jpg', 'jpeg')).toBe(true)
    expect(acceptsKind('JPEG', 'jpeg')).toBe(true)
    expect(acceptsKind('tif', 'tiff')).toBe(true)
  })

  it('takes HEIC and HEIF for each other, AVIF for neither', () => {
    expect(acceptsKind('heic', 'heif')).toBe(true)
    expect(acceptsKind('heif', 'heic')).toBe(true)
    expect(acceptsKind('heif', 'avif')).toBe(false)
    expect(acceptsKind('avif', 'heic')).toBe(false)
  })

  it('accepts nothing under an extension it does not know', () => {
    expect(acceptsKind('xyz', 'png')).toBe(false)
  })

  it('has a media type and a name for each', () => {
    expect(mediaTypeOf('svg')).toBe('image/svg+xml')
    expect(nameOfKind('avif')).toBe('an AVIF image')
    for (const kind of IMAGE_KINDS) expect(mediaTypeOf(kind)).toMatch(/^image\//)
  })
})
