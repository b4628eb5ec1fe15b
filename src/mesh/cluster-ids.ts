// Which meshes this node belongs to: random ids, made with the first image, kept as records that
// all members share. Where two meshes have merged, all know the ids of both.
//
// Two nodes are of one mesh if they share one id. So an id that this node has told once it goes on
// telling, whatever records come later and whatever order their names have: a member that was away
// meanwhile knows that one and none of the others.

import { CLUSTER_IDS_MAX, ID_BYTES_MAX } from '../../protocols/hello/limits.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { oneAtATime } from '../base/one-at-a-time.ts'
import type { ImageIndex } from '../index/image-index.ts'

const PREFIX = 'cluster/'
const ID_BYTES = 16
const NO_VALUE = Buffer.from('{}')
/** Taken over from a peer: one would do for the two to be of one mesh. */
const ADOPTED_MAX = 4
/** Records that are looked at for ids; names that can't be one are passed over. */
const RECORDS_READ_MAX = 1000
/** Name of the row that remembers what was told. */
const TOLD = 'clusterIds'

export interface ClusterIdParts {
  readonly index: ImageIndex
  readonly random: Random
}

export class ClusterIds {
  readonly #parts: ClusterIdParts
  #ids: readonly string[] = []
  /** Reads them anew: records of others have come. */
  readonly refresh = oneAtATime(() => this.#refresh())

  constructor(parts: ClusterIdParts) {
    this.#parts = parts
  }

  /** At most as many as a hello has room for; those that are known longest first. */
  list(): readonly string[] {
    return this.#ids
  }

  /** Makes one if there is none: a mesh begins. */
  async ensure(): Promise<void> {
    if (this.#ids.length > 0) return
    await this.adopt([randomHex(this.#parts.random, ID_BYTES)])
  }

  /**
   * Belongs to these meshes as well from now on. Where there is no room for more they are told
   * instead of those that came last, and make no record: a peer that says others each time would
   * fill the index.
   */
  async adopt(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => isId(id) && !this.#ids.includes(id)).slice(0, ADOPTED_MAX)
    if (unknown.length === 0) return
    const room = CLUSTER_IDS_MAX - this.#ids.length
    await this.#parts.index.change((tx) => {
      for (const id of unknown.slice(0, room)) tx.putRecord(PREFIX + id, NO_VALUE)
    })
    await this.#tell([...this.#ids.slice(0, CLUSTER_IDS_MAX - unknown.length), ...unknown])
  }

  async #refresh(): Promise<void> {
    const { index } = this.#parts
    const told = (index.meta(TOLD) as readonly string[] | undefined) ?? []
    const ids = new Set(this.#ids.length > 0 ? this.#ids : told)
    let read = 0
    for await (const { name } of index.records(PREFIX)) {
      if (ids.size >= CLUSTER_IDS_MAX || ++read > RECORDS_READ_MAX) break
      const id = name.slice(PREFIX.length)
      if (isId(id)) ids.add(id)
    }
    // some may have been adopted meanwhile
    await this.#tell([...new Set([...this.#ids, ...ids])].slice(0, CLUSTER_IDS_MAX))
  }

  async #tell(ids: readonly string[]): Promise<void> {
    if (ids.join() === this.#ids.join()) return
    this.#ids = ids
    await this.#parts.index.change((tx) => tx.setMeta(TOLD, ids), { durable: false })
  }
}

/** Anything else would have all peers refuse the hello that it is told in. */
function isId(id: string): boolean {
  return /^[0-9a-z]+$/i.test(id) && id.length <= ID_BYTES_MAX
}
