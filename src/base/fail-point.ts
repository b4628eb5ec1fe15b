// Fail points: named places between two durable steps where a test may kill the process.
// TUMESH_FAIL_POINT=name[#count] ends the process without any clean-up when the name is reached for
// the count-th time after the signal that arms it (main.ts).

export interface FailPoints {
  reach(name: FailPoint): unknown
}

/** Every place, in the order in which an upload, a delete and a move pass them. */
export const FAIL_POINTS = [
  'stage:opened', // the temporary file exists, empty
  'stage:written', // all bytes are in it, not yet durable
  'publish:linked', // the blob has its name
  'publish:durable', // and so has its folder
  'change:planned', // the rows are known, none written
  'change:written', // the batch is durable, nobody was told
  'settle:started', // the entry is there, the view is not
  'settle:view-linked', // the view file is there, the intent still open
  'settle:view-unlinked',
  'settle:blob-moved', // the blob is in the trash or back, its row says otherwise
  'settle:ended', // the intent is closed
  'publish:cleaned' // the temporary name is gone, the client was not answered
] as const
export type FailPoint = (typeof FAIL_POINTS)[number]

export const noFailPoints: FailPoints = { reach: () => {} }

/** Reads `name[#count]`; anything else than a known name throws. `die` must not return. */
export function failPointsOf(text: string, die: () => never): FailPoints {
  const [, name, count] = /^(.+?)(?:#(\d+))?$/.exec(text) ?? []
  if (!FAIL_POINTS.some((known) => known === name)) throw new Error(`no fail point ${text}`)
  let left = Number(count ?? 1)
  return {
    reach(reached) {
      if (reached === name && --left === 0) die()
    }
  }
}
