// What can be set about the bytes on disk: `file_storage` and `images`.

import { z } from 'zod'
import {
  booleanField,
  choiceField,
  durationField,
  integerField,
  listField,
  pathField,
  type Reserve,
  reserveField,
  sizeField
} from '../base/fields.ts'

const EXTENSIONS = 'jpg jpeg png gif webp avif bmp tiff svg ico heic heif jxl'.split(' ')

/** Ten years: ages run from rows in the index, not from timers. */
const KEEP_MS_MAX = 3_650 * 86_400e3

/** More than any kind of image can claim. */
const PIXELS_MAX = Number.MAX_SAFE_INTEGER

export const fileStorageSection = z.strictObject({
  local_path: pathField().prefault('./data').describe('The data folder of this node'),
  sync_enabled: booleanField()
    .prefault(true)
    .describe(
      'Fetch the images of other nodes onto this disk. Otherwise it keeps those that are read here, and lets none of them go by itself'
    ),
  sync_timeout: durationField(100)
    .prefault('30s')
    .describe(
      'A peer from which nothing comes for so long, or next to nothing for twice as long, is left for another'
    ),
  max_file_size: sizeField(1).prefault('100MB').describe('Larger images are refused'),
  allowed_extensions: listField('extensions such as jpg, with or without dot', readExtension)
    .prefault(EXTENSIONS)
    .describe('Names with other extensions are refused'),
  content: choiceField(['tolerant', 'strict'])
    .prefault('tolerant')
    .describe('tolerant keeps bytes that no decoder knows; strict refuses them'),
  min_pixels: integerField(0, PIXELS_MAX)
    .prefault(0)
    .describe('Images of fewer are refused, such as those of 1 by 1 that only count readers'),
  max_pixels: integerField(0, PIXELS_MAX)
    .prefault(0)
    .describe('Images of more are refused, which few programs can show; 0: there is no bound'),
  reserve: reserveField()
    .prefault('1GiB, 5%')
    .describe('Kept free on the disk. Of a size and a share, the smaller one counts'),
  trash_keep: durationField(0, KEEP_MS_MAX)
    .prefault('7d')
    .describe('How long deleted and replaced images can be restored'),
  trash_size: sizeField(0)
    .prefault('10GiB')
    .describe('Most bytes in the trash; the oldest go first'),
  thumbnails_size: sizeField(0)
    .prefault('500MB')
    .describe('Most bytes of small pictures, which are made again when they are missed')
})

export interface FileStorageOptions {
  readonly localPath: string
  readonly syncEnabled: boolean
  readonly syncTimeoutMs: number
  readonly maxFileSizeBytes: number
  /** Lower case, without dot. */
  readonly allowedExtensions: readonly string[]
  readonly content: 'tolerant' | 'strict'
  readonly minPixels: number
  /** 0: no bound. */
  readonly maxPixels: number
  readonly reserve: Reserve
  readonly trashKeepMs: number
  readonly trashSizeBytes: number
  readonly thumbnailsSizeBytes: number
}

export function fileStorageOptions(
  section: z.output<typeof fileStorageSection>
): FileStorageOptions {
  return {
    localPath: section.local_path,
    syncEnabled: section.sync_enabled,
    syncTimeoutMs: section.sync_timeout,
    maxFileSizeBytes: section.max_file_size,
    allowedExtensions: section.allowed_extensions,
    content: section.content,
    minPixels: section.min_pixels,
    maxPixels: section.max_pixels,
    reserve: section.reserve,
    trashKeepMs: section.trash_keep,
    trashSizeBytes: section.trash_size,
    thumbnailsSizeBytes: section.thumbnails_size
  }
}

/** Bytes to keep free on a disk of this size. */
export function reservedBytes({ bytes, share }: Reserve, diskBytes: number): number {
  const shareBytes = share === undefined ? Number.POSITIVE_INFINITY : Math.floor(share * diskBytes)
  return Math.min(bytes ?? Number.POSITIVE_INFINITY, shareBytes)
}

export const imagesSection = z.strictObject({
  view: choiceField(['auto', 'copy', 'off'])
    .prefault('auto')
    .describe('How images/ shows the blobs: auto shares their bytes (reflink or hard link)')
})

export interface ImagesOptions {
  readonly view: 'auto' | 'copy' | 'off'
}

function readExtension(text: string): string | undefined {
  const [, extension] = /^\.?([a-z0-9]{1,16})$/.exec(text.trim().toLowerCase()) ?? []
  return extension
}
