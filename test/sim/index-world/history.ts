// The course of a world as plain data: it can be printed, kept, and run again with steps left out.
// Nodes and files are numbers; a step whose nodes cannot do it does nothing.

export type Deed =
  /** A person's writes. `content` is one of a few images. */
  | { readonly do: 'write'; readonly node: number; readonly path: number; readonly content: number }
  | { readonly do: 'delete'; readonly node: number; readonly path: number }
  /** Two nodes connect if they are not, and compare. */
  | { readonly do: 'compare'; readonly node: number; readonly with: number }
  /** All that can do so. */
  | { readonly do: 'meet' }
  /** Only time passes. */
  | { readonly do: 'wait' }
  /** What is between nodes. */
  | { readonly do: 'lose'; readonly node: number; readonly with: number }
  | { readonly do: 'double'; readonly node: number; readonly with: number }
  | { readonly do: 'slow'; readonly node: number; readonly with: number; readonly byMs: number }
  | { readonly do: 'cut'; readonly node: number; readonly with: number }
  /** The group of each node. */
  | { readonly do: 'partition'; readonly groups: readonly number[] }
  | { readonly do: 'heal' }
  /** An old entry comes once more. */
  | { readonly do: 'resend'; readonly node: number; readonly with: number; readonly which: number }
  /** What happens to a node. `share` of its unsynced writes is left; 1 without a power cut. */
  | { readonly do: 'crash'; readonly node: number; readonly share: number }
  | { readonly do: 'start'; readonly node: number }
  | { readonly do: 'fail'; readonly node: number; readonly isWritten: boolean }
  | { readonly do: 'jump'; readonly node: number; readonly byMs: number }
  | { readonly do: 'collect'; readonly node: number }
  /** All do. */
  | { readonly do: 'forget' }
  /** What happens to its folder. */
  | { readonly do: 'backup'; readonly node: number }
  | { readonly do: 'restore'; readonly node: number; readonly which: number }
  | { readonly do: 'wipe'; readonly node: number }
  /** It gets a copy of the other one's folder, and keeps its own identity. */
  | { readonly do: 'copy'; readonly node: number; readonly from: number }
  /** A second machine with the same identity. */
  | { readonly do: 'twin'; readonly node: number }
  /** Who belongs to the mesh. */
  | { readonly do: 'join' }
  | { readonly do: 'remove'; readonly node: number; readonly member: number }
  | { readonly do: 'return'; readonly node: number; readonly member: number }
  /** A person looks through what was put to review. */
  | { readonly do: 'review'; readonly node: number; readonly restores: boolean }

export type Step = Deed & {
  /** Time that passes after it. */
  readonly ms: number
  /** Chance begins here with it. */
  readonly salt: number
}

export interface History {
  readonly nodes: number
  /** Pairs of nodes that never see each other. */
  readonly walls: readonly (readonly [number, number])[]
  /** Of each node, those that come later included. */
  readonly skewMs: readonly number[]
  /** How long tombstones are kept, at least. */
  readonly keepMs: number
  readonly delayMs: readonly [number, number]
  readonly dialLoss: number
  readonly breakage: number
  readonly overtake: boolean
  /** Each step of a disk takes up to so long. */
  readonly diskMs: number
  /** Nodes know each other from the start. */
  readonly acquainted: boolean
  /** Who was removed is brought back in the end. */
  readonly returns: boolean
  readonly salt: number
  readonly steps: readonly Step[]
}

/**
 * Whether something happens in it after which nodes may offer what was deleted and forgotten: only
 * then may anything be put to review.
 */
export function hasOutdatedPast({ steps, acquainted, keepMs }: History): boolean {
  const outdated = new Set(['restore', 'wipe', 'copy', 'twin', 'remove'])
  if (steps.some((step) => outdated.has(step.do))) return true
  // who knows nobody waits for nobody
  let ms = 0
  const isForgetting = steps.some((step) => {
    const forgets = (step.do === 'collect' || step.do === 'forget') && ms > keepMs
    ms += step.ms
    return forgets
  })
  return !acquainted && isForgetting
}
