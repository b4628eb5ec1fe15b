// How one other server is, by what it said of itself and how it could be reached. Pure.

import type { Heard } from '../../protocols/hello/hello.ts'
import { type Cause, causeOf } from '../base/cause.ts'
import { callOf } from '../base/how-called.ts'
import { isoTime } from '../base/iso-time.ts'
import type { Member } from '../flows/members.ts'
import type { ServerState, ServerStatus } from '../flows/status.ts'
import type { PeerReport } from '../index-sync/peer-beliefs.ts'
import type { ConnectedPeer } from '../network/network.ts'
import type { DialFailure } from '../network/redial.ts'

/** A member that has not been seen for so long is away, as is one that said so. */
export const AWAY_MS = 7 * 86_400_000
/** Nobody is believed to be away for longer, whatever its record says. */
const SAID_AWAY_MS_MAX = 90 * 86_400_000
/** Beyond this the clocks of two servers are too far apart (rule 10). */
export const CLOCK_OFFSET_MS_MAX = 10 * 60_000

export interface ServerFacts {
  readonly id: string
  readonly member: Member | undefined
  readonly peer: ConnectedPeer | undefined
  /** A connected one is of another mesh, and waits for a person to let the two merge. */
  readonly waits: boolean
  readonly heard: Heard | undefined
  readonly report: PeerReport | undefined
  readonly etaSeconds: number | undefined
  readonly failure: DialFailure | undefined
  readonly seenMs: number | undefined
  /** Streams of it that ended in an error here. */
  readonly faults: number
}

export function serverOf(facts: ServerFacts, nowMs: number): ServerStatus {
  const { id, member, peer, heard, report } = facts
  const status = report?.status
  const addresses = heard?.addresses ?? member?.addresses ?? []
  const cause = peer === undefined ? absenceOf(facts, nowMs) : errorOf(facts)
  return {
    name: heard?.name ?? member?.name ?? id.slice(-8),
    peerId: id,
    state: stateOf(facts, nowMs),
    address: peer?.address ?? addresses[0],
    httpPort: heard?.httpPort,
    addresses,
    connectedAtMs: peer?.sinceMs,
    lastSeenMs: peer === undefined ? facts.seenMs : nowMs,
    comparedAtMs: report?.atMs,
    missingFiles: status?.wantsFiles,
    missingBytes: status?.wantsBytes,
    etaSeconds: peer && facts.etaSeconds,
    latencyMs: peer?.latencyMs,
    clockOffsetMs: heard && Math.round(heard.clockOffsetMs),
    disk: status?.disk,
    faults: facts.faults,
    lastError: cause?.text,
    lastCause: cause
  }
}

function stateOf(
  { member, peer, waits, report, failure, seenMs }: ServerFacts,
  nowMs: number
): ServerState {
  if (peer !== undefined) {
    if (waits) return 'refused'
    return report?.equal && report.status.wantsFiles === 0 ? 'online' : 'syncing'
  }
  if (failure?.refused) return 'refused'
  if (saidAway(member, nowMs)) return 'away'
  return seenMs !== undefined && nowMs - seenMs > AWAY_MS ? 'away' : 'offline'
}

/** Whether it is off because somebody said that it would be. */
function saidAway(member: Member | undefined, nowMs: number): member is Member {
  const leftMs = (member?.awayUntilMs ?? nowMs) - nowMs
  return leftMs > 0 && leftMs <= SAID_AWAY_MS_MAX
}

function absenceOf({ member, failure }: ServerFacts, nowMs: number): Cause | undefined {
  if (saidAway(member, nowMs)) {
    const until = isoTime(member.awayUntilMs ?? nowMs)
    const text = `It said that it is switched off until ${minuteOf(until)} UTC.`
    return causeOf('away_until', text, { until })
  }
  if (failure === undefined) return undefined
  const { message, reason, place } = failure
  return causeOf(`dial_${reason.replaceAll('-', '_')}`, message, { place })
}

function errorOf({ waits, peer }: ServerFacts): Cause | undefined {
  if (!waits) return undefined
  const command = callOf('join', peer?.address)
  const text = `It holds images of another mesh, and the two stay apart. To merge them: ${command}`
  return causeOf('other_mesh', text, { command })
}

/** "2023-11-14 22:14", as people read it. */
function minuteOf(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ')
}

/** One for each server whose clock is too far from ours. */
export function clockTroubles(servers: readonly ServerStatus[]): Cause[] {
  return servers.flatMap(({ name, clockOffsetMs: ms }) => {
    if (ms === undefined || Math.abs(ms) <= CLOCK_OFFSET_MS_MAX) return []
    const minutes = Math.round(Math.abs(ms) / 60_000)
    const how = ms > 0 ? 'ahead of' : 'behind'
    const text = `The clock of ${name} is ${minutes} minutes ${how} that of this server. Set both, best by NTP.`
    return [causeOf(ms > 0 ? 'clock_ahead' : 'clock_behind', text, { server: name, minutes })]
  })
}

/** One for each server that is connected and whose disk takes nothing more. */
export function diskTroubles(servers: readonly ServerStatus[]): Cause[] {
  return servers.flatMap(({ name, connectedAtMs, disk }) => {
    if (connectedAtMs === undefined || disk?.state !== 'full') return []
    const since = isoTime(disk.sinceMs)
    const text = `The disk of ${name} is full, since ${minuteOf(since)} UTC: new images are not kept there. Make room on it.`
    return [causeOf('server_disk_full', text, { server: name, since })]
  })
}

/** What to say of images that nobody who is connected has; undefined if there are none. */
export function unreachableTrouble(
  servers: readonly ServerStatus[],
  images: number
): Cause | undefined {
  if (images === 0) return undefined
  const gone = servers.filter(({ connectedAtMs }) => connectedAtMs === undefined)
  const what = images === 1 ? '1 image is' : `${images} images are`
  const named = gone.slice(0, NAMED_MAX).map(({ name }) => name)
  const names = `${named.join(', ')}${gone.length > NAMED_MAX ? ' and others' : ''}`
  const who =
    gone.length === 0
      ? ' They come with a server that has them: join it, or put them in again.'
      : ` Not connected: ${names}.`
  const text = `${what} neither here nor on any server that is connected.${who}`
  const code = gone.length === 0 ? 'images_nowhere' : 'images_unreachable'
  return causeOf(code, text, { count: images, servers: names })
}

const NAMED_MAX = 10
