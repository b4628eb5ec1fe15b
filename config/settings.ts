// One value from one place. Configuration is a stack of such settings; the last one of a key
// counts.

import { NodeError } from '../src/base/errors.ts'
import { nearestKeys } from './nearest.ts'
import { CONFIG_KEYS, SECTIONS } from './schema.ts'

export interface Setting {
  readonly key: string
  /** As it was written. */
  readonly value: unknown
  /** Where, for a person: "tumesh.yaml:12", "TUMESH_HTTP_PORT", "--http-port", "default". */
  readonly origin: string
}

/** Faults are whole sentences without a full stop, with their place at the end. */
export interface Source {
  readonly settings: readonly Setting[]
  readonly faults: readonly string[]
}

const KEY_PATHS: ReadonlySet<string> = new Set(CONFIG_KEYS.map(({ path }) => path))
const KNOWN_NAMES = [...KEY_PATHS, ...Object.keys(SECTIONS)]

export function isKey(path: string): boolean {
  return KEY_PATHS.has(path)
}

export function unknownKey(path: string, origin: string): string {
  const meant = nearestKeys(path, KNOWN_NAMES)
  const hint = meant.length === 0 ? '' : `; did you mean ${meant.join(' or ')}?`
  return `there is no key ${path} (${origin})${hint}`
}

/** Broken YAML can have a fault at every character. */
const FAULTS_SHOWN_MAX = 50

/** All faults in one error: a sentence for one, a list for several. */
export function badConfig(faults: readonly string[]): NodeError {
  const { length } = faults
  if (length === 1) {
    return new NodeError('BAD_CONFIG', `The configuration is wrong: ${faults[0]}`, { faults })
  }
  const shown = faults.slice(0, FAULTS_SHOWN_MAX)
  if (length > shown.length) shown.push(`and ${length - shown.length} more`)
  const list = shown.map((fault) => `\n  - ${fault}`).join('')
  return new NodeError('BAD_CONFIG', `The configuration has ${length} faults:${list}`, { faults })
}

/** A value for an error or a print-out: short, and without the password of an address. */
export function showValue(value: unknown): string {
  const safe = hideCredentials(jsonOf(value))
  return safe.length > 120 ? `${safe.slice(0, 117)}...` : safe
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return 'a value that contains itself' // YAML aliases can do that
  }
}

/** "http://***@host" for "http://name:password@host". */
export function hideCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s"']+@/g, '//***@')
}
