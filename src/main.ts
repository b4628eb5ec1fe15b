// argv -> configuration -> node. What is heavy is loaded only when a node starts.

import module from 'node:module'
import { homedir, hostname } from 'node:os'
import { resolve } from 'node:path'
import type { FlagValues, LoadedConfig } from '../config/load-config.ts'
import { NodeError, systemCodeOf } from './base/errors.ts'
import type { FailPoints } from './base/fail-point.ts'
import { asksForJson, EXIT_USAGE, readCommandLine } from './command-line.ts'
import type { CommandEntry } from './commands/catalog.ts'
import type { Order } from './commands/order.ts'
import { failureOf, UsageError } from './commands/terminal.ts'
import { diskError } from './store/disk-error.ts'

/** Whether what a command has printed has reached nobody. */
let isUnprinted = false
process.stderr.on('error', () => {})
process.stdout.on('error', (error) => {
  // a reader that went away (`| head`) has what he wanted, and must not end a node
  if (systemCodeOf(error) === 'EPIPE' || line.do === 'start') return
  if (isUnprinted) return
  isUnprinted = true
  process.exitCode = 1
  const fault = diskError(error, 'writing what it prints')
  if (isJson) complain(fault)
  else say(`${fault.message}\n`)
})
const words = process.argv.slice(2)
const isJson = asksForJson(words)
let wrong = ''
const line = readCommandLine(
  words,
  {
    writeOut: (text) => process.stdout.write(text),
    writeErr: (text) => {
      wrong += text
    }
  },
  process.env.TUMESH_KEY
)
if (wrong !== '' && isJson) complain(new UsageError(wrong.trim().replace(/^error: /, '')))
else say(wrong)
if (line.do === 'exit') process.exitCode = line.code
else if (line.do === 'print-config') await orExplain(false, () => printEffective(line.flags))
else if (line.do === 'ask') await orExplain(false, () => ask(line.load, line.order))
else {
  const loaded = await orExplain(false, () => load(line.flags))
  const { config } = loaded
  const debug = config.logLevel === 'debug' || config.logLevel === 'trace'
  await orExplain(debug, () => start(loaded))
}

function say(text: string): void {
  process.stderr.write(text)
}

/** One sentence for a person, not a stack; for a program one line of JSON. */
async function orExplain<T>(debug: boolean, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (isJson) complain(error)
    else {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      say(`${debug ? stack : message}\n`)
    }
    const isUsage =
      error instanceof UsageError || (error instanceof NodeError && error.code === 'BAD_CONFIG')
    process.exit(isUsage ? EXIT_USAGE : 1)
  }
}

function complain(error: unknown): void {
  say(`${JSON.stringify({ error: failureOf(error) })}\n`)
}

async function load(flags: FlagValues): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load-config.ts')
  const { env: environment } = process
  return loadConfig({ flags, environment, folder: process.cwd(), hostname: hostname() })
}

async function printEffective(flags: FlagValues): Promise<void> {
  const { effective } = await load(flags)
  const { configJson, printConfig } = await import('../config/print-config.ts')
  process.stdout.write(isJson ? configJson(effective) : printConfig(effective))
}

async function ask(load: CommandEntry['load'], order: Order): Promise<void> {
  const [run, { commandClock }] = await Promise.all([load(), import('./base/clock.ts')])
  const code = await run(order, {
    out: (text) => process.stdout.write(text),
    err: say,
    progress: (line, facts) =>
      say(`${order.isJson ? JSON.stringify({ progress: facts }) : line}\n`),
    isTerminal: process.stdout.isTTY === true,
    clock: commandClock,
    folder: process.cwd()
  })
  process.exitCode = isUnprinted ? 1 : (code ?? 0)
}

async function start({ config, effective }: LoadedConfig): Promise<void> {
  const [{ systemClock }, { createLog }, { logDestination }, { createNode }, { runNode }, facts] =
    await Promise.all([
      import('./base/clock.ts'),
      import('./base/log.ts'),
      import('./log-destination.ts'),
      import('./node.ts'),
      import('./run-node.ts'),
      import('../config/effective-settings.ts')
    ])
  // until then what modules were compiled to is in memory a second time: decisions/0012
  module.flushCompileCache?.()
  const { file, stream } = await logDestination(process.stderr.isTTY)
  const log = createLog({ level: config.logLevel, name: config.name, destination: stream })
  file.onLost((lost) => log.warn(lost, 'lines of the log could not be written'))
  const failPoints = await failPointsOfProcess()
  const settings = facts.describeSettings(effective)
  await runNode({
    host: {
      on: (event, listener) => process.on(event, listener),
      exit: (code) => process.exit(code),
      say: (text) => process.stdout.write(text)
    },
    log,
    clock: systemClock,
    create: () => createNode(config, { log, failPoints, stateDir: stateFolder(), settings })
  })
}

/** Where this user's programs keep state, by the XDG base directory specification. */
function stateFolder(): string {
  return resolve(process.env.XDG_STATE_HOME || resolve(homedir(), '.local', 'state'), 'tumesh')
}

/**
 * TUMESH_FAIL_POINT is for tests of crashes: from SIGUSR2 on, the process ends as if the power had
 * gone when it reaches the named place.
 */
async function failPointsOfProcess(): Promise<FailPoints> {
  const { failPointsOf, noFailPoints } = await import('./base/fail-point.ts')
  const text = process.env.TUMESH_FAIL_POINT
  if (!text) return noFailPoints
  let armed = false
  process.on('SIGUSR2', () => {
    armed = true
    process.stdout.write('armed\n')
  })
  const points = failPointsOf(text, () => {
    process.kill(process.pid, 'SIGKILL')
    throw new Error('unreachable: the process was killed')
  })
  return { reach: (name) => armed && points.reach(name) }
}
