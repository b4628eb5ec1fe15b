// The images of the demo: eight real photographs, and made ones of many kinds and sizes. They are
// files, so that no size needs more memory than a piece of it.

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, openAsBlob, readdirSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

export interface Picture {
  /** Its path in the mesh. */
  readonly path: string
  readonly body: Blob
  readonly bytes: number
  readonly sha256: string
}

interface Shape {
  readonly width: number
  readonly height: number
}

const PACKAGES = join(import.meta.dirname, '../../node_modules/@stdlib')
const KINDS = ['jpeg', 'png', 'webp', 'gif', 'avif'] as const
const SIDES = [130, 200, 400, 900]
const BITMAPS = 12
const BITMAP_BYTES_MIN = 1050
const BITMAP_HEAD_BYTES = 54
const BANDS = 100
const GRAIN = 31
const GRAIN_PIXELS = 64
const PIECE_BYTES = 2 ** 20

/** From development packages. Throws if they are not installed. */
export async function photographs(): Promise<Picture[]> {
  const names = existsSync(PACKAGES) ? readdirSync(PACKAGES) : []
  const found = names.flatMap((name) => /^datasets-img-(.+)$/.exec(name)?.[1] ?? [])
  if (found.length === 0) {
    throw new Error('The photographs are not installed. `npm run demo` installs them.')
  }
  return Promise.all(
    found.map(async (name) => {
      const file = join(PACKAGES, `datasets-img-${name}/data/image.jpg`)
      return pictureOf(`photos/${name}.jpg`, await openAsBlob(file))
    })
  )
}

/** Twenty small pictures of five kinds, and twelve bitmaps from 1 KB to `bytesMax`. */
export async function makePictures(folder: string, bytesMax: number): Promise<Picture[]> {
  await mkdir(folder)
  const pictures: Picture[] = []
  for (const kind of KINDS) {
    for (const side of SIDES) pictures.push(await makePicture(`made/${kind}-${side}.${kind}`, side))
  }
  const growth = (bytesMax / BITMAP_BYTES_MIN) ** (1 / (BITMAPS - 1))
  for (let n = 0; n < BITMAPS; n++) {
    const file = join(folder, `${n}.bmp`)
    const sha256 = await writeBitmap(file, BITMAP_BYTES_MIN * growth ** n)
    const body = await openAsBlob(file)
    pictures.push({ path: `made/bitmap-${n + 1}.bmp`, body, bytes: body.size, sha256 })
  }
  return pictures
}

/** Of the kind that the path ends with; no two are the same. */
export async function makePicture(path: string, side = 300): Promise<Picture> {
  const kind = path.slice(path.lastIndexOf('.') + 1) as (typeof KINDS)[number]
  const shape = { width: side, height: Math.ceil(side * 0.75) }
  const pixels = Buffer.concat([...paint(shape)])
  const image = sharp(pixels, { raw: { ...shape, channels: 3 } })
  const bytes = await image.toFormat(kind, kind === 'avif' ? { effort: 0 } : {}).toBuffer()
  return pictureOf(path, new Blob([bytes as Uint8Array<ArrayBuffer>]))
}

async function pictureOf(path: string, body: Blob): Promise<Picture> {
  const hash = createHash('sha256').update(Buffer.from(await body.arrayBuffer()))
  return { path, body, bytes: body.size, sha256: hash.digest('hex') }
}

/** An uncompressed bitmap of nearly `bytes`, never more; its SHA-256. */
async function writeBitmap(path: string, bytes: number): Promise<string> {
  // rows of whole four bytes need no filling
  const width = 4 * Math.ceil(Math.sqrt(bytes / 3) / 4)
  const shape = { width, height: Math.floor((bytes - BITMAP_HEAD_BYTES) / (width * 3)) }
  const hash = createHash('sha256')
  await using file = await open(path, 'wx')
  for (const piece of pieces(bitmap(shape))) {
    hash.update(piece)
    await file.write(piece)
  }
  return hash.digest('hex')
}

function* bitmap(shape: Shape): Generator<Buffer> {
  yield bitmapHead(shape)
  yield* paint(shape)
}

function bitmapHead({ width, height }: Shape): Buffer {
  const head = Buffer.alloc(BITMAP_HEAD_BYTES)
  head.write('BM')
  head.writeUInt32LE(BITMAP_HEAD_BYTES + width * height * 3, 2)
  head.writeUInt32LE(BITMAP_HEAD_BYTES, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(width, 18)
  head.writeInt32LE(height, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  return head
}

/** Row by row, colours that run into each other, with grain; 3 bytes a pixel. */
function* paint({ width, height }: Shape): Generator<Buffer> {
  const corners = randomBytes(12)
  // Rows of one band are pieces of one strip: a hundred times faster than computing each.
  const bandRows = Math.ceil(height / BANDS)
  let strip: Buffer = Buffer.alloc(0)
  for (let y = 0; y < height; y++) {
    if (y % bandRows === 0) strip = paintStrip(corners, y / height, width + GRAIN_PIXELS)
    const from = 3 * Math.floor(Math.random() * GRAIN_PIXELS)
    yield strip.subarray(from, from + 3 * width)
  }
}

function paintStrip(corners: Buffer, share: number, width: number): Buffer {
  const strip = randomBytes(width * 3)
  for (let channel = 0; channel < 3; channel++) {
    const at = (corner: number) => (corners[corner * 3 + channel] ?? 0) * 0.85
    const left = at(0) + (at(1) - at(0)) * share
    const slope = (at(2) + (at(3) - at(2)) * share - left) / width
    for (let x = 0, n = channel; x < width; x++, n += 3) {
      strip[n] = left + slope * x + ((strip[n] ?? 0) & GRAIN)
    }
  }
  return strip
}

function* pieces(rows: Iterable<Buffer>): Generator<Buffer> {
  let [gathered, bytes]: [Buffer[], number] = [[], 0]
  for (const row of rows) {
    gathered.push(row)
    bytes += row.length
    if (bytes < PIECE_BYTES) continue
    yield Buffer.concat(gathered)
    ;[gathered, bytes] = [[], 0]
  }
  yield Buffer.concat(gathered)
}
