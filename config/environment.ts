// Environment variables as settings: TUMESH_HTTP_PORT sets http.port; the flags have short ones
// besides.

import { parseBoolean } from '../src/base/fields.ts'
import { FLAGS } from './flags.ts'
import { nearest } from './nearest.ts'
import { CONFIG_KEYS } from './schema.ts'
import type { Setting, Source } from './settings.ts'

const PREFIX = 'TUMESH_'
/**
 * TUMESH_FAIL_POINT serves tests of crashes and is read where the node starts; TUMESH_KEY is for
 * commands that ask a node.
 */
const NOT_KEYS = ['TUMESH_CONFIG', 'TUMESH_FAIL_POINT', 'TUMESH_KEY']

export type Environment = Readonly<Record<string, string | undefined>>

interface Variable {
  readonly key: string
  readonly negates: boolean
}

/** Every variable that sets a key. */
export const VARIABLES: ReadonlyMap<string, Variable> = new Map([
  ...CONFIG_KEYS.map(({ path }) => [variableOf(path), { key: path, negates: false }] as const),
  ...FLAGS.map(
    (flag) => [flag.variable, { key: flag.key, negates: flag.negates === true }] as const
  )
])

export function variableOf(path: string): string {
  return PREFIX + path.replaceAll('.', '_').toUpperCase()
}

/** Empty variables count as not set. */
export function readEnvironment(environment: Environment): Source {
  const settings: Setting[] = []
  const faults: string[] = []
  const given = Object.entries(environment)
    .filter(([name, value]) => name.startsWith(PREFIX) && value !== undefined && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, value] of given) {
    if (NOT_KEYS.includes(name)) continue
    const variable = VARIABLES.get(name)
    if (variable === undefined) {
      faults.push(unknownVariable(name))
      continue
    }
    const { key, negates } = variable
    const twin = settings.find((setting) => setting.key === key)
    if (twin !== undefined) faults.push(`${twin.origin} and ${name} both set ${key}; keep one`)
    settings.push({ key, value: negates ? opposite(value) : value, origin: name })
  }
  return { settings, faults }
}

function unknownVariable(name: string): string {
  const known = [...VARIABLES.keys(), ...NOT_KEYS].map((variable) => variable.slice(PREFIX.length))
  const best = nearest(
    name.slice(PREFIX.length),
    known.map((part) => part.toLowerCase())
  )
  const hint = best === undefined ? '' : `; did you mean ${PREFIX}${best.toUpperCase()}?`
  return `there is no variable ${name}${hint}`
}

/** What is no word for yes or no stays as it is, and is refused as a value. */
function opposite(value: string | undefined): unknown {
  const word = parseBoolean(value)
  return word === undefined ? value : !word
}
