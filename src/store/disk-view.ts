// images/ on a disk: files that share the bytes of blobs, under the names people use.
//
// The folder belongs to others too. What the view did not make is set aside and kept, never
// overwritten, and no symbolic link is followed.

import { linkSync, mkdirSync, renameSync, rmdirSync, type Stats, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { fileNameOf, type ImagePath } from '../../protocols/path.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { cutToBytes } from '../base/cut-to-bytes.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type FileStamp, sameStamp } from './blob-store.ts'
import type { GroupCommit } from './commit.ts'
import { diskError, onDisk } from './disk-error.ts'
import { FileLinker, whereSupported } from './file-linker.ts'
import { FoldedNames, foldedPart } from './folded-names.ts'
import { blobFile, type Folder, requireMarker } from './folder.ts'
import type { ImageView, ShownFile, ViewFile } from './image-view.ts'
import { planViewName } from './plan-view-name.ts'
import {
  hasRealParents,
  isSealed,
  lstatOf,
  removeQuietly,
  sameBytes,
  stampAt,
  stampOf
} from './regular-file.ts'

export interface DiskViewParts {
  readonly folder: Folder
  readonly commit: GroupCommit
  readonly random: Random
  readonly log: Log
}

export interface DiskViewOptions {
  /** auto: share the bytes by reflink, else by hard link, else copy them. */
  readonly mode: 'auto' | 'copy' | 'off'
}

/** A file in temp/ that only needs its name. */
interface MadeFile {
  readonly file: string
  readonly ino: number
}

/** What keeps a name from being used, and at which of its parts. */
interface Obstacle {
  readonly part: number
  /**
   * taken: the disk needs or knows this name for something else. same: the very file is there,
   * under this name or one that the disk takes for it. foreign: something that can be set aside.
   */
  readonly kind: 'taken' | 'same' | 'foreign'
}

/**
 * Each round gets one obstacle out of the way: only a program that keeps making new ones needs
 * more.
 */
const ROUNDS_MAX = 64
const FOREIGN_NAME_BYTES_MAX = 200

export class DiskView implements ImageView {
  readonly #parts: DiskViewParts
  readonly #linker: FileLinker | undefined
  readonly #folded: FoldedNames

  constructor(parts: DiskViewParts, { mode }: DiskViewOptions) {
    this.#parts = parts
    this.#folded = new FoldedNames(parts.folder)
    this.#linker = mode === 'off' ? undefined : new FileLinker(parts, { mode })
  }

  get isOn(): boolean {
    return this.#linker !== undefined
  }

