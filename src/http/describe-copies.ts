// Where the bytes of an image are, and why they are not where they are not: each server by its own
// word of now, else by what is known of it.

import { z } from 'zod'
import type { Copy } from '../../protocols/blobs/copy.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { Version } from '../../protocols/version.ts'
import { isoTime } from '../base/iso-time.ts'
import { listMembers } from '../flows/members.ts'
import { AHEAD_MAX, standingOf } from '../flows/standing.ts'
import type { Lag } from '../index-sync/index-sync.ts'
import { causeShape } from './describe-status.ts'
import type { HolderAnswer } from './mesh-status-port.ts'
import type { HttpParts } from './ports.ts'

const STATES =
  'held, coming, queued, nobody, failed, paused, disk_full, policy, alone, blocked, doubt, ' +
  'trashed, deleted, undeleted, unknown, behind; of a server that does not say it: unreachable, away, refused, ' +
  'silent, lacks'

export const copyShape = z.object({
  name: z.string(),
  has: z.boolean().describe('Who could not be asked now: by what it said last'),
  verified_at: z.iso.datetime().nullable().describe('By its own clock'),
  state: z.string().describe(`What is true of it, in one word: ${STATES}. There may be others`),
  lost: z.string().nullable().describe('damaged or missing: it had the bytes once'),
  reason: z.string().nullable().describe('Why it does not have it'),
  detail: z.string().nullable().describe('The part of the reason that the state does not say'),
  cause: causeShape.nullable().describe('Why it is not connected'),
  from: z.string().nullable().describe('The server that is sending it'),
  ahead: z.int().nullable().describe('Images that it fetches before'),
  behind: z
    .int()
    .nullable()
    .describe('Entries that its index lacks, by its last word; null: that is not known'),
  comparing: z.boolean().nullable().describe('Whether its index is being compared with this one'),
  since: z.iso.datetime().nullable().describe('Until then it was connected'),
  next_try_at: z.iso.datetime().nullable()
})

export type DescribedCopy = z.output<typeof copyShape>

/** Servers that have not answered after this are described by what they said last. */
const ASK_MS_MAX = 2000

export interface Copies {
  /** This node first, the others by their names. */
  readonly servers: readonly DescribedCopy[]
  /** Whether all servers were asked and have answered. */
  readonly complete: boolean
}

/** `version`: of an entry that names the blob. */
export async function describeCopies(
  { flows, meshStatus, node }: HttpParts,
  { hash, version }: { readonly hash: ContentHash; readonly version?: Version | undefined },
  signal: AbortSignal
): Promise<Copies> {
  const [own, asked] = await Promise.all([
    meshStatus?.standing(hash) ?? standingOf(flows, hash),
    meshStatus?.askHolders(hash, version, ASK_MS_MAX, signal) ?? membersNotAsked(flows, node)
  ])
  const isBlocked = own.state === 'blocked'
  const describe = (answer: HolderAnswer) => {
    const described = describeAnswer(answer)
    return isBlocked && !described.has ? describeCopy(answer.name, false, own) : described
  }
  const others = asked.map(describe).sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    servers: [describeCopy(node.name, own.state === 'held', own), ...others],
    complete: asked.every(({ has }) => has !== undefined)
  }
}

/** Where sync is switched off: those of before may have it all the same. */
async function membersNotAsked(
  { index }: HttpParts['flows'],
  { peerId }: HttpParts['node']
): Promise<readonly HolderAnswer[]> {
  const others = (await listMembers(index)).filter(({ id }) => id !== peerId)
  return others.map(({ name }) => ({ name, has: undefined, believed: false, connected: false }))
}

/** A server of which one word is known. */
export function lackingCopy(name: string, state: string, reason: string): DescribedCopy {
  return { ...describeCopy(name, false, { state }), reason }
}

export function describeCopy(name: string, has: boolean, copy: Copy): DescribedCopy {
  const time = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms))
  return {
    name,
    has,
    verified_at: time(copy.verifiedMs),
    state: copy.state,
    lost: copy.lost ?? null,
    reason: has ? null : sayCopy(copy),
    detail: (has ? undefined : copy.reason) ?? null,
    cause: null,
    from: copy.from ?? null,
    ahead: copy.state === 'queued' ? (copy.ahead ?? 0) : null,
    behind: null,
    comparing: null,
    since: null,
    next_try_at: has ? null : time(copy.nextTryMs)
  }
}

