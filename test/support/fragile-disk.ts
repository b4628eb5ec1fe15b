// A disk that can lose its power and get bad sectors: a file system on a loop device, whose file is
// ours (FUSE). So every write and flush that the file system sends to the disk is known, in
// its order. When the power goes, what was flushed is there; of what was written since, any part
// may be, down to single sectors, whatever came later: a disk with a cache of its own.

import { type ChildProcess, execFile, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.ts'
import type { Order, Told } from './fragile-disk-process.ts'

const PROCESS = new URL('./fragile-disk-process.ts', import.meta.url)
const run = promisify(execFile)

/** What a killed node had asked of the disk goes on until it is done. */
const BUSY_MS_MAX = 10_000

export type FileSystem = keyof typeof FILE_SYSTEMS
interface FileSystemLine {
  readonly make: readonly string[]
  readonly mount: string
  /** For a copy, while the original is mounted. */
  readonly mountCopy?: string
}

const FILE_SYSTEMS = {
  ext4: {
    make: [
      'mkfs.ext4',
      '-q',
      '-F',
      '-b',
      '4096',
      '-J',
      'size=16',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0'
    ],
    // a rename over a file must not be what makes its bytes durable
    mount: 'noatime,noauto_da_alloc'
  },
  xfs: { make: ['mkfs.xfs', '-q', '-f'], mount: 'noatime', mountCopy: 'noatime,nouuid' },
  btrfs: { make: ['mkfs.btrfs', '-q', '-f'], mount: 'noatime' }
} satisfies Readonly<Record<string, FileSystemLine>>

/** Why there can be none here; undefined if there can. */
export function fragileDiskObstacle(fileSystem: FileSystem = 'ext4'): string | undefined {
  if (process.platform !== 'linux') return 'needs loop devices and FUSE, which only Linux has'
  if (process.getuid?.() !== 0) return 'needs root, to mount a disk'
  for (const device of ['/dev/fuse', '/dev/loop-control']) {
    if (!existsSync(device)) return `needs ${device}`
  }
  try {
    for (const tool of [`mkfs.${fileSystem}`, 'losetup', 'mount']) execFileSync('which', [tool])
    const known = execFileSync('losetup', ['--find'], { stdio: ['ignore', 'pipe', 'ignore'] })
    return known.length > 0 ? undefined : 'needs a free loop device'
  } catch {
    return `needs mkfs.${fileSystem}, losetup with a free loop device, and mount`
  }
}

export interface FragileDiskOptions {
  readonly mebibytes?: number
  readonly fileSystem?: FileSystem
}

export class FragileDisk {
  /** Where it is mounted. */
  readonly folder: string
  readonly #at: string
  readonly #child: ChildProcess
  #busy: Promise<unknown> = Promise.resolve()

  /** Makes it in the folder `at`, which becomes its own. */
  static async make(at: string, options: FragileDiskOptions = {}): Promise<FragileDisk> {
    const { mebibytes = 320, fileSystem = 'ext4' } = options
    const line: FileSystemLine = FILE_SYSTEMS[fileSystem]
    const [tool, ...flags] = line.make as [string, ...string[]]
    const files = ['device', 'now.img', 'flushed.img'].map((name) => join(at, name))
    const [device, now, flushed] = files as [string, string, string]
    const folder = join(at, 'mounted')
    mkdirSync(folder, { recursive: true })
    writeFileSync(device, '')
    writeFileSync(now, '')
    truncateSync(now, mebibytes * 2 ** 20)
    await run(tool, [...flags, now])
    await run('cp', ['--sparse=always', now, flushed])
    const child = fork(PROCESS, [device, now, flushed, folder])
    await once(child, 'message')
    await run('mount', ['-o', `loop,${line.mount}`, device, folder])
    return new FragileDisk(at, folder, child)
  }

  private constructor(at: string, folder: string, child: ChildProcess) {
    this.#at = at
    this.folder = folder
    this.#child = child
  }

  /** What a power cut leaves of it at this moment, as a disk image; `seed` says what is lost. */
  async cut(to: string, seed: number): Promise<{ lost: number; kept: number }> {
    const { lost = 0, kept = 0 } = await this.#order({ do: 'cut', to, seed })
    return { lost, kept }
  }

  /** The sectors where these bytes lie can't be read any more. They have to be on the disk. */
  async spoil(bytes: Uint8Array): Promise<void> {
    const begin = Buffer.from(bytes.subarray(0, 1024)).toString('hex')
    const { spoilt } = await this.#order({ do: 'spoil', begin, bytes: bytes.byteLength })
    if (spoilt !== 1) throw new Error(`these bytes are at ${spoilt} places of the disk`)
  }

  async mend(): Promise<void> {
    await this.#order({ do: 'mend' })
  }

  /** Nobody uses it any more, or only until a flush that is under way has ended. */
  async remove(): Promise<void> {
    await unmount(this.folder)
    await unmount(join(this.#at, 'device'))
    this.#child.kill('SIGKILL')
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'exit')
    }
    rmSync(this.#at, { recursive: true, force: true })
  }

  #order(order: Order): Promise<Told> {
    const told = this.#busy.then(async () => {
      this.#child.send(order)
      const [answer] = (await once(this.#child, 'message')) as [Told]
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer
    })
    this.#busy = told.catch(() => {})
    return told
  }
}

/** A disk image that a cut has left, mounted: the file system replays its journal. */
export class CutDisk {
  readonly folder: string

  static async mount(
    image: string,
    folder: string,
    fileSystem: FileSystem = 'ext4'
  ): Promise<CutDisk> {
    mkdirSync(folder, { recursive: true })
    const { mount, mountCopy = mount }: FileSystemLine = FILE_SYSTEMS[fileSystem]
    await run('mount', ['-o', `loop,${mountCopy}`, image, folder])
    return new CutDisk(folder)
  }

  private constructor(folder: string) {
    this.folder = folder
  }

  async unmount(): Promise<void> {
    await unmount(this.folder)
  }
}

/**
 * A network namespace that somebody has made meanwhile has a copy of each mount, which keeps what
 * is below busy until it goes.
 */
async function unmount(folder: string): Promise<void> {
  try {
    await eventually(() => run('umount', [folder]), { withinMs: BUSY_MS_MAX })
  } catch {
    await run('umount', ['--lazy', folder])
  }
}
