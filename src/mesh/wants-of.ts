// What this node says of the blobs that it lacks.

import type { EntriesStatus } from '../../protocols/entries/source.ts'
import type { FlowParts } from '../flows/parts.ts'

/** The last bucket of 65 s that a version can lie in. */
const BUCKET_MAX = 2 ** 32 - 1

/** Where exactly the wants lie is not told yet: while there are any, nothing is claimed. */
export function wantsOf(
  index: FlowParts['index']
): Pick<EntriesStatus, 'wantsFiles' | 'wantsBytes' | 'wantRanges'> {
  const { wants: wantsFiles, wantBytes: wantsBytes } = index.counts()
  return { wantsFiles, wantsBytes, wantRanges: wantsFiles > 0 ? [{ from: 0, to: BUCKET_MAX }] : [] }
}