  async show(
    path: ImagePath,
    hash: ContentHash,
    previous: ViewFile | undefined
  ): Promise<ShownFile | undefined> {
    const { folder, random } = this.#parts
    if (this.#linker === undefined) return undefined
    requireMarker(folder)
    const blob = blobFile(folder, 'blobs', hash)
    const direct = previous === undefined ? this.#linkDirectly(blob, path) : undefined
    if (direct !== undefined) return direct
    const file = join(folder.temp, `${randomHex(random, 8)}.view`)
    const made = await this.#linker.link(blob, file)
    if (made === undefined) return undefined
    try {
      return { name: await this.#place({ ...made, file }, path, previous), ...made }
    } finally {
      // Also after success: renaming one link of a file over another leaves both.
      removeQuietly(file)
    }
  }

  has(name: string): boolean {
    const { folder } = this.#parts
    if (lstatOf(join(folder.images, name)) !== undefined) return true
    requireMarker(folder) // without its disk everything would look gone
    return false
  }

  isWritable(name: string): boolean {
    const stats = lstatOf(join(this.#parts.folder.images, name))
    return stats?.isFile() === true && !isSealed(stats)
  }

  async moveAside(name: string, stamp: FileStamp): Promise<boolean> {
    const { folder } = this.#parts
    requireMarker(folder)
    if (!hasRealParents(folder.images, name)) return false
    const now = stampAt(join(folder.images, name))
    if (now === undefined || !sameStamp(now, stamp)) return false
    await this.#setAside(name)
    return true
  }

  async hide({ name, ino, writer, hash }: ViewFile): Promise<void> {
    const { folder } = this.#parts
    requireMarker(folder)
    if (!hasRealParents(folder.images, name)) return
    const at = join(folder.images, name)
    const stats = lstatOf(at)
    if (stats?.isFile() && stats.ino === ino) {
      const isKnown = isSealed(stats) || (writer && sameStamp(writer, stampOf(stats)))
      if (isKnown) onDisk('removing a file from images/', () => unlinkSync(at))
      else await this.#setAside(name) // the number was given to a file of somebody else
    } else if (stats?.isFile() && isSealed(stats) && (await this.#isCopy(at, hash))) {
      onDisk('removing a file from images/', () => unlinkSync(at))
    }
    this.#removeEmptyFolders(name)
  }

  async #isCopy(at: string, hash: string | undefined): Promise<boolean> {
    if (hash === undefined) return false
    for (const place of ['blobs', 'trash'] as const) {
      const blob = blobFile(this.#parts.folder, place, parseHash(hash))
      const compared = await sameBytes(blob, at)
      const now = stampAt(at)
      if (compared !== undefined && now !== undefined && sameStamp(compared, now)) return true
    }
    return false
  }

  async sweep(name: string): Promise<void> {
    const { folder } = this.#parts
    requireMarker(folder)
    if (this.#linker === undefined || !hasRealParents(folder.images, name)) return
    const stats = lookAt(join(folder.images, name))
    if (typeof stats !== 'object' || !stats.isFile() || !isSealed(stats)) return
    // On some disks this finds the file of another path, which is spelled otherwise.
    if ((await foldedPart(folder.images, name)) !== undefined) return
    await this.#setAside(name)
    this.#removeEmptyFolders(name)
  }

  durable(names: readonly string[]): Promise<void> {
    const { folder, commit } = this.#parts
    const folders = new Set([folder.images])
    for (const name of names) {
      // Folders on the way may be new as well.
      for (let at = dirname(name); at !== '.'; at = dirname(at))
        folders.add(join(folder.images, at))
    }
    return commit.durable({ folders: [...folders] })
  }

  #removeEmptyFolders(name: string): void {
    const { images } = this.#parts.folder
    for (let at = dirname(join(images, name)); at !== images; at = dirname(at)) {
      try {
        rmdirSync(at)
      } catch {
        return // not empty
      }
    }
  }

  /** With one call, where nothing is in the way; undefined where that is not to be had. */
  #linkDirectly(blob: string, path: ImagePath): ShownFile | undefined {
    const { images } = this.#parts.folder
    if (!this.#linker?.linksHard) return undefined
    const name = planViewName(path, new Set())
    const at = join(images, name)
    if (this.#openWay(name) !== undefined || !linkTo(blob, at)) return undefined
    const stats = lstatOf(at)
    return stats && { name, ino: stats.ino }
  }

  /** Gives the file its name in images/ and returns it. */
  async #place(made: MadeFile, path: ImagePath, previous: ViewFile | undefined): Promise<string> {
    const { images } = this.#parts.folder
    if (previous !== undefined && (await this.#takePlace(made, previous))) return previous.name
    const suffixed = new Set<number>()
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const name = planViewName(path, suffixed)
      const obstacle = this.#tryName(made, name)
      if (obstacle === undefined) return name
      const inTheWay = prefixOf(name, obstacle.part)
      const taken = obstacle.kind === 'taken' ? obstacle.part : await foldedPart(images, inTheWay)
      if (taken !== undefined && !suffixed.has(taken)) suffixed.add(taken)
      else if (obstacle.kind === 'same') return name
      else if (inTheWay === name && (await this.#replaceEqual(made, name))) return name
      else await this.#setAside(inTheWay)
    }
    const sentence = `images/${path} can't be shown: another program keeps writing there. Stop it, or move the image.`
    throw new NodeError('BUSY', sentence, { path })
  }

  /** False if there is another file now, or one that was written to. */
  async #takePlace(made: MadeFile, { name, ino, writer }: ViewFile): Promise<boolean> {
    const { images } = this.#parts.folder
    if (!hasRealParents(images, name)) return false
    const stats = lstatOf(join(images, name))
    if (!stats?.isFile() || stats.ino !== ino) return false
    const isKnown = isSealed(stats) || (writer && sameStamp(writer, stampOf(stats)))
    if (!isKnown) return this.#replaceEqual(made, name) // written to since
    onDisk('replacing a file in images/', () => renameSync(made.file, join(images, name)))
    return true
  }

  /**
   * Undefined once the file has the name. Synchronous, so that no `hide` removes a folder just
   * made.
   */
  #tryName(made: MadeFile, name: string): Obstacle | undefined {
    const { images } = this.#parts.folder
    const inTheWay = this.#openWay(name)
    if (inTheWay !== undefined) return inTheWay
    const last = name.split('/').length - 1
    const at = join(images, name)
    const there = lookAt(at)
    if (there === 'too long' || there?.isDirectory()) return { part: last, kind: 'taken' }
    if (there === undefined && giveName(made.file, at)) return undefined
    const isSame = there?.isFile() && there.ino === made.ino
    return { part: last, kind: isSame ? 'same' : 'foreign' }
  }

  /** Makes the folders on the way to a name; what keeps one from being made. */
  #openWay(name: string): Obstacle | undefined {
    const { images } = this.#parts.folder
    const last = name.split('/').length - 1
    for (let part = 0; part < last; part++) {
      const at = join(images, prefixOf(name, part))
      const there = lookAt(at)
      if (there === 'too long') return { part, kind: 'taken' }
      if (there === undefined) {
        onDisk('making a folder in images/', () => mkdirSync(at, { mode: 0o755 }))
      } else if (!there.isDirectory()) return { part, kind: there.isFile() ? 'taken' : 'foreign' }
      else if (this.#folded.isOther(at)) return { part, kind: 'taken' }
    }
    return undefined
  }

  /** Takes the place of somebody's file with the very same bytes: nothing is lost with it. */
  async #replaceEqual(made: MadeFile, name: string): Promise<boolean> {
    const at = join(this.#parts.folder.images, name)
    const compared = await sameBytes(made.file, at)
    const now = stampAt(at)
    if (compared === undefined || now === undefined || !sameStamp(compared, now)) return false
    onDisk('replacing a file in images/', () => renameSync(made.file, at))
    return true
  }

  async #setAside(name: string): Promise<void> {
    const { folder, commit, random, log } = this.#parts
    const at = join(folder.images, name)
    const last = cutToBytes(fileNameOf(name), FOREIGN_NAME_BYTES_MAX)
    const kept = `foreign-${randomHex(random, 6)}-${last}`
    try {
      renameSync(at, join(folder.quarantine, kept))
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return // gone by itself
      throw diskError(error, 'setting a file aside')
    }
    log.warn(
      { name, kept: `quarantine/${kept}` },
      'a file in images/ that is not ours was set aside'
    )
    await commit.durable({ folders: [folder.quarantine, dirname(at)] })
  }
}

function prefixOf(name: string, part: number): string {
  return name
    .split('/')
    .slice(0, part + 1)
    .join('/')
}

/** Some disks hold less than 255 bytes. */
function lookAt(at: string): Stats | 'too long' | undefined {
  try {
    return lstatOf(at)
  } catch (error) {
    if (systemCodeOf(error) === 'ENAMETOOLONG') return 'too long'
    throw error
  }
}

/** False if the name is taken, or there are no links, or there is no such blob. */
function linkTo(blob: string, at: string): boolean {
  try {
    linkSync(blob, at)
    return true
  } catch {
    return false // the longer way says why
  }
}

/** A link never overwrites what has come there since; false if something has. */
function giveName(file: string, at: string): boolean {
  return onDisk('naming a file in images/', () => {
    try {
      if (!whereSupported(() => linkSync(file, at))) renameSync(file, at)
      return true
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') return false
      throw error
    }
  })
}
