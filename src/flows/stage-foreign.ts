// Stages a file that somebody else wrote. Small ones are read into buffers that are used again:
// thousands that come at once take no more memory than those that are read at one time.

import { type BlobStore, SMALL_BLOB_BYTES_MAX, type StagedBlob } from '../store/blob-store.ts'
import type { ForeignFile } from '../store/scan.ts'

export interface StagedFile {
  readonly staged: StagedBlob
  /** Once, when the staged blob is finished and nobody looks at its bytes any more. */
  giveBack(): void
}

/** Undefined if the file has changed while it was read. Errors as `BlobStore.stage`. */
export async function stageForeign(
  store: BlobStore,
  file: ForeignFile,
  bytesMax: number
): Promise<StagedFile | undefined> {
  const { size } = file.stamp
  if (size > Math.min(bytesMax, SMALL_BLOB_BYTES_MAX)) {
    const staged =
      (await store.stageUncopied(file, { by: 'clone', bytesMax })) ??
      (await store.stage(file.read(), { bytesMax, bytesExpected: size }))
    if (staged.bytes === size && file.isUnchanged()) return { staged, giveBack: () => {} }
    store.finish(staged)
    return undefined
  }
  const { bytes, giveBack } = await file.readWhole()
  if (bytes.byteLength === size && file.isUnchanged()) {
    return { staged: store.stageWhole(bytes), giveBack }
  }
  giveBack()
  return undefined
}
