// tumesh backup FILE: the index of a running node, into a file and back. tumesh export FILE: a list
// of the images that needs no program.

import { namedTarget } from '../store/named-target.ts'
import { readNamedFile } from '../store/regular-file.ts'
import { writeFileAtomic } from '../store/small-file.ts'
import { bytesOf, callNode, type NodeTarget, openNode } from './node-client.ts'

export type BackupOrder = {
  readonly do: 'make' | 'restore' | 'export'
  readonly file: string
}

/** Carries the order out; the text to print. */
export async function runBackup(
  { do: what, file }: BackupOrder,
  node: NodeTarget
): Promise<string> {
  switch (what) {
    case 'make':
      await save(node, 'GET /api/backup', file)
      return `${file} holds the index. The images themselves are in the data folder and on the other servers.\n`
    case 'export':
      await save(node, 'GET /file-sync/api/file-sync/files', file)
      return `${file} lists the images, one a line.\n`
    case 'restore':
      return restore(node, file)
    default:
      return what satisfies never
  }
}

async function save(
  node: NodeTarget,
  operation: 'GET /api/backup' | 'GET /file-sync/api/file-sync/files',
  file: string
): Promise<void> {
  const target = namedTarget(file)
  const isBackup = operation === 'GET /api/backup'
  const headers = { accept: isBackup ? 'application/gzip' : 'application/x-ndjson' }
  const answer = await openNode(node, operation, { headers })
  await writeFileAtomic(target, bytesOf(answer, node), { mode: 0o600 })
}

async function restore(node: NodeTarget, file: string): Promise<string> {
  const bytes = () => readNamedFile(file)
  const { message, found } = await callNode(node, 'POST /api/backup', { bytes })
  const also = `Images that were lacking and are on the disk after all: ${found}.\n`
  return `${message}\n${found === 0 ? '' : also}`
}
