// Logs: pino, JSON by default, readable lines for a person at a terminal.

import pino, { type DestinationStream, type Logger } from 'pino'

export type Log = Logger
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogOptions {
  readonly level: LogLevel
  /** The node's name, in every line. */
  readonly name: string
  readonly destination?: DestinationStream
}

export function createLog({ level, name, destination }: LogOptions): Log {
  const options = { level, base: { node: name }, timestamp: pino.stdTimeFunctions.isoTime }
  return destination === undefined ? pino(options) : pino(options, destination)
}

export const silentLog: Log = pino({ level: 'silent' })
