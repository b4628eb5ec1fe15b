// /api/settings: the configuration in force and where each value comes from, and the few values
// that can be changed while the node runs.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { LOG_LEVELS } from '../../base/log.ts'
import { LOG_PARTS, type LogLevels, type LogPart } from '../../base/log-levels.ts'
import { TRAFFIC_LIMITS, type Traffic } from '../../blob-sync/traffic.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts, SettingFact } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const settingShape = z.object({
  key: z.string(),
  value: z.string().nullable().describe('As it would be written in the file; null: not set'),
  from: z
    .enum(['default', 'file', 'environment', 'command line', 'running'])
    .describe('running: it was set since the start, and holds until the node ends'),
  origin: z.string().describe('The line of the file, the variable or the flag'),
  meaning: z.string(),
  unset: z.string().nullable().describe('What holds while it is not set')
})
const listShape = z.object({ status: z.literal('success'), settings: z.array(settingShape) })

const levelField = z.enum(LOG_LEVELS).nullable()
const orderShape = z.strictObject({
  log_level: levelField.optional().describe('Of all parts without a level of their own'),
  log_levels: z
    .partialRecord(z.enum(LOG_PARTS), levelField)
    .optional()
    .describe('Of single parts; null: as it was configured')
})
const levelsShape = z.object({
  status: z.literal('success'),
  message: z.string(),
  log_level: z.enum(LOG_LEVELS),
  log_levels: z.partialRecord(z.enum(LOG_PARTS), z.enum(LOG_LEVELS))
})

type SettingParts = Pick<HttpParts, 'settings' | 'levels' | 'flows'>

export function settingsRoutes(parts: SettingParts): Route[] {
  const common = { url: '/api/settings', who: 'admin', tag: 'operations' } as const
  return [
    {
      ...common,
      method: 'GET',
      summary: 'The configuration in force, and where each value comes from; never a secret',
      answers: { 200: { means: 'Every key, in the order of the file', shape: listShape } },
      handle: async () => ({ status: 'success', settings: listSettings(parts) })
    },
    {
      ...common,
      method: 'POST',
      summary: 'Change how much is logged, until the node ends',
      body: orderShape,
      answers: { 200: { means: 'The levels that hold now', shape: levelsShape } },
      handle: async (request) => setLevels(parts, request)
    }
  ]
}

function listSettings(parts: SettingParts): z.output<typeof settingShape>[] {
  const { settings = [], levels, flows } = parts
  return settings.map((setting) => {
    const running = { ...runningOf(setting, levels), ...runningLimit(setting, flows.traffic) }
    const { key, value, from, origin, text, unset } = { ...setting, ...running }
    return { key, value: value ?? null, from, origin, meaning: text, unset: unset ?? null }
  })
}

/** What is not as it was configured. */
function runningOf({ key }: SettingFact, levels: LogLevels | undefined): Partial<SettingFact> {
  const part =
    key === 'log_level' ? undefined : LOG_PARTS.find((one) => key === `log_levels.${one}`)
  if (levels === undefined || (part === undefined && key !== 'log_level')) return {}
  if (!levels.isChanged(part)) return {}
  const value = part === undefined ? levels.level : levels.own.get(part)
  return { value, from: 'running', origin: 'POST /api/settings' }
}

function runningLimit({ key }: SettingFact, traffic: Traffic): Partial<SettingFact> {
  const limit = TRAFFIC_LIMITS.find((one) => key === `traffic.${one}`)
  if (limit === undefined || !traffic.isChanged(limit)) return {}
  const value = traffic.limits[limit]?.toString()
  return { value, from: 'running', origin: 'PUT /api/limits' }
}

function setLevels({ levels }: SettingParts, request: ApiRequest): z.output<typeof levelsShape> {
  const { log_level, log_levels = {} } = (request.body ?? {}) as z.output<typeof orderShape>
  if (levels === undefined) {
    throw new NodeError('NOT_AVAILABLE', 'This node has no log.', saidAs('log_none'))
  }
  if (log_level !== undefined) levels.set(undefined, log_level ?? undefined)
  for (const [part, level] of Object.entries(log_levels)) {
    levels.set(part as LogPart, level ?? undefined)
  }
  return {
    status: 'success',
    message: messageFor(
      request,
      'The levels hold until this node ends; its next start has those of the configuration.',
      '日志级别在本节点停止前有效；下次启动时恢复为配置中的级别。'
    ),
    log_level: levels.level,
    log_levels: Object.fromEntries(levels.own)
  }
}
