// Where log lines go: stderr, readable at a terminal and JSON elsewhere.

import pino, { type DestinationStream } from 'pino'

const STDERR = 2

/** Written at once, so that the last line before an exit is not lost. */
export async function logDestination(terminal: boolean): Promise<DestinationStream> {
  if (!terminal) return pino.destination({ dest: STDERR, sync: true })
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    destination: STDERR,
    sync: true,
    ignore: 'pid,hostname,node',
    translateTime: 'HH:MM:ss'
  })
}
