// Events of the node as clients read them: server-sent events, or lines of text for people.

import { isoTime } from '../base/iso-time.ts'
import type { FeedEvent, Watched } from '../flows/feed.ts'

/** One event, or a comment that keeps proxies from closing the connection. */
export type WriteWatched = (watched: Watched) => string

/**
 * Server-sent events (WHATWG HTML, section 9.2), of these kinds if they are given. `run` tells this
 * run of the node from others: ids of another run say nothing.
 */
export function eventStream(run: string, kinds?: readonly string[]): WriteWatched {
  return (watched) => {
    if (watched.do === 'quiet') return ': quiet\n\n'
    if (watched.do === 'missed') return `event: missed\ndata: {"count":${watched.count}}\n\n`
    const { events } = watched
    const told = kinds === undefined ? events : events.filter(({ kind }) => kinds.includes(kind))
    const last = events.at(-1)
    // no event, but the client goes on after it, and the connection is seen to live
    if (told.length === 0 && last !== undefined) return `id: ${run}-${last.number}\n\n`
    return told
      .map(({ number, kind, atMs, facts }) => {
        const data = JSON.stringify({ at: isoTime(atMs), ...facts })
        return `id: ${run}-${number}\nevent: ${kind}\ndata: ${data}\n\n`
      })
      .join('')
  }
}

/** After which event of this run a client goes on; undefined if its id is of another. */
export function lastSeen(run: string, id: string): number | undefined {
  const [, number] = id.startsWith(`${run}-`) ? (/-(\d{1,15})$/.exec(id) ?? []) : []
  return number === undefined ? undefined : Number(number)
}

/** The same for people, one event a line; an empty one keeps the connection open. */
export const textLines: WriteWatched = (watched) =>
  watched.do === 'quiet'
    ? '\n'
    : linesOf(watched)
        .map((l) => `${l}\n`)
        .join('')

/** Lines as the messages of an EventSource. */
export const messageStream: WriteWatched = (watched) => {
  if (watched.do === 'quiet') return ': quiet\n\n'
  return linesOf(watched)
    .map((line) => `data: ${line}\n\n`)
    .join('')
}

function linesOf(watched: Watched): string[] {
  if (watched.do === 'quiet') return []
  if (watched.do === 'missed') return [`… ${watched.count} events went by unseen`]
  return watched.events.map(lineOf)
}

function lineOf({ atMs, kind, facts }: FeedEvent): string {
  const told = Object.entries(facts).filter(([, value]) => value !== null)
  const words = told.map(([name, value]) => `${name}=${wordOf(value)}`)
  return [isoTime(atMs), kind, ...words].join(' ')
}

/** In quotes if it would not be one word. */
function wordOf(value: string | number | null): string {
  const text = String(value)
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
