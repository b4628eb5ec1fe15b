// Bytes are hostile: whatever they are, looking at them ends with an answer.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { scanHeader } from '../../src/content/dimensions.ts'
import { createInspector } from '../../src/content/inspect.ts'
import { extensionOfKind, IMAGE_KINDS } from '../../src/content/kinds.ts'
import { sniff } from '../../src/content/sniff.ts'
import * as make from '../fixtures/make-images.ts'

const SAMPLES: readonly Buffer[] = [
  ...(await Promise.all(make.SHARP_KINDS.map((kind) => make.makeImage(kind)))),
  await make.makeIco(),
  make.makeSvg(),
  make.makeBmp(),
  make.makeHeic(),
  make.makeJxl(),
  make.makeJxl({ contained: true }),
  Buffer.from('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><!-- c --><svg width="1">')
]

/** An image cut off, with some bytes changed. */
const damaged = fc
  .record({
    sample: fc.constantFrom(...SAMPLES),
    keep: fc.nat(4_000),
    changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 })
  })
  .map(({ sample, keep, changes }) => {
    const copy = Buffer.from(sample.subarray(0, keep))
    for (const [at, value] of changes) if (at < copy.length) copy[at] = value
    return copy
  })
const bytes = fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged)
/** The head may be all of it, or the beginning of more. */
const more = fc.oneof(fc.constant(0), fc.nat(2 ** 40))

const ANSWERS = ['image', 'foreign', 'unknown']
const SCANS = ['sound', 'broken', 'short', undefined]

describe('any bytes', () => {
  it('are sniffed and scanned without an error', () => {
    fc.assert(
      fc.property(bytes, more, (head, rest) => {
        expect(ANSWERS).toContain(sniff(head, head.length + rest).is)
        for (const kind of IMAGE_KINDS) {
          const scan = scanHeader(kind, head, head.length + rest)
          expect(SCANS).toContain(scan?.is)
          if (scan?.is !== 'sound' || scan.width === undefined) continue
          expect(scan.width).toBeGreaterThan(0)
          expect(scan.height).toBeLessThan(2 ** 31)
        }
      }),
      { numRuns: 2_000 }
    )
  })

  it('are inspected with an answer, and never with the kind the name does not say', async () => {
    const inspect = createInspector({ clock: systemClock })
    const kinds = fc.constantFrom(...IMAGE_KINDS)
    await fc.assert(
      fc.asyncProperty(bytes, kinds, fc.boolean(), async (whole, kind, strict) => {
        const blob = { head: whole, bytes: whole.length, whole }
        const seen = await inspect(blob, { extension: extensionOfKind(kind), strict })
        if (!seen.ok) expect(seen.reason).toMatch(/^The \.\w+ file .+\.\)?$/)
        else if (seen.recognized) expect(family(seen.kind)).toBe(family(kind))
        else expect({ strict, type: seen.mediaType }).toEqual({ strict: false, type: OPAQUE })
      }),
      { numRuns: 300 }
    )
  })

  it('cost one pass, however they nest and repeat', () => {
    const fill = (text: string) => Buffer.from(text.repeat(Math.ceil(65_536 / text.length)))
    const hostile = [
      ...['<!---->', '<?a?>', '[', '{"a":', ' ', '<!DOCTYPE svg [] ', '<svg a="" '].map(fill),
      Buffer.concat([Buffer.from('<!DOCTYPE svg ['), fill('] ')]),
      Buffer.concat([Buffer.from('<svg'), fill(' '), Buffer.from('a')]),
      Buffer.concat([Buffer.from('<svg a'), fill(' '), Buffer.from('="'), fill('x')]),
      Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(65_536, 0xff)]),
      Buffer.concat([make.makeHeic().subarray(0, 24), fill('\0\0\0\x08free')]),
      Buffer.concat([make.makeJxl({ contained: true }).subarray(0, 32), fill('\0\0\0\x08free')])
    ]
    for (const head of hostile) {
      expect(ANSWERS).toContain(sniff(head, 2 ** 40).is)
      for (const kind of IMAGE_KINDS) {
        expect(SCANS).toContain(scanHeader(kind, head, 2 ** 40)?.is)
      }
    }
  })
})

const OPAQUE = 'application/octet-stream'

/** HEIC and HEIF go by each other's name. */
function family(kind: string): string {
  return kind === 'heif' ? 'heic' : kind
}
