// A person names folders of this server whose images are to be taken in: elsewhere, or in images/
// itself.

import { type Cause, causeOf } from './base/cause.ts'
import { NodeError } from './base/errors.ts'
import type { Task, TaskBoard, TaskControl } from './base/task-board.ts'
import { adopt } from './flows/adopt.ts'
import type { AdoptOptions, AdoptParts } from './flows/adopt-file.ts'
import { type Account, takeFolder } from './flows/take-folder.ts'
import { metadataFiles } from './metadata-files.ts'
import type { Folder } from './store/folder.ts'
import { DiskFoundFiles, findSource, type SourceFolder } from './store/found-files.ts'
import { LineFile } from './store/line-file.ts'

export interface AdoptFoldersParts extends AdoptParts {
  readonly tasks: TaskBoard
  readonly folder: Folder
}

export interface AdoptFoldersOptions extends AdoptOptions {
  readonly ignore: readonly string[]
}

export interface FoldersOrder {
  /** Absolute. */
  readonly folders: readonly string[]
  readonly link: boolean
}

export const ADOPT_TASK = 'adopt'

/**
 * Starts the work. Errors: BAD_REQUEST for a folder that can't be taken in, BUSY while other
 * folders are.
 */
export function adoptFolders(
  parts: AdoptFoldersParts,
  options: AdoptFoldersOptions,
  { folders, link }: FoldersOrder
): Task {
  const { tasks, folder, flows } = parts
  const running = tasks.runningOf(ADOPT_TASK)
  if (running !== undefined) {
    const text = `The task ${running.id} takes in images already. Try again when it has ended.`
    throw new NodeError('BUSY', text, { task: running.id })
  }
  const sources = folders.map((path) => findSource(folder, path))
  const { task, done } = tasks.start(ADOPT_TASK, (control) =>
    takeAll(parts, options, { sources, link }, control)
  )
  done.then(
    (result) => flows.log.info({ folders, ...result }, 'folders were taken in'),
    (error) => flows.log.error({ folders, err: error }, 'folders could not be taken in')
  )
  return task
}

/** For the status: what goes on, and where it can be followed. */
export function sayAdopting(task: Task | undefined): Cause | undefined {
  if (task === undefined) return undefined
  const text = `Images are being taken in from folders, ${task.processed} files so far: GET /file-sync/api/file-sync/tasks/${task.id} tells more.`
  return causeOf('adopting', text, { count: task.processed, task: task.id })
}

interface Sources {
  readonly sources: readonly SourceFolder[]
  readonly link: boolean
}

async function takeAll(
  parts: AdoptFoldersParts,
  options: AdoptFoldersOptions,
  { sources, link }: Sources,
  control: TaskControl
) {
  const counts = { new: 0, held: 0, refused: 0, waiting: 0 }
  const list = new LineFile(metadataFiles(parts.folder).refused)
  const noted = () => control.processed(counts.new + counts.held + counts.refused)
  const account: Account = {
    signal: control.signal,
    taken: () => {
      counts.new++
      noted()
    },
    held: () => {
      counts.held++
      noted()
    },
    refused: (name, why) => {
      counts.refused++
      list.add(`${JSON.stringify(name)} ${why}`)
      control.error(name, why)
      noted()
    }
  }
  for (const source of sources) {
    if ('at' in source) await takeInPlace(parts, options, source.at, account, counts)
    else {
      const { ignore, ingest } = options
      const found = new DiskFoundFiles({ ...parts, ...parts.flows, root: source.root }, ignore)
      await takeFolder({ ...parts, found }, { ingest, link }, account)
    }
  }
  list.flush()
  return { ...counts, refused_file: counts.refused === 0 ? null : list.path }
}

async function takeInPlace(
  parts: AdoptFoldersParts,
  options: AdoptFoldersOptions,
  at: string,
  { signal, taken, held, refused }: Account,
  counts: { waiting: number }
): Promise<void> {
  await adopt(parts, options, new Map(), {
    ...{ at, signal, processed: () => {}, error: refused },
    hear: ({ is }) => {
      if (is === 'taken') taken()
      else if (is === 'known') held()
      else if (is === 'waiting' || is === 'later') counts.waiting++
    }
  })
}
