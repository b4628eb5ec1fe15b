// What a look at an image's header can find.

export type HeaderScan =
  /**
   * Structurally right up to the pixels. Sizes in pixels, as stored; absent where the header is
   * valid without.
   */
  | {
      readonly is: 'sound'
      readonly width?: number | undefined
      readonly height?: number | undefined
    }
  /** Starts like an image and is none. */
  | { readonly is: 'broken' }
  /** The bytes at hand end before the header does. */
  | { readonly is: 'short' }

export const BROKEN: HeaderScan = { is: 'broken' }
export const SHORT: HeaderScan = { is: 'short' }

/** Sound if both sides are sizes an image can have. */
export function sound(width: number, height: number): HeaderScan {
  const sane = (side: number) => side >= 1 && side < 2 ** 31
  return sane(width) && sane(height) ? { is: 'sound', width, height } : BROKEN
}
