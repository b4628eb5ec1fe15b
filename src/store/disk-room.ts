// How much more the disk may take, asked often and answered without asking the disk each time.

import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { formatSize } from '../base/units.ts'
import { type DiskSpace, diskSpace, planRoom, type Room } from './disk-space.ts'
import { type FileStorageOptions, reservedBytes } from './options.ts'

/** What was measured is believed for this long, less what was taken since. */
const BELIEVED_MS = 1000

export interface DiskRoomStatus extends DiskSpace {
  readonly reserved: number
  readonly state: Room
  /** When it came to be so, or the node has started. */
  readonly sinceMs: number
}

export interface DiskRoomParts {
  readonly clock: Clock
}

export interface DiskRoomOptions {
  /** Any path on the disk. */
  readonly path: string
  readonly reserve: FileStorageOptions['reserve']
}

export class DiskRoom {
  readonly #clock: Clock
  readonly #options: DiskRoomOptions
  #space: DiskSpace
  #measuredMs: number
  /** Taken since the disk was measured. */
  #taken = 0
  #measuring = false
  #sinceMs: number

  static async open(parts: DiskRoomParts, options: DiskRoomOptions): Promise<DiskRoom> {
    return new DiskRoom(parts, options, await diskSpace(options.path))
  }

  private constructor({ clock }: DiskRoomParts, options: DiskRoomOptions, space: DiskSpace) {
    this.#clock = clock
    this.#options = options
    this.#space = space
    this.#measuredMs = clock.monotonicMs()
    this.#sinceMs = clock.now()
  }

  /** Throws DISK_FULL unless `bytes` more leave the reserve free. Sets nothing aside for them. */
  demand(bytes: number): void {
    this.#refresh()
    const { free, inodesFree } = this.#space
    const left = { free: free - this.#taken, inodesFree }
    if (planRoom(left, this.#reserved(), bytes) === 'full') {
      const free = formatSize(Math.max(0, left.free))
      const [size, reserve] = [formatSize(bytes), formatSize(this.#reserved())]
      throw new NodeError(
        'DISK_FULL',
        `There is no room for ${size} more: ${free} are free and ${reserve} are kept in reserve ` +
          '(file_storage.reserve). Free some room and send it again.',
        { bytes, ...saidAs('no_room', { size, free, reserve }) }
      )
    }
  }

  /** The same for bytes that are about to be written. */
  take(bytes: number): void {
    this.demand(bytes)
    this.#taken += bytes
  }

  /**
   * Asks the disk. To be called now and then, as others write on it too. A disk that can't be asked
   * keeps its last figures: writing will tell.
   */
  async measure(): Promise<void> {
    if (this.#measuring) return
    this.#measuring = true
    try {
      const before = this.#state()
      this.#space = await diskSpace(this.#options.path)
      this.#taken = 0
      if (this.#state() !== before) this.#sinceMs = this.#clock.now()
      this.#measuredMs = this.#clock.monotonicMs()
    } catch {
      // as said
    } finally {
      this.#measuring = false
    }
  }

  status(): DiskRoomStatus {
    this.#refresh()
    const [reserved, state] = [this.#reserved(), this.#state()]
    return { ...this.#space, reserved, state, sinceMs: this.#sinceMs }
  }

  #state(): Room {
    return planRoom(this.#space, this.#reserved(), 0)
  }

  #reserved(): number {
    return reservedBytes(this.#options.reserve, this.#space.total)
  }

  /** In the background. */
  #refresh(): void {
    if (this.#clock.monotonicMs() - this.#measuredMs >= BELIEVED_MS) void this.measure()
  }
}
