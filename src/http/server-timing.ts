// The header Server-Timing (W3C): what took the time until an answer began. Developers see it in
// their browser, beside what the network took.
//
// An answer goes through phases one after the other; the last one ends when its head is written.

import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'

/**
 * `guard`: may the caller; `kept`: the head of an answer, and mostly its bytes, are in memory;
 * `index`: which bytes; `disk` and `fetch`: the first of them, from here or from another server;
 * `work`: all that other routes do.
 */
export type Phase = 'guard' | 'kept' | 'index' | 'disk' | 'fetch' | 'work'

interface Course {
  phase: Phase
  sinceMs: number
  readonly beganMs: number
  text: string
}

type Head = OutgoingHttpHeaders | OutgoingHttpHeader[]
type WriteHead = (status: number, reason?: string | Head, headers?: Head) => ServerResponse

export class ServerTiming {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #courses = new WeakMap<ServerResponse, Course>()

  constructor({ clock }: { readonly clock: Pick<Clock, 'monotonicMs'> }) {
    this.#clock = clock
  }

  /** A request has come; its answer will have the header, however it is written. */
  begin(response: ServerResponse): void {
    const beganMs = this.#clock.monotonicMs()
    const course: Course = { phase: 'guard', sinceMs: beganMs, beganMs, text: '' }
    this.#courses.set(response, course)
    const writeHead = response.writeHead.bind(response) as WriteHead
    const timed: WriteHead = (status, reason, headers) => {
      const head = typeof reason === 'string' ? headers : reason
      const value = this.#end(course)
      if (Array.isArray(head)) return writeHead(status, [...head, 'Server-Timing', value])
      response.setHeader('Server-Timing', value)
      return writeHead(status, reason, headers)
    }
    response.writeHead = timed as typeof response.writeHead
  }

  /** The phase before it is over. */
  enter(response: ServerResponse, phase: Phase): void {
    const course = this.#courses.get(response)
    if (course === undefined) return
    const nowMs = this.#clock.monotonicMs()
    course.text += `${course.phase};dur=${(nowMs - course.sinceMs).toFixed(2)}, `
    course.phase = phase
    course.sinceMs = nowMs
  }

  /** The phase was this one all along. */
  rename(response: ServerResponse, phase: Phase): void {
    const course = this.#courses.get(response)
    if (course !== undefined) course.phase = phase
  }

  #end({ phase, sinceMs, beganMs, text }: Course): string {
    const nowMs = this.#clock.monotonicMs()
    const last = `${phase};dur=${(nowMs - sinceMs).toFixed(2)}`
    return `${text}${last}, total;dur=${(nowMs - beganMs).toFixed(2)}`
  }
}
