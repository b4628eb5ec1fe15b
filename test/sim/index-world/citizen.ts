// A node of a world with what the world knows of it: its disk, its promises, its backups.

import { refOf } from '../../../protocols/entries/entry-ref.ts'
import type { Entry } from '../../../protocols/entry.ts'
import { collect } from '../../../src/flows/collect.ts'
import type { News } from '../../../src/index/transaction.ts'
import { IndexNode, type IndexNodeParts, nameOfRef } from './index-node.ts'
import { NodeView, type ViewWatcher } from './node-view.ts'
import { NodePromises } from './promises.ts'
import { type Rows, WorldLevel } from './world-level.ts'

const MEMBER = 'member/'
const never = new AbortController().signal

export type CitizenParts = Omit<IndexNodeParts, 'onNews' | 'onTaken' | 'onVerdict' | 'onRow'>

export class Citizen {
  readonly node: IndexNode
  readonly promises = new NodePromises()
  readonly backups: Rows[] = []
  /** What is on its disk. */
  view = new NodeView()
  hasTwin = false
  /** Who has turned images of it away, by their names. */
  readonly #turnedAway = new Map<string, string>()
  /** What it left on its disk when it died. */
  #left: Rows | undefined

  constructor(parts: CitizenParts) {
    const onNews = (news: readonly News[]) => this.#hear(news)
    const onTaken = (entries: readonly Entry[]) => this.promises.acknowledge(entries)
    const onVerdict: IndexNodeParts['onVerdict'] = (images, from) => {
      for (const image of images) this.#turnedAway.set(nameOfRef(image), from)
    }
    const onRow: IndexNodeParts['onRow'] = (key, value) => this.view.see(key, value)
    this.node = new IndexNode({ ...parts, onNews, onTaken, onVerdict, onRow }, new WorldLevel())
  }

  get rows(): Rows {
    return this.#left ?? this.node.level.rows
  }

  async start(): Promise<void> {
    if (this.#left !== undefined) this.node.putDisk(this.#left)
    this.#left = undefined
    await this.node.start()
    for (const entry of this.view.entries.values()) this.#follow(entry)
  }

  /** In the middle of everything; of what it has not synced this share is left. */
  die(share: number): void {
    this.#left = this.node.level.left(share)
    this.node.die()
    this.#see(this.#left)
  }

  /** It finds another folder when it starts. It must be down. */
  putFolder(rows: Rows): void {
    const before = this.view
    this.#left = rows
    this.#see(rows)
    this.promises.takeFolder(before, this.view)
  }

  /** Its disk was full: what failed on it may be there all the same, and nobody was told of it. */
  async heal(): Promise<void> {
    await this.node.life.index.upkeep.reopen()
    for (const entry of this.view.entries.values()) this.#follow(entry)
  }

  /** The node that did not take in an image of this one. */
  whoTurnedAway(image: Entry): string | undefined {
    return this.#turnedAway.get(nameOfRef(refOf(image)))
  }

  /** Forgets deletions that all members know, and that are older than this. */
  async collect(tombstonesKeepMs: number): Promise<void> {
    const { index, timers } = this.node.life
    await index.makeLookUps()
    await collect({ index, clock: timers }, { tombstonesKeepMs }, never)
  }

  watch(watcher: ViewWatcher): void {
    this.view.watcher = watcher
  }

  #see(rows: Rows): void {
    this.view = NodeView.of(rows, this.view.watcher)
  }

  #hear(news: readonly News[]): void {
    for (const { entry } of news) {
      this.promises.promise(entry)
      this.#follow(entry)
    }
  }

  /** A member that was removed is met no more, until it is brought back. */
  #follow(entry: Entry): void {
    const { path, deleted } = entry
    if (!path.startsWith(MEMBER) || !this.node.isUp) return
    const { network } = this.node.life
    const id = path.slice(MEMBER.length)
    if (id === this.node.id) {
      // it says itself which index it has; twins that both did so would never end
      if (!deleted && entry.writer !== id) void this.node.introduce().catch(() => {})
      return
    }
    if (deleted) void network.deny(id)
    else network.allow(id)
  }
}
