// What it costs to know an upload: the own header scan against sharp. `node test/bench/inspect.ts
// [repeats]` Prints microseconds a call, one call after the other: the clock on the wall, and all
// threads of the processor.

import sharp from 'sharp'
import { systemClock } from '../../src/base/clock.ts'
import { scanHeader } from '../../src/content/dimensions.ts'
import { createInspector } from '../../src/content/inspect.ts'
import type { ImageKind } from '../../src/content/kinds.ts'
import { sniff } from '../../src/content/sniff.ts'
import { makeImage } from '../fixtures/make-images.ts'
import { readPhoto } from '../fixtures/photos.ts'

const repeats = Number(process.argv[2] ?? 1_000)
sharp.cache(false)
sharp.concurrency(1)
const inspect = createInspector({ clock: systemClock })

const photo = readPhoto(0)
const small = await sharp(photo).resize(300).jpeg({ quality: 75 }).toBuffer()
const samples: readonly (readonly [string, ImageKind, Buffer])[] = [
  ['jpeg', 'jpeg', small],
  ['jpeg', 'jpeg', photo],
  ['png', 'png', await sharp(small).resize(90).png().toBuffer()],
  ['gif', 'gif', await sharp(small).resize(150).gif().toBuffer()],
  ['webp', 'webp', await sharp(small).webp().toBuffer()],
  ['avif', 'avif', await sharp(small).avif().toBuffer()],
  ['tiff', 'tiff', await makeImage('tiff', { width: 100, height: 90 })]
]

const rows: Record<string, Record<string, number | string>> = {}
for (const [name, kind, whole] of samples) {
  const blob = { head: whole.subarray(0, 65_536), bytes: whole.length, whole }
  const own = await microseconds(() => {
    sniff(whole, whole.length)
    return scanHeader(kind, whole, whole.length)
  })
  const native = await microseconds(() => sharp(whole).metadata())
  rows[`${name} ${Math.round(whole.length / 1000)} KB`] = {
    'own scan': kind === 'tiff' ? '-' : own.wall,
    'sharp metadata': native.wall,
    'of that, processor': native.processor,
    inspect: (await microseconds(() => inspect(blob, { extension: name, strict: false }))).wall,
    'inspect, strict': (await microseconds(() => inspect(blob, { extension: name, strict: true })))
      .wall
  }
}
console.table(rows)

async function microseconds(call: () => unknown): Promise<{ wall: number; processor: number }> {
  for (let i = 0; i < repeats / 10; i++) await call()
  const start = performance.now()
  const before = process.cpuUsage()
  for (let i = 0; i < repeats; i++) await call()
  const { user, system } = process.cpuUsage(before)
  const round = (value: number) => Number(value.toPrecision(2))
  return {
    wall: round(((performance.now() - start) * 1000) / repeats),
    processor: round((user + system) / repeats)
  }
}
