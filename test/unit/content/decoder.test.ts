import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { Decoder } from '../../../src/content/decoder.ts'
import * as make from '../../fixtures/make-images.ts'

const decoder = new Decoder({ clock: systemClock })
const SIZE = { width: 40, height: 30 }

describe('Decoder', () => {
  it('gives the size of one frame of an animation', async () => {
    const frames = await Promise.all([1, 2].map((seed) => make.makeImage('png', { seed })))
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    expect(await decoder.header('gif', gif)).toEqual(SIZE)
    expect(await decoder.decode('gif', gif)).toEqual({ is: 'decoded', ...SIZE })
  })

  it('takes no kind for another', async () => {
    const png = await make.makeImage('png')
    expect(await decoder.header('png', png)).toEqual(SIZE)
    expect(await decoder.header('jpeg', png)).toBeUndefined()
    expect(await decoder.decode('jpeg', png)).toEqual({ is: 'failed', why: 'damaged' })
  })

  it('answers about bytes and files that are none of it', async () => {
    expect(await decoder.header('tiff', make.noiseBytes(100))).toBeUndefined()
    expect(await decoder.header('tiff', '/nowhere/at.all')).toBeUndefined()
    expect(await decoder.header('tiff', new Uint8Array())).toBeUndefined()
    expect(await decoder.decode('tiff', new Uint8Array())).toMatchObject({ is: 'failed' })
  })
})
