// Pages of others that show images from here: told apart by the Referer that browsers send. Who
// wants to deceive sends another one; it keeps honest browsers from loading what is not theirs.

import type { IncomingMessage } from 'node:http'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { Access } from './plan-access.ts'

export interface HotlinkOptions {
  /** `example.org`, `*.example.org` with all below it, or with a port; none: everybody may. */
  readonly allowed: readonly string[]
  /** Readers that send no Referer: programs, and browsers that are told not to. */
  readonly withoutReferer: 'allow' | 'refuse'
  /** Path of the image that others get instead; undefined: they get 403. */
  readonly placeholder: string | undefined
}

export function isHotlinkOn({ allowed }: HotlinkOptions): boolean {
  return allowed.length > 0
}

/** Whether the page that asks may show images from here. Pages of this server may. */
export function mayShow(
  { headers }: Pick<IncomingMessage, 'headers'>,
  { allowed, withoutReferer }: HotlinkOptions
): boolean {
  const { referer, host } = headers
  if (referer === undefined || referer === '') return withoutReferer === 'allow'
  const page = hostOf(referer)
  if (page === undefined) return false
  if (page.full === host?.toLowerCase()) return true
  return allowed.some((pattern) => isOf(pattern, page))
}

/** Who has a key, or an address that was signed, may show images wherever he likes. */
export function isInvited({ as }: Access): boolean {
  return as === 'key' || as === 'signed'
}

export function hotlinked(): NodeError {
  const sentence = 'Pages of other sites may not show images from here.'
  return new NodeError('FORBIDDEN', sentence, { page: true, ...saidAs('hotlinked') })
}

interface Host {
  readonly full: string
  readonly name: string
}

function hostOf(referer: string): Host | undefined {
  if (!/^https?:\/\//i.test(referer) || !URL.canParse(referer)) return undefined
  const { host, hostname } = new URL(referer)
  return { full: host, name: hostname }
}

function isOf(pattern: string, { full, name }: Host): boolean {
  const host = pattern.includes(':') ? full : name
  if (!pattern.startsWith('*.')) return host === pattern
  return host === pattern.slice(2) || host.endsWith(pattern.slice(1))
}

/** As they are compared; undefined for what is no pattern. */
export function readHostPattern(text: string): string | undefined {
  const pattern = text.toLowerCase()
  return /^(\*\.)?([a-z0-9_-]+\.)*[a-z0-9_-]+(:\d{1,5})?$/.test(pattern) ? pattern : undefined
}
