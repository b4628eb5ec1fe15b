// Where log lines go: stderr, readable at a terminal and JSON elsewhere.

import type { DestinationStream } from 'pino'
import { LogFile } from './store/log-file.ts'

const STDERR = 2

export interface LogDestination {
  readonly file: LogFile
  readonly stream: DestinationStream
}

export async function logDestination(terminal: boolean): Promise<LogDestination> {
  const file = new LogFile(STDERR)
  if (!terminal) return { file, stream: file }
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ ignore: 'pid,hostname,node', translateTime: 'HH:MM:ss' })
  return { file, stream: { write: (line) => file.write(pretty(line) ?? line) } }
}
