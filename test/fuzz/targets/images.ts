// What bytes are: the look at their beginning, and the decoder behind it.

import { systemClock } from '../../../src/base/clock.ts'
import { scanHeader } from '../../../src/content/dimensions.ts'
import { createInspector } from '../../../src/content/inspect.ts'
import { extensionOfKind, IMAGE_KINDS } from '../../../src/content/kinds.ts'
import { sniff } from '../../../src/content/sniff.ts'
import { must, type Opened, type Target } from '../target.ts'

const WORDS = [
  'RIFF',
  'WEBP',
  'VP8X',
  'ftypavif',
  'meta',
  'ispe',
  'IHDR',
  'IDAT',
  'GIF89a',
  'II*\0'
]
const TEXTS = [
  '<svg ',
  '<!DOCTYPE ',
  '<!--',
  ']>',
  '<?xml ',
  '<script>',
  'PK\u0003\u0004',
  'viewBox="'
]

function runHeader(input: Buffer): void {
  for (const more of [0, 2 ** 40]) {
    const bytes = input.length + more
    must(['image', 'foreign', 'unknown'].includes(sniff(input, bytes).is), 'bytes are something')
    for (const kind of IMAGE_KINDS) {
      const scan = scanHeader(kind, input, bytes)
      if (scan?.is !== 'sound' || scan.width === undefined) continue
      must(scan.width > 0 && (scan.height ?? 0) > 0 && scan.width < 2 ** 31, 'a size is one')
    }
  }
}

/** Sees a few of the kinds each time: most inputs are of none. */
function openInspector(): Opened {
  const inspect = createInspector({ clock: systemClock }, { pixelsMax: 4_000_000, timeoutMs: 5000 })
  return {
    parallel: 4,
    async run(input) {
      const sniffed = sniff(input, input.length)
      const kind = sniffed.is === 'image' ? sniffed.kind : 'png'
      const strict = (input[3] ?? 0) % 2 === 0
      const blob = { head: input, bytes: input.length, whole: input }
      const seen = await inspect(blob, { extension: extensionOfKind(kind), strict })
      if (!seen.ok) must(seen.reason.endsWith('.') || seen.reason.endsWith('.)'), 'a sentence')
      else if (!seen.recognized) must(!strict, 'strict keeps what is recognised alone')
    }
  }
}

export const IMAGE_TARGETS: readonly Target[] = [
  {
    name: 'image-header',
    shape: 'bytes',
    words: [...WORDS, ...TEXTS],
    bytesMax: 8000,
    open: () => ({ run: runHeader })
  },
  {
    name: 'image',
    shape: 'bytes',
    words: [...WORDS, ...TEXTS],
    bytesMax: 8000,
    open: openInspector
  }
]
