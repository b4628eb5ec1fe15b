// From the media type in an entry back to the kind of image.

import { IMAGE_KINDS, type ImageKind, mediaTypeOf } from '../content/kinds.ts'

/** Undefined for bytes that were not recognised, and for kinds of a newer program. */
export function kindOfMediaType(mediaType: string): ImageKind | undefined {
  return IMAGE_KINDS.find((kind) => mediaTypeOf(kind) === mediaType)
}
