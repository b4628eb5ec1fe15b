// Sends a call of the HTTP interface, and resolves with the answer before its body is read.

import { type AskedArguments, type Operation, planRequest } from './plan-request.ts'

/** Whom all is sent to, and what is said with all of it. */
export interface Site {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Whether an answer that sends on to elsewhere is given back as it is. */
  readonly keepsRedirects?: boolean
}

/** What is said beside what the operation itself asks. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is no JSON; asked for when it is sent. */
  readonly bytes?: () => string | Uint8Array | Blob | AsyncIterable<Uint8Array>
  /** Only the head of what a GET would answer. */
  readonly isHead?: boolean
}

/** Rejects as `fetch` does. Throws BAD_REQUEST for a path that would lead elsewhere. */
export async function sendRequest<Name extends Operation>(
  { url, headers, signal, keepsRedirects = false }: Site,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<Response> {
  const { bytes, isHead = false, ...sent }: Sent = asked[0] ?? {}
  const planned = planRequest(operation, ...(asked as AskedArguments<Name>))
  const body = bytes?.() ?? planned.body
  const init = {
    method: isHead ? 'HEAD' : planned.method,
    headers: { ...planned.headers, ...sent.headers, ...headers },
    ...(body !== undefined && { body, duplex: 'half' }),
    ...(signal !== undefined && { signal }),
    ...(keepsRedirects && { redirect: 'manual' })
  }
  return fetch(addressAt(url, planned.address), init as RequestInit)
}

/** A proxy may have the node below a path. */
export function addressAt(url: string, address: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname.replace(/\/+$/, '')}${address}`
}
