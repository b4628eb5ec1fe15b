// Which meshes this node belongs to: random ids, made with the first image, kept as records that
// all members share. Where two meshes have merged, all know the ids of both.

import { CLUSTER_IDS_MAX } from '../../protocols/hello/limits.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { oneAtATime } from '../base/one-at-a-time.ts'
import type { ImageIndex } from '../index/image-index.ts'

const PREFIX = 'cluster/'
const ID_BYTES = 16
const NO_VALUE = Buffer.from('{}')

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

  /** In order, so that all nodes tell the same where there are too many. */
  list(): readonly string[] {
    return this.#ids
  }

  /** Makes one if there is none: a mesh begins. */
  async ensure(): Promise<void> {
    if (this.#ids.length > 0) return
    await this.adopt([randomHex(this.#parts.random, ID_BYTES)])
  }

  /** Belongs to these meshes as well from now on. */
  async adopt(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#ids.includes(id))
    if (unknown.length === 0) return
    await this.#parts.index.change((tx) => {
      for (const id of unknown) tx.putRecord(PREFIX + id, NO_VALUE)
    })
    await this.refresh()
  }

  async #refresh(): Promise<void> {
    const ids: string[] = []
    for await (const { name } of this.#parts.index.records(PREFIX)) {
      if (ids.push(name.slice(PREFIX.length)) === CLUSTER_IDS_MAX) break
    }
    this.#ids = ids
  }
}
