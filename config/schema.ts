// Everything that can be set, assembled from the options of the parts, and the list of its keys.

import { resolve } from 'node:path'
import { z } from 'zod'
import { type AlertOptions, alertOptions, alertsSection } from '../src/alerts/options.ts'
import { choiceField, nameField } from '../src/base/fields.ts'
import { LOG_LEVELS, type LogLevel } from '../src/base/log.ts'
import { LOG_PART_TEXTS, LOG_PARTS, type LogPart, type PartLevels } from '../src/base/log-levels.ts'
import { type TrafficOptions, trafficOptions, trafficSection } from '../src/blob-sync/options.ts'
import {
  type AdoptSettings,
  type AuditOptions,
  adoptSection,
  adoptSettings,
  auditSection,
  type FileSyncOptions,
  fileSyncOptions,
  fileSyncSection,
  type ScanSettings,
  scanSection,
  scrubSection
} from '../src/flows/options.ts'
import type { ScrubOptions } from '../src/flows/scrub.ts'
import { type HttpOptions, httpOptions, httpSection } from '../src/http/options.ts'
import { type IndexOptions, indexOptions, indexSection } from '../src/index/options.ts'
import {
  type ClusterOptions,
  clusterOptions,
  clusterSection,
  type P2pOptions,
  p2pOptions,
  p2pSection
} from '../src/network/options.ts'
import {
  type FileStorageOptions,
  fileStorageOptions,
  fileStorageSection,
  type ImagesOptions,
  imagesSection
} from '../src/store/options.ts'

/** The levels of parts that say more or less than the rest. */
const logLevelsSection = z.strictObject(
  Object.fromEntries(
    LOG_PARTS.map((part) => [
      part,
      choiceField(LOG_LEVELS)
        .optional()
        .describe(LOG_PART_TEXTS[part])
        .meta({ unset: 'that of log_level', example: 'debug' })
    ])
  ) as Record<LogPart, z.ZodOptional<ReturnType<typeof choiceField<LogLevel>>>>
)

export const SECTIONS = {
  log_levels: logLevelsSection,
  file_storage: fileStorageSection,
  file_sync: fileSyncSection,
  http: httpSection,
  p2p: p2pSection,
  cluster: clusterSection,
  images: imagesSection,
  adopt: adoptSection,
  scrub: scrubSection,
  audit: auditSection,
  scan: scanSection,
  index: indexSection,
  traffic: trafficSection,
  alerts: alertsSection
} as const satisfies Record<string, z.ZodObject>

const TOP_LEVEL = {
  name: nameField()
    .describe('Name of this node, shown to people')
    .meta({ unset: 'the host name', example: 'server-a' }),
  log_level: choiceField(LOG_LEVELS).prefault('info').describe('The least that is logged')
}

export const configSchema = z.strictObject({
  ...TOP_LEVEL,
  log_levels: logLevelsSection.prefault({}),
  file_storage: fileStorageSection.prefault({}),
  file_sync: fileSyncSection.prefault({}),
  http: httpSection.prefault({}),
  p2p: p2pSection.prefault({}),
  cluster: clusterSection.prefault({}),
  images: imagesSection.prefault({}),
  adopt: adoptSection.prefault({}),
  scrub: scrubSection.prefault({}),
  audit: auditSection.prefault({}),
  scan: scanSection.prefault({}),
  index: indexSection.prefault({}),
  traffic: trafficSection.prefault({}),
  alerts: alertsSection.prefault({})
})

/**
 * What a node is given: names in camel case, sizes in bytes, times in milliseconds, folders
 * absolute.
 */
export interface Config {
  readonly name: string
  readonly logLevel: LogLevel
  readonly logLevels: PartLevels
  readonly fileStorage: FileStorageOptions
  readonly fileSync: FileSyncOptions
  readonly http: HttpOptions
  readonly p2p: P2pOptions
  readonly cluster: ClusterOptions
  readonly images: ImagesOptions
  readonly adopt: AdoptSettings
  readonly scrub: ScrubOptions
  readonly audit: AuditOptions
  readonly scan: ScanSettings
  readonly index: IndexOptions
  readonly traffic: TrafficOptions
  readonly alerts: AlertOptions
  /**
   * This start takes a data folder whose marker is missing or another's as its own. Only a flag can
   * say so.
   */
  readonly acceptFolder: boolean
}

/** Relative names of files count from `folder`. */
export function configOf(values: z.output<typeof configSchema>, folder: string): Config {
  const fileStorage = fileStorageOptions(values.file_storage)
  const cluster = clusterOptions(values.cluster)
  const { secretFile } = cluster
  return {
    name: values.name,
    logLevel: values.log_level,
    logLevels: values.log_levels,
    fileStorage: { ...fileStorage, localPath: resolve(folder, fileStorage.localPath) },
    fileSync: fileSyncOptions(values.file_sync),
    http: httpOptions(values.http),
    p2p: p2pOptions(values.p2p),
    cluster: { ...cluster, secretFile: secretFile && resolve(folder, secretFile) },
    images: values.images,
    adopt: adoptSettings(values.adopt),
    scrub: { intervalMs: values.scrub.interval },
    scan: {
      clamd: values.scan.clamd,
      absent: values.scan.absent,
      stored: values.scan.stored,
      timeoutMs: values.scan.timeout
    },
    audit: { enabled: values.audit.enabled, bytesMax: values.audit.size },
    index: indexOptions(values.index),
    traffic: trafficOptions(values.traffic),
    alerts: alertOptions(values.alerts),
    acceptFolder: false
  }
}

export interface ConfigKey {
  /** "http.port", or "name" at the top level. */
  readonly path: string
  readonly kind: string
  readonly text: string
  /** As it would be written; undefined if nothing stands for "not set". */
  readonly initial: unknown
  /** What holds while it is not set, in words. */
  readonly unset: string | undefined
  readonly example: unknown
}

/** In the order of the file. */
export const CONFIG_KEYS: readonly ConfigKey[] = [
  ...Object.entries(TOP_LEVEL).map(([name, field]) => describeKey(name, field)),
  ...Object.entries(SECTIONS).flatMap(([section, { shape }]) =>
    Object.entries(shape).map(([name, field]) => describeKey(`${section}.${name}`, field))
  )
]

function describeKey(path: string, field: z.ZodType): ConfigKey {
  const wrapped = field instanceof z.ZodPrefault || field instanceof z.ZodOptional
  const meta = field.meta()
  const inner = wrapped ? (field.unwrap() as z.ZodType).meta() : meta
  return {
    path,
    kind: String(inner?.kind),
    text: meta?.description ?? '',
    initial: field instanceof z.ZodPrefault ? field.def.defaultValue : undefined,
    unset: meta?.unset as string | undefined,
    example: meta?.example
  }
}
