// What the system says of this machine and of a process of it, for `tumesh doctor`. What can't be
// read, as on other systems than Linux, is undefined.

import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { resolve } from 'node:path'
import { readRouteTable } from '../network/route-table.ts'

export interface Machine {
  /** Files that the process may have open. */
  readonly openFilesMax: number | undefined
  /** Folders that a user may watch. */
  readonly watchesMax: number | undefined
  /** Of the file system with the data folder: `ext4`, `nfs4`. */
  readonly fileSystem: string | undefined
  readonly memoryFreeBytes: number
  /** The text of the system's routes. */
  readonly routes: string | undefined
  /** `v24.21.0`, of the program that asks. */
  readonly nodeVersion: string
}

export function lookAtMachine({ pid, data }: { pid: number; data: string }): Machine {
  return {
    openFilesMax: openFilesIn(read(`/proc/${pid}/limits`)),
    watchesMax: numberIn(read('/proc/sys/fs/inotify/max_user_watches')),
    fileSystem: fileSystemOf(resolve(data), read('/proc/mounts')),
    memoryFreeBytes: memoryIn(read('/proc/meminfo')) ?? freemem(),
    routes: readRouteTable(),
    nodeVersion: process.version
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function openFilesIn(limits: string | undefined): number | undefined {
  return numberIn(/^Max open files +(\d+)/m.exec(limits ?? '')?.[1])
}

function memoryIn(text: string | undefined): number | undefined {
  const kilobytes = numberIn(/^MemAvailable: +(\d+) kB/m.exec(text ?? '')?.[1])
  return kilobytes === undefined ? undefined : kilobytes * 1024
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text)
}

/** The type of the mount with the longest place that the folder is in; spaces stand as `\040`. */
export function fileSystemOf(folder: string, mounts: string | undefined): string | undefined {
  let found: { place: string; type: string } | undefined
  for (const line of mounts?.split('\n') ?? []) {
    const [, written = '', type = ''] = line.split(' ')
    const place = written.replace(/\\(\d{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8))
    )
    const isIn = place === '/' || folder === place || folder.startsWith(`${place}/`)
    // the later of two mounts at one place is the one that is seen
    if (isIn && type !== '' && place.length >= (found?.place.length ?? 0)) found = { place, type }
  }
  return found?.type
}
