import { expect, test } from 'vitest'
import { compareBytes } from '../../../src/index/layer.ts'

const ENDS = ['', '\0', 'b', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{1f600}']
const KEYS = ['', ...ENDS.map((end) => `a${end}`), ...ENDS.map((end) => `a\u{1f600}${end}`), 'b']

test('keys are in the order of their UTF-8 bytes', () => {
  for (const a of KEYS) {
    for (const b of KEYS) {
      const order = Buffer.compare(Buffer.from(a), Buffer.from(b))
      expect(Math.sign(compareBytes(a, b)), JSON.stringify([a, b])).toBe(order)
    }
  }
})
