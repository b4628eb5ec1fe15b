// The life of a process with one node: start, greet, and stop on a signal or on a broken invariant.

import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import { type Greeting, greeting } from './greeting.ts'

/** A node as this file needs it. */
export interface RunnableNode {
  readonly info: Greeting
  start(): Promise<void>
  stop(): Promise<void>
}

/** The process as this file needs it. */
export interface Host {
  on(event: string, listener: (argument: unknown) => void): unknown
  /** Ends the process. */
  exit(code: number): void
  say(text: string): void
}

export interface RunParts {
  readonly host: Host
  readonly log: Log
  readonly clock: Clock
  readonly create: () => Promise<RunnableNode>
}

/** Stopped by a signal a second time. */
const EXIT_INTERRUPTED = 130
/** The program is wrong, not its input. */
const EXIT_BROKEN = 70
/** A node that is broken may also be unable to stop. */
const BROKEN_STOP_MS_MAX = 10_000

/**
 * Resolves when the node has started, and lives on until a signal. An error of the start is thrown.
 */
export async function runNode({ host, log, clock, create }: RunParts): Promise<void> {
  const starting = startNode(create)
  let ending = false
  const end = async (code: number) => {
    ending = true
    try {
      // half a start can't be stopped; one that failed has nothing to stop
      const node = await starting.catch(() => undefined)
      await node?.stop()
      host.exit(code)
    } catch (error) {
      log.error({ err: error }, 'the node did not stop cleanly')
      host.exit(code || 1)
    }
  }
  const onSignal = (signal: string) => {
    if (ending) return host.exit(EXIT_INTERRUPTED)
    log.info({ signal }, 'stopping; once more to stop at once')
    void end(0)
  }
  const onBroken = (error: unknown) => {
    log.fatal({ err: error }, 'the program is broken; the node stops')
    if (ending) return host.exit(EXIT_BROKEN)
    clock.after(BROKEN_STOP_MS_MAX, () => host.exit(EXIT_BROKEN))
    void end(EXIT_BROKEN)
  }
  host.on('SIGINT', () => onSignal('SIGINT'))
  host.on('SIGTERM', () => onSignal('SIGTERM'))
  host.on('uncaughtException', onBroken)
  host.on('unhandledRejection', onBroken)
  const node = await starting
  if (!ending) host.say(greeting(node.info))
}

async function startNode(create: () => Promise<RunnableNode>): Promise<RunnableNode> {
  const node = await create()
  await node.start()
  return node
}
