// What a change of the index knows of the past that this node shares with others: watermarks,
// floor and horizon (rules 5 and 6).

import type { Vouch } from '../../protocols/entries/source.ts'
import { bucketOf, bucketStartMs, type TreeNode } from '../../protocols/time-tree-shape.ts'
import { type Version, versionAt, versionMs } from '../../protocols/version.ts'
import type { Layer } from './layer.ts'
import {
  commonUntil,
  forgettableUntil,
  lowered,
  raised,
  vouched,
  type Watermark,
  type Watermarks,
  withRoom
} from './plan-watermarks.ts'
import { sumBetween } from './tree-sums.ts'

export const NO_WATERMARKS: Watermarks = {}
/** More can only come from somebody who makes up identities; the oldest go. */
const MET_MAX = 100

export class SharedPast {
  readonly #layer: Layer
  // looked at for every entry that comes; nobody else changes them during one change
  #watermarks: Watermarks | undefined
  #horizon: number | undefined
  #forgottenUntil: number | undefined

  constructor(layer: Layer) {
    this.#layer = layer
  }

  get watermarks(): Watermarks {
    this.#watermarks ??= this.#layer.get('meta', 'watermarks') as Watermarks | undefined
    this.#watermarks ??= NO_WATERMARKS
    return this.#watermarks
  }

  /** No own version is written at or below it. */
  get floor(): Version {
    return BigInt((this.#layer.get('meta', 'floor') as string | undefined) ?? 0)
  }

  /** Tombstones of images in buckets below this one may have been collected here. */
  get horizon(): number {
    this.#horizon ??= (this.#layer.get('meta', 'horizon') as number | undefined) ?? 0
    return this.#horizon
  }

  /**
   * Images in buckets below it may have been deleted and forgotten here. Those that are younger
   * can't, though the horizon says so if the clock was ahead when it rose.
   */
  forgottenUntil(nowMs: number): number {
    if (this.horizon === 0) return 0
    // a clock that has lost its time is not earlier than what was proved
    this.#forgottenUntil ??= forgettableUntil(Math.max(nowMs, versionMs(this.floor)))
    return Math.min(this.horizon, this.#forgottenUntil)
  }

  /** From now on nothing is written here in buckets below the cut. */
  raiseFloor(cut: number): void {
    const floor = versionAt(bucketStartMs(cut)) - 1n
    if (floor > this.floor) this.#layer.put('meta', 'floor', floor.toString())
  }

  raiseHorizon(bucket: number): void {
    if (bucket <= this.horizon) return
    this.#layer.put('meta', 'horizon', bucket)
    this.#horizon = bucket
  }

  /** See `withRoom`. */
  makeRoom(members: ReadonlyMap<string, unknown>): void {
    this.#set(withRoom(this.watermarks, members))
  }

  /** A member and this node were proved the same below `until`. */
  note(member: string, watermark: Watermark): void {
    this.#set(raised(this.watermarks, member, watermark))
  }

  /** See `vouched`. */
  trust(
    vouches: readonly Vouch[],
    limits: { until: number; databases: ReadonlyMap<string, string | undefined> }
  ): void {
    this.#set(vouched(this.watermarks, vouches, limits))
  }

  /** Peers that were sent entries, and whose record had not come then. */
  get met(): readonly string[] {
    return (this.#layer.get('meta', 'met') as readonly string[] | undefined) ?? []
  }

  /** Those whose record has come are left out. */
  meet(peerId: string, isKnown: (peerId: string) => boolean): void {
    const others = this.met.filter((id) => id !== peerId && !isKnown(id))
    this.#layer.put('meta', 'met', [...others.slice(1 - MET_MAX), peerId])
  }

  /** Whether it was among them. */
  part(peerId: string): boolean {
    const { met } = this
    if (!met.includes(peerId)) return false
    this.#layer.put(
      'meta',
      'met',
      met.filter((id) => id !== peerId)
    )
    return true
  }

  /** An entry came from a member, and nobody else is known to have it. */
  lower(version: Version, from: string): void {
    this.#set(lowered(this.watermarks, bucketOf(version), from))
  }

  /** The bucket below which all those members have everything. */
  commonUntil(members: ReadonlyMap<string, string | undefined>): number {
    return commonUntil(this.watermarks, members)
  }

  /** Sums of all entries below the cut, without the tombstones below the horizon. */
  sums(cut: number, horizon: number): Promise<TreeNode> {
    return sumBetween(this.#layer, horizon, cut)
  }

  #set(watermarks: Watermarks): void {
    if (watermarks === this.watermarks) return
    this.#layer.put('meta', 'watermarks', watermarks)
    this.#watermarks = watermarks
  }
}
