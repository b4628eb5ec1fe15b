// metadata/file_index.json: the index in a form that people and scripts can read. It is made from
// the index, never read back by this node.

import type { ImageEntry } from '../../protocols/entry.ts'
import { cidOf } from '../../protocols/hash.ts'
import { fileNameOf } from '../../protocols/path.ts'
import { versionMs } from '../../protocols/version.ts'
import { isoTime } from '../base/iso-time.ts'
import type { FlowParts } from './parts.ts'

const LINES_PER_CHUNK = 500

/**
 * The text of the file, piece by piece: one line an image, valid JSON as a whole. Stops early by
 * throwing.
 */
export async function* indexText(
  { index, clock, name }: Pick<FlowParts, 'index' | 'clock' | 'name'>,
  signal: AbortSignal
): AsyncGenerator<string> {
  const { images, imageBytes } = index.counts()
  const head = {
    version: 1,
    node: name,
    exported_at: new Date(clock.now()).toISOString(),
    total_files: images,
    total_size: imageBytes
  }
  yield `${JSON.stringify(head).slice(0, -1)},"files":{`
  let lines: string[] = []
  let first = true
  for await (const entry of index.list()) {
    signal.throwIfAborted()
    lines.push(
      `${first ? '\n' : ',\n'}${JSON.stringify(entry.path)}:${JSON.stringify(fileOf(entry))}`
    )
    first = false
    if (lines.length < LINES_PER_CHUNK) continue
    yield lines.join('')
    lines = []
  }
  yield `${lines.join('')}\n}}\n`
}

function fileOf(entry: ImageEntry): Record<string, unknown> {
  return {
    path: entry.path,
    filename: fileNameOf(entry.path),
    size: entry.bytes,
    hash: entry.md5,
    sha256: entry.hash,
    cid: cidOf(entry.hash),
    mime_type: entry.mediaType,
    width: entry.width ?? null,
    height: entry.height ?? null,
    source_url: entry.sourceUrl ?? null,
    created_at: isoTime(entry.createdMs),
    modified_at: isoTime(versionMs(entry.version))
  }
}
