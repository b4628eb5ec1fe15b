// Vouches and verdicts as messages. What is read from outside throws WireError, and nothing else.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { checkCount, checkText } from '../message.ts'
import { readEntries } from './batch.ts'
import { decodeRefs, encodeRefs } from './entry-ref.ts'
import {
  BATCH_ENTRIES_MAX,
  DATABASE_ID_BYTES_MAX,
  PEER_ID_BYTES_MAX,
  VERDICT_REFS_MAX,
  VOUCHES_MAX
} from './limits.ts'
import type {
  Verdict as VerdictMessage,
  VerdictSchema,
  Vouch as VouchMessage
} from './messages_pb.ts'
import type { Verdict, Vouch } from './source.ts'

export function readVouches(messages: readonly VouchMessage[]): Vouch[] {
  checkCount('vouches', messages.length, VOUCHES_MAX)
  return messages.map(({ member, database, until }) => ({
    member: checkText('a peer id', member, PEER_ID_BYTES_MAX),
    database: readDatabaseId(database),
    until
  }))
}

export function readDatabaseId(text: string): string {
  return checkText('a database id', text, DATABASE_ID_BYTES_MAX)
}

/** Undefined where there is nothing to say. */
export function verdictMessage(
  verdict: Verdict | undefined
): MessageInitShape<typeof VerdictSchema> | undefined {
  if (verdict === undefined) return undefined
  const { refs, database, vouches, deletions } = verdict
  return {
    refs: encodeRefs(refs),
    database,
    vouches: [...vouches],
    deletions: deletions.map(({ raw }) => raw)
  }
}

export function readVerdict(message: VerdictMessage | undefined): Verdict | undefined {
  if (message === undefined) return undefined
  const refs = decodeRefs(message.refs)
  checkCount('refs', refs.length, VERDICT_REFS_MAX)
  checkCount('deletions', message.deletions.length, BATCH_ENTRIES_MAX)
  return {
    refs,
    database: readDatabaseId(message.database),
    vouches: readVouches(message.vouches),
    deletions: readEntries(message.deletions).entries
  }
}
