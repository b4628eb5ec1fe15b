// tumesh backup FILE: the index of a running node, into a file and back. tumesh export FILE: a list
// of the images that needs no program.

import { readNamedFile } from '../store/regular-file.ts'
import { writeFileAtomic } from '../store/small-file.ts'
import { type NodeTarget, openNode } from './node-client.ts'

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
      await save(node, '/api/backup', file)
      return `${file} holds the index. The images themselves are in the data folder and on the other servers.\n`
    case 'export':
      await save(node, '/file-sync/api/file-sync/files', file)
      return `${file} lists the images, one a line.\n`
    case 'restore':
      return restore(node, file)
    default:
      return what satisfies never
  }
}

async function save(node: NodeTarget, path: string, file: string): Promise<void> {
  const headers = { accept: 'application/x-ndjson' }
  const { body } = await openNode(node, 'GET', path, { headers })
  await writeFileAtomic(file, (body ?? []) as AsyncIterable<Uint8Array>, { mode: 0o600 })
}

async function restore(node: NodeTarget, file: string): Promise<string> {
  const body = () => readNamedFile(file)
  const answer = await openNode(node, 'POST', '/api/backup', { body })
  const { message, found } = (await answer.json()) as { message: string; found: number }
  return `${message}\n${found} images that were lacking are on the disk after all.\n`
}
