// argv -> configuration -> node. What is heavy is loaded only when a node starts.

import { homedir, hostname } from 'node:os'
import { resolve } from 'node:path'
import type { FlagValues, LoadedConfig } from '../config/load-config.ts'
import { NodeError } from './base/errors.ts'
import type { FailPoints } from './base/fail-point.ts'
import { type CommandLine, EXIT_USAGE, readCommandLine } from './command-line.ts'
import type { AdoptOrder } from './commands/adopt.ts'
import type { BackupOrder } from './commands/backup.ts'
import type { CommandEntry, Order } from './commands/catalog.ts'
import type { InviteOrder } from './commands/invite.ts'
import type { NodeTarget } from './commands/node-client.ts'

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => {}) // a reader that went away (`| head`) must not end the node
}
const line = readCommandLine(
  process.argv.slice(2),
  {
    writeOut: (text) => process.stdout.write(text),
    writeErr: (text) => process.stderr.write(text)
  },
  process.env.TUMESH_KEY
)
if (line.do === 'exit') process.exitCode = line.code
else if (line.do === 'print-config') await orExplain(false, () => printEffective(line.flags))
else if (line.do === 'keys') await orExplain(false, () => keys(line))
else if (line.do === 'join') await orExplain(false, () => join(line.targets, line.target))
else if (line.do === 'adopt') await orExplain(false, () => adopt(line.order, line.target))
else if (line.do === 'backup') await orExplain(false, () => backup(line.order, line.target))
else if (line.do === 'ask') await orExplain(false, () => ask(line.load, line.order))
else if (line.do === 'invite') await orExplain(false, () => invite(line.order, line.target))
else {
  const loaded = await orExplain(false, () => load(line.flags))
  const { config } = loaded
  const debug = config.logLevel === 'debug' || config.logLevel === 'trace'
  await orExplain(debug, () => start(loaded))
}

type KeysLine = Extract<CommandLine, { readonly do: 'keys' }>

/** One sentence for a person, not a stack. */
async function orExplain<T>(debug: boolean, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    process.stderr.write(`${debug ? stack : message}\n`)
    process.exit(error instanceof NodeError && error.code === 'BAD_CONFIG' ? EXIT_USAGE : 1)
  }
}

async function load(flags: FlagValues): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load-config.ts')
  const { env: environment } = process
  return loadConfig({ flags, environment, folder: process.cwd(), hostname: hostname() })
}

async function printEffective(flags: FlagValues): Promise<void> {
  const { effective } = await load(flags)
  const { printConfig } = await import('../config/print-config.ts')
  process.stdout.write(printConfig(effective))
}

async function keys({ order, target, isJson }: KeysLine): Promise<void> {
  const { runKeys } = await import('./commands/keys.ts')
  process.stdout.write(await runKeys(order, target, isJson))
}

async function join(targets: readonly string[], target: NodeTarget): Promise<void> {
  const { runJoin } = await import('./commands/join.ts')
  const allDone = await runJoin(targets, target, {
    done: (text) => process.stdout.write(`${text}\n`),
    failed: (text) => process.stderr.write(`${text}\n`)
  })
  if (!allDone) process.exitCode = 1
}

async function backup(order: BackupOrder, target: NodeTarget): Promise<void> {
  const { runBackup } = await import('./commands/backup.ts')
  process.stdout.write(await runBackup(order, target))
}

async function adopt(order: AdoptOrder, target: NodeTarget): Promise<void> {
  const [{ runAdopt }, { commandClock }] = await Promise.all([
    import('./commands/adopt.ts'),
    import('./base/clock.ts')
  ])
  await runAdopt(order, target, {
    clock: commandClock,
    folder: process.cwd(),
    progress: (text) => process.stderr.write(`${text}\n`),
    done: (text) => process.stdout.write(`${text}\n`)
  })
}

async function ask(load: CommandEntry['load'], order: Order): Promise<void> {
  const [run, { commandClock }] = await Promise.all([load(), import('./base/clock.ts')])
  const code = await run(order, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
    clock: commandClock,
    folder: process.cwd()
  })
  process.exitCode = code ?? 0
}

/** The line alone goes to stdout, so that it can be piped to another server. */
async function invite(order: InviteOrder, target: NodeTarget): Promise<void> {
  const { runInvite } = await import('./commands/invite.ts')
  const { line, notes } = await runInvite(order, target)
  process.stdout.write(line)
  process.stderr.write(notes)
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
  const destination = await logDestination(process.stderr.isTTY)
  const log = createLog({ level: config.logLevel, name: config.name, destination })
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
