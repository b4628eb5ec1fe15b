// Holds a data folder against what its node says: the same images, nothing more, nothing half-done.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { eventually } from './eventually.ts'
import { send } from './http-client.ts'

interface ListedFile {
  readonly path: string
  readonly sha256: string
  readonly state: string
}

/**
 * Everything that is wrong; empty if nothing is. `trashed` are hashes that the trash should hold.
 */
export async function folderFaults(
  url: string,
  folder: string,
  trashed: readonly string[] = []
): Promise<string[]> {
  const { body } = await send(`${url}/file-sync/api/file-sync/files`)
  const files = body.files as ListedFile[]
  const faults: string[] = []
  const expect = (what: string, found: readonly string[], wanted: readonly string[]) => {
    const [a, b] = [[...found].sort().join(' '), [...new Set(wanted)].sort().join(' ')]
    if (a !== b) faults.push(`${what}: ${a || 'nothing'} instead of ${b || 'nothing'}`)
  }
  expect(
    'images/',
    filesIn(join(folder, 'images')),
    files.map(({ path }) => path)
  )
  expect(
    'blobs/',
    namesIn(join(folder, 'blobs')),
    files.map(({ sha256 }) => sha256)
  )
  expect('trash/', namesIn(join(folder, 'trash')), trashed)
  // the empty file that notes of running uploads are links of stays
  expect(
    'temp/',
    filesIn(join(folder, 'temp')).filter((name) => name !== '.note'),
    []
  )
  expect('quarantine/', filesIn(join(folder, 'quarantine')), [])
  for (const { path, sha256, state } of files) {
    if (state !== 'ok') faults.push(`${path} is ${state}`)
    const bytes = await fetch(`${url}/images/${path}`).then((answer) => answer.arrayBuffer())
    const served = createHash('sha256').update(Buffer.from(bytes)).digest('hex')
    if (served !== sha256) faults.push(`${path} is served with other bytes`)
    const file = join(folder, 'images', path)
    const shown = statSync(file, { throwIfNoEntry: false }) && readFileSync(file)
    if (shown && createHash('sha256').update(shown).digest('hex') !== sha256) {
      faults.push(`images/${path} holds other bytes`)
    }
  }
  return faults
}

/** The same, once the node has had time to settle what it does after an answer. */
export async function expectSoundFolder(
  url: string,
  folder: string,
  trashed: readonly string[] = []
): Promise<void> {
  await eventually(async () => {
    const faults = await folderFaults(url, folder, trashed)
    if (faults.length > 0) throw new Error(faults.join('; '))
  })
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

function namesIn(folder: string): string[] {
  return filesIn(folder).map((name) => name.slice(name.lastIndexOf('/') + 1))
}
