// The configuration of one start: defaults < file < environment < flags, checked as a whole.

import { join, resolve } from 'node:path'
import type { z } from 'zod'
import { CONFIG_FILE_NAME, readConfigFile, readNamedFile } from './config-file.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { FLAGS, flagName } from './flags.ts'
import { CONFIG_KEYS, type Config, configOf, configSchema } from './schema.ts'
import { badConfig, type Setting, type Source, showValue } from './settings.ts'

/**
 * Values of the command line by flag name ("--http-port"), as they were written; flags without
 * value are true.
 */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[]>>

export interface ConfigSources {
  readonly flags: FlagValues
  readonly environment: Environment
  /** Where tumesh.yaml is looked for and relative names of files count from. */
  readonly folder: string
  readonly hostname: string
}

export interface LoadedConfig {
  readonly config: Config
  /** The setting that counts, for each key that has one, in the order of the keys. */
  readonly effective: readonly Setting[]
}

/** BAD_CONFIG with all faults of all sources in `details.faults`. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const environment = readEnvironment(sources.environment)
  const flags = readFlags(sources.flags)
  const file = readFile(sources, [...environment.settings, ...flags.settings])
  const layers = [defaults(sources.hostname), file, environment, flags]
  const effective = lastOfEach(layers.flatMap(({ settings }) => settings))
  const result = configSchema.safeParse(treeOf(effective))
  const faults = layers.flatMap((layer) => layer.faults)
  if (result.error) faults.push(...result.error.issues.map((issue) => faultOf(issue, effective)))
  if (faults.length > 0 || !result.success) throw badConfig(faults)
  const config = configOf(result.data, sources.folder)
  return {
    config: { ...config, acceptFolder: sources.flags['--accept-folder'] === true },
    effective
  }
}

function defaults(hostname: string): Source {
  const initial = CONFIG_KEYS.filter((key) => key.initial !== undefined).map((key) => ({
    key: key.path,
    value: key.initial,
    origin: 'default'
  }))
  return {
    settings: [{ key: 'name', value: nameFrom(hostname), origin: 'default' }, ...initial],
    faults: []
  }
}

/** A host name as a node's name: other characters become hyphens, 63 at most. */
export function nameFrom(hostname: string): string {
  const clean = hostname.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 63)
  return clean.replace(/^[-.]+|[-.]+$/g, '') || 'node'
}

/**
 * The named file, else tumesh.yaml of the data folder, else that of the current folder, else
 * nothing.
 */
function readFile(
  { flags, environment, folder }: ConfigSources,
  given: readonly Setting[]
): Source {
  const flag = flags['--config']
  if (typeof flag === 'string') return readNamedFile(flag, '--config', folder)
  const variable = environment.TUMESH_CONFIG
  if (variable) return readNamedFile(variable, 'TUMESH_CONFIG', folder)
  const data = given.findLast(({ key }) => key === 'file_storage.local_path')?.value ?? './data'
  const inData = join(resolve(folder, String(data)), CONFIG_FILE_NAME)
  return (
    readConfigFile(inData, folder) ??
    readConfigFile(join(folder, CONFIG_FILE_NAME), folder) ?? { settings: [], faults: [] }
  )
}

function readFlags(values: FlagValues): Source {
  const settings = FLAGS.flatMap((flag) => {
    const origin = flagName(flag)
    const value = values[origin]
    if (value === undefined) return []
    return [{ key: flag.key, value: flag.negates ? value !== true : value, origin }]
  })
  return { settings, faults: [] }
}

function lastOfEach(settings: readonly Setting[]): readonly Setting[] {
  const byKey = new Map(settings.map((setting) => [setting.key, setting]))
  return CONFIG_KEYS.flatMap(({ path }) => byKey.get(path) ?? [])
}

function treeOf(settings: readonly Setting[]): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const { key, value } of settings) {
    const [section, name] = key.split('.') as [string, string?]
    if (name === undefined) tree[section] = value
    else tree[section] = { ...(tree[section] as object | undefined), [name]: value }
  }
  return tree
}

/** Settings hold known keys only, so that every issue is about the value of one. */
function faultOf({ path, message }: z.core.$ZodIssue, effective: readonly Setting[]): string {
  const key = path.slice(0, 2).join('.')
  const setting = effective.find((candidate) => candidate.key === key)
  return `${key} is ${showValue(setting?.value)}, but ${message} (${setting?.origin})`
}
