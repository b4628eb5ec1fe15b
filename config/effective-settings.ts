// The effective configuration as facts about its keys, for those who show it.

import type { SettingFact } from '../src/http/ports.ts'
import { VARIABLES } from './environment.ts'
import { FLAGS, flagName } from './flags.ts'
import { yamlOf } from './print-config.ts'
import { CONFIG_KEYS } from './schema.ts'
import type { Setting } from './settings.ts'

/** Every key, in the order of the file. Passwords in addresses are hidden. */
export function describeSettings(effective: readonly Setting[]): readonly SettingFact[] {
  const byKey = new Map(effective.map((setting) => [setting.key, setting]))
  return CONFIG_KEYS.map(({ path, text, unset }) => {
    const setting = byKey.get(path)
    const origin = setting?.origin ?? 'default'
    return {
      ...{ key: path, origin, from: kindOf(origin), text, unset },
      value: setting === undefined ? undefined : textOf(setting.value)
    }
  })
}

/** A text stays as it is, for it is read by people and not by YAML. */
function textOf(value: unknown): string {
  return yamlOf(value).replace(/^"([^"\\]*)"$/, '$1')
}

function kindOf(origin: string): SettingFact['from'] {
  if (origin === 'default') return 'default'
  if (VARIABLES.has(origin)) return 'environment'
  return FLAGS.some((flag) => flagName(flag) === origin) ? 'command line' : 'file'
}