/** Who can't be asked is described by what it said last. */
function describeAnswer(answer: HolderAnswer): DescribedCopy {
  const { name, has, copy, believed, lag } = answer
  if (copy?.state === 'unknown' && lag !== undefined) return describeBehind(name, lag)
  if (has !== undefined && copy !== undefined) return describeCopy(name, has, copy)
  if (has !== undefined) return describeCopy(name, has, { state: has ? 'held' : 'lacks' })
  const { lastSeenMs, lastCause, nextDialMs } = answer
  const absent = { state: absenceOf(answer), reason: lastCause?.text, nextTryMs: nextDialMs }
  const since = lastSeenMs === undefined ? null : isoTime(lastSeenMs)
  const described = describeCopy(name, false, absent)
  const belief = believed ? '; by what it said last it has it' : ''
  return {
    ...described,
    has: believed,
    cause: lastCause === undefined ? null : { ...lastCause },
    since: absent.state === 'silent' ? null : since,
    reason: sayAbsence(absent.state, since) + belief
  }
}

/** It knows of no such image, and this node does. */
function describeBehind(name: string, { entries, isComparing }: Lag): DescribedCopy {
  const many = entries === undefined ? '' : `; its index lacks ${entries} ${plural(entries)}`
  const next = isComparing
    ? 'the two indexes are being compared now'
    : 'it hears of it when the two indexes are compared next'
  return {
    ...describeCopy(name, false, { state: 'behind' }),
    behind: entries ?? null,
    comparing: isComparing,
    reason: `it has not heard of this image yet${many}; ${next}`
  }
}

function plural(entries: number): string {
  return entries === 1 ? 'entry' : 'entries'
}

function absenceOf({ connected, state }: HolderAnswer): string {
  if (state === 'refused') return 'refused'
  if (connected) return 'silent'
  return state === 'away' ? 'away' : 'unreachable'
}

function sayAbsence(state: string, since: string | null): string {
  switch (state) {
    case 'refused':
      return 'one of the two does not let the other in'
    case 'silent':
      return 'it did not answer in time'
    case 'away':
      return 'it is away'
    default:
      return since === null ? 'it is not connected' : `it has not been connected since ${since}`
  }
}

/** In a sentence without its end. */
function sayCopy(copy: Copy): string {
  const { state, lost, reason, ahead = 0, from } = copy
  const said = sayState(state, { ahead, from, reason: lost === undefined ? reason : undefined })
  if (lost === undefined) return said
  const how = lost === 'damaged' ? 'its file was damaged' : 'its file was lost'
  return `${reason ?? how}; ${said}`
}

function sayState(
  state: string,
  { ahead, from, reason }: { ahead: number; from?: string | undefined; reason?: string | undefined }
): string {
  const why = reason === undefined ? '' : `: ${reason}`
  switch (state) {
    case 'held':
      return 'it has it'
    case 'coming':
      return `it is coming from ${from ?? 'another server'}`
    case 'queued':
      return sayQueued(ahead)
    case 'nobody':
      return 'no server that is connected has it'
    case 'failed':
      return `it could not be fetched${why}`
    case 'paused':
      return `it fetches nothing for a moment, since it could not take what came${why}`
    case 'disk_full':
      return 'its disk is full: it takes no images until there is room'
    case 'policy':
      return 'it keeps only what is read there (file_storage.sync_enabled is false)'
    case 'alone':
      return 'it is not connected with any other server'
    case 'blocked':
      return `it is blocked${why}`
    case 'doubt':
      return 'its disk is in doubt: it claims no image until that is back, or a person has looked'
    case 'trashed':
      return 'its trash holds the bytes'
    case 'unknown':
      return 'it knows of no image with these bytes yet'
    case 'lacks':
      return 'it says that it does not have it yet'
    default:
      return `it says: ${state}${why}`
  }
}

function sayQueued(ahead: number): string {
  if (ahead === 0) return 'it is the next to be fetched'
  const many = ahead >= AHEAD_MAX ? `at least ${ahead}` : ahead
  return `it is queued behind ${many} ${ahead === 1 ? 'other' : 'others'}`
}
