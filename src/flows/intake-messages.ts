// What the node and its thread for bulk bytes say to each other. All of it is copied, and nothing
// of it is a byte of a blob.

import type { ContentHash } from '../../protocols/hash.ts'
import type { LaneKey } from '../../protocols/lane/key.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { FileMove, MoveOutcome, StagedFile } from '../store/staged-files.ts'

/** What the thread is given when it begins. */
export interface IntakeSettings {
  /** Where new files go: temp/ of the data folder. */
  readonly folder: string
  /** Begins their names. */
  readonly tag: string
  /** Ways to pack blobs that peers are told of. */
  readonly packings: number
}

export interface IntakeItem {
  readonly hash: ContentHash
  /** Bytes that are here already. */
  readonly offset: number
  /** Of the whole blob. */
  readonly bytes: number
  /** The file that a large blob grows in; a small one gets a new file. */
  readonly partial?: string | undefined
}

/** To the thread. Lanes and requests have numbers that the node gives them. */
export type IntakeOrder =
  | { readonly do: 'dial'; readonly lane: number; readonly key: LaneKey; readonly ip: string }
  | {
      readonly do: 'fetch'
      readonly lane: number
      readonly request: number
      readonly items: readonly IntakeItem[]
    }
  /** After the last answer. */
  | { readonly do: 'end'; readonly lane: number }
  /** At once. Answered by `closed`: until then files may still be written to. */
  | { readonly do: 'close'; readonly lane: number }
  /** Files get their names, where nothing stands in the way. Answered by `placed`, in its turn. */
  | { readonly do: 'place'; readonly moves: readonly FileMove[] }
  /** The node is done with files that it was handed. */
  | { readonly do: 'released'; readonly files: number; readonly bytes: number }
  | { readonly do: 'stop' }

/** What became of an item, or of a request. */
export type IntakeEvent =
  /** All bytes of a small blob are in this file, and right. The node closes and moves it. */
  | ({
      readonly is: 'staged'
      readonly hash: ContentHash
      readonly bytes: number
      /** That did not have to come. */
      readonly saved: number
    } & StagedFile)
  /** The peer does not give it. */
  | { readonly is: 'lacking'; readonly hash: ContentHash }
  /** So many bytes of a large one are in its file; `saved` since the last word. */
  | {
      readonly is: 'grown'
      readonly hash: ContentHash
      readonly bytesDone: number
      readonly saved: number
    }
  /** All of them; whether they are right. */
  | { readonly is: 'whole'; readonly hash: ContentHash; readonly isRight: boolean }
  | { readonly is: 'answered' }
  | { readonly is: 'refused'; readonly status: number; readonly reason: string }

/** An error on its way to another thread. */
export interface IntakeFailure {
  readonly message: string
  /** Of a NodeError. */
  readonly code?: ErrorCode | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** From the thread. */
export type IntakeNews =
  | { readonly say: 'placed'; readonly outcomes: readonly MoveOutcome[] }
  | { readonly say: 'open'; readonly lane: number }
  /** The lane is no more, and no file of it is written to. Everything else was told before. */
  | { readonly say: 'closed'; readonly lane: number; readonly failure: IntakeFailure }
  | {
      readonly say: 'came'
      readonly lane: number
      /** Bytes of the stream since the last word. */
      readonly bytes: number
      /** That did not have to come, because they were packed. */
      readonly saved: number
      readonly events: readonly (readonly [request: number, event: IntakeEvent])[]
    }
