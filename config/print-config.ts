// The effective configuration as YAML that can be read in again, each value with its origin.

import { stringify } from 'yaml'
import { CONFIG_KEYS, type ConfigKey } from './schema.ts'
import { hideCredentials, type Setting } from './settings.ts'

/** For programs: each key that is set, with its value and origin. Passwords are hidden. */
export function configJson(effective: readonly Setting[]): string {
  const settings = effective.map(({ key, value, origin }) => [key, { value, origin }])
  return `${hideCredentials(JSON.stringify(Object.fromEntries(settings)))}\n`
}

/** One line a key; keys that are not set are comments. Passwords in addresses are hidden. */
export function printConfig(effective: readonly Setting[]): string {
  return printKeys(({ path, kind, unset }) => {
    const setting = effective.find(({ key }) => key === path)
    if (setting === undefined) return { value: undefined, comment: `default: ${unset}` }
    const { value, origin } = setting
    // flags and variables are text; as YAML it would be quoted
    const isNumber = kind === 'port' || kind === 'number'
    return { value: isNumber ? Number(value) : value, comment: origin }
  })
}

export interface PrintedKey {
  /** Undefined: the key is printed as a comment, with the example if there is one. */
  readonly value: unknown
  readonly example?: unknown
  readonly comment: string
}

/** All keys in their order, under their sections. */
export function printKeys(describe: (key: ConfigKey) => PrintedKey): string {
  const lines: string[] = []
  let open = ''
  for (const key of CONFIG_KEYS) {
    const [section = '', name] = key.path.split('.')
    if (name !== undefined && section !== open) {
      lines.push(`${section}:`)
      open = section
    }
    const { value, example, comment } = describe(key)
    const indent = name === undefined ? '' : '  '
    const off = value === undefined ? '# ' : ''
    const assignment = `${off}${name ?? section}: ${yamlOf(value ?? example)}`.trimEnd()
    lines.push(`${indent}${assignment} # ${comment}`)
  }
  return `${lines.join('\n')}\n`
}

const ON_ONE_LINE = {
  collectionStyle: 'flow',
  flowCollectionPadding: false,
  lineWidth: 0,
  blockQuote: false
} as const

/** On one line. */
export function yamlOf(value: unknown): string {
  if (value === undefined) return ''
  const text = stringify(value, ON_ONE_LINE)
  return hideCredentials(text.trimEnd())
}
