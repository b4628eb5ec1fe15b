// Fields of the configuration: what people write in a file, a variable or a flag, read strictly.
// Every message continues "KEY must be …".

import { z } from 'zod'
import { parseDuration, parseSize } from './units.ts'

/** The largest time a timer of the platform can wait; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/**
 * `read` gives undefined for what it does not understand; `must` says what it would have
 * understood.
 */
function field<Out>(kind: string, must: string, read: (value: unknown) => Out | undefined) {
  return z
    .unknown()
    .transform((value, context): Out => {
      const out = read(value)
      if (out !== undefined) return out
      context.addIssue({ code: 'custom', message: `must be ${must}` })
      return z.NEVER
    })
    .meta({ kind })
}

/** Bytes. */
export function sizeField(min: number) {
  const must = `a size such as 100MB or 1GiB, at least ${min} bytes`
  return field('size', must, (value) =>
    within(isQuantity(value) ? parseSize(value) : undefined, min, Number.MAX_SAFE_INTEGER)
  )
}

/** Milliseconds; bare numbers are seconds. */
export function durationField(minMs: number, maxMs = TIMER_MS_MAX) {
  const days = Math.floor(maxMs / 86_400e3)
  const must = `a time such as 30s, 5m or 7d, from ${minMs}ms to ${days}d`
  return field('duration', must, (value) =>
    within(isQuantity(value) ? parseDuration(value) : undefined, minMs, maxMs)
  )
}

export function integerField(min: number, max: number, kind = 'number') {
  return field(kind, `a whole number from ${min} to ${max}`, (value) =>
    isQuantity(value) && /^\d+$/.test(String(value)) ? within(Number(value), min, max) : undefined
  )
}

/** 0 lets the system choose. */
export function portField() {
  return integerField(0, 65_535, 'port')
}

export function booleanField() {
  return field('true or false', 'true or false', parseBoolean)
}

/** Words for yes and no as people write them; undefined for anything else. */
export function parseBoolean(value: unknown): boolean | undefined {
  if (typeof value !== 'boolean' && !isQuantity(value)) return undefined
  const word = String(value).toLowerCase()
  if (['true', 'yes', 'on', '1'].includes(word)) return true
  if (['false', 'no', 'off', '0'].includes(word)) return false
  return undefined
}

export function choiceField<const Choice extends string>(choices: readonly Choice[]) {
  return field(choices.join(', '), oneOf(choices), (value) =>
    choices.find((choice) => choice === value)
  )
}

export function textField(must: string, pattern: RegExp) {
  return field('text', must, (value) =>
    typeof value === 'string' && pattern.test(value) ? value : undefined
  )
}

/** Names that are safe in paths, host names and logs. */
export function nameField() {
  const must = 'text of 1 to 63 letters, digits, dots, hyphens and underscores'
  return textField(must, /^[A-Za-z0-9._-]{1,63}$/)
}

/** An address to listen on; whether this machine has it is seen when it is used. */
export function hostField() {
  return textField('an IP address or a host name', /^[A-Za-z0-9.:_%-]{1,255}$/)
}

/** A name on the disk; relative ones count from the current folder. */
export function pathField() {
  return textField('the name of a file or folder', /^[^\0]{1,4096}$/)
}

/** A list, or one text with commas between the items. `items` describes them in the plural. */
export function listField<Item>(items: string, readItem: (text: string) => Item | undefined) {
  return field('list', `a list of ${items}`, (value): readonly Item[] | undefined => {
    const texts = typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value
    if (!Array.isArray(texts)) return undefined
    const given = texts.filter((text) => text !== '')
    const read = given.map((text) => (typeof text === 'string' ? readItem(text) : undefined))
    return read.every((item) => item !== undefined) ? read : undefined
  })
}

/** A size, a share of the disk ("5%"), or both with a comma: then the smaller one counts. */
export function reserveField() {
  const must = 'a size (1GiB), a share of the disk (5%), or both ("1GiB, 5%")'
  return field('size and share', must, (value): Reserve | undefined => {
    if (!isQuantity(value)) return undefined
    const parts = String(value).split(',')
    const shares = parts.map(parseShare).filter((share) => share !== undefined)
    const sizes = parts.map(parseSize).filter((bytes) => bytes !== undefined)
    if (shares.length + sizes.length !== parts.length) return undefined
    if (shares.length > 1 || sizes.length > 1) return undefined
    return { bytes: sizes[0], share: shares[0] }
  })
}

/** What is kept free on the disk; where both are given, the smaller one counts. */
export interface Reserve {
  readonly bytes: number | undefined
  /** Of the whole disk, from 0 to 1. */
  readonly share: number | undefined
}

function parseShare(text: string): number | undefined {
  const [, percent] = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text) ?? []
  return percent === undefined ? undefined : within(Number(percent) / 100, 0, 1)
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

function isQuantity(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function oneOf(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
}
