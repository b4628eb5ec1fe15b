// The kinds of image this node knows by their bytes: their names, extensions and media types.

interface KindFacts {
  /** As in "holds a PNG image". */
  readonly name: string
  readonly mediaType: string
  /** Lower case, without the dot; the first is the one to recommend. */
  readonly extensions: readonly string[]
}

const KINDS = {
  jpeg: {
    name: 'a JPEG image',
    mediaType: 'image/jpeg',
    extensions: ['jpg', 'jpeg', 'jpe', 'jfif']
  },
  png: { name: 'a PNG image', mediaType: 'image/png', extensions: ['png'] },
  gif: { name: 'a GIF image', mediaType: 'image/gif', extensions: ['gif'] },
  webp: { name: 'a WebP image', mediaType: 'image/webp', extensions: ['webp'] },
  avif: { name: 'an AVIF image', mediaType: 'image/avif', extensions: ['avif'] },
  bmp: { name: 'a BMP image', mediaType: 'image/bmp', extensions: ['bmp'] },
  tiff: { name: 'a TIFF image', mediaType: 'image/tiff', extensions: ['tiff', 'tif'] },
  svg: { name: 'an SVG image', mediaType: 'image/svg+xml', extensions: ['svg'] },
  ico: { name: 'an ICO image', mediaType: 'image/vnd.microsoft.icon', extensions: ['ico'] },
  heic: { name: 'a HEIC image', mediaType: 'image/heic', extensions: ['heic'] },
  heif: { name: 'a HEIF image', mediaType: 'image/heif', extensions: ['heif', 'hif'] },
  jxl: { name: 'a JPEG XL image', mediaType: 'image/jxl', extensions: ['jxl'] }
} as const satisfies Record<string, KindFacts>

export type ImageKind = keyof typeof KINDS

export const IMAGE_KINDS = Object.keys(KINDS) as readonly ImageKind[]

/** What unrecognised bytes are served as: no browser shows or runs it. */
export const UNRECOGNIZED_MEDIA_TYPE = 'application/octet-stream'

const KIND_OF_EXTENSION: ReadonlyMap<string, ImageKind> = new Map(
  IMAGE_KINDS.flatMap((kind) => KINDS[kind].extensions.map((extension) => [extension, kind]))
)

/** Undefined for extensions that say nothing to this node. Any case, without the dot. */
export function kindOfExtension(extension: string): ImageKind | undefined {
  return KIND_OF_EXTENSION.get(extension.toLowerCase())
}

export function mediaTypeOf(kind: ImageKind): string {
  return KINDS[kind].mediaType
}

/** "a PNG image". */
export function nameOfKind(kind: ImageKind): string {
  return KINDS[kind].name
}

/** "png": the extension to recommend. */
export function extensionOfKind(kind: ImageKind): string {
  return KINDS[kind].extensions[0]
}

/**
 * Whether a file with this extension may hold this kind. HEIC and HEIF are one container under two
 * brands, and cameras mix the names; AVIF shares the container but not the name.
 */
export function acceptsKind(extension: string, kind: ImageKind): boolean {
  const expected = kindOfExtension(extension)
  return expected !== undefined && family(expected) === family(kind)
}

function family(kind: ImageKind): ImageKind {
  return kind === 'heif' ? 'heic' : kind
}
