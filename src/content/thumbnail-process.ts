// A process of its own that makes one small picture after the other: what an image does to the
// decoder, and the memory that takes, is gone with it. It ends with the node that began it.

import { setPriority } from 'node:os'
import sharp from 'sharp'
import type { Drawn, ThumbnailOrder } from './thumbnailer.ts'

/** Behind everything that somebody waits for. */
const NICENESS = 10
/** Good enough for a tile; 4 takes a third longer for 3 % less. */
const WEBP = { quality: 76, effort: 2 }

sharp.cache(false)
sharp.concurrency(1)
// drawing one is running its author's program; none is ever ordered
sharp.block({ operation: ['VipsForeignLoadSvg'] })
try {
  setPriority(NICENESS)
} catch {
  // not allowed here: it is slower for others, not wrong
}

process.on('message', (order: ThumbnailOrder) => {
  draw(order).then(
    (bytes) => answer({ bytes }),
    (error: Error) => answer({ why: error.message })
  )
})
process.on('disconnect', () => process.disconnect?.())

function answer(drawn: Drawn): void {
  process.send?.(drawn)
}

/** The first frame, upright, without what the camera wrote beside it. */
async function draw({ file, mediaType, size, pixelsMax }: ThumbnailOrder): Promise<Uint8Array> {
  const image = sharp(file, { failOn: 'error', limitInputPixels: pixelsMax, pages: 1 })
  const found = await image.metadata()
  if (found.mediaType !== mediaType) throw new Error(`it is ${found.mediaType}`)
  return image
    .autoOrient()
    .resize(size, size, { fit: 'inside', withoutEnlargement: true })
    .webp(WEBP)
    .toBuffer()
}
