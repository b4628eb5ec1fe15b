// The command line: which flags there are and what --help says. Nothing heavy is loaded here.

import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { FLAGS, type Flag } from '../config/flags.ts'
import type { FlagValues } from '../config/load-config.ts'
import { nearest } from '../config/nearest.ts'
import { callOf, START } from './base/how-called.ts'
import { PRODUCT_VERSION } from './base/product-version.ts'
import { CATALOG, type CommandEntry } from './commands/catalog.ts'
import { completionFor, SHELLS, type Shell } from './commands/completion.ts'
import type { Order } from './commands/order.ts'

export type CommandLine =
  | { readonly do: 'start' | 'print-config'; readonly flags: FlagValues }
  /** One that asks a node. */
  | { readonly do: 'ask'; readonly load: CommandEntry['load']; readonly order: Order }
  /** Help or version was shown, or the line is wrong; both are already said. */
  | { readonly do: 'exit'; readonly code: number }

/** Where help and complaints go. */
export interface CommandOutput {
  readonly writeOut: (text: string) => void
  readonly writeErr: (text: string) => void
}

const JSON_HELP = 'for programs: the result as JSON; progress and failures as JSON on stderr'

/** The exit code of a wrong command line or configuration. */
export const EXIT_USAGE = 2

/** Also of a line that can't be read otherwise. */
export function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  return words.slice(0, end < 0 ? undefined : end).includes('--json')
}

/** `words` are the arguments without the program; `key` is one for a node elsewhere. */
export function readCommandLine(
  words: readonly string[],
  output: CommandOutput,
  key?: string
): CommandLine {
  let line: CommandLine = { do: 'exit', code: 0 }
  const found = (one: CommandLine) => {
    line = key ? withKey(one, key) : one
  }
  const program = new Command('tumesh')
    .description('Keeps images alive on every server that should have them.')
    .usage('[command] [options]')
    .version(PRODUCT_VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(tumesh --help shows what there is)')
    .configureOutput(output)
    .exitOverride()
  program.addCommand(startCommand(found).copyInheritedSettings(program), { isDefault: true })
  for (const entry of CATALOG) {
    program.addCommand(ask(found, entry).copyInheritedSettings(program))
  }
  program.addCommand(keysCommand(found, program))
  program.addCommand(completionCommand(program, output).copyInheritedSettings(program))
  const fault = commandFault(words, program)
  if (fault !== undefined) {
    output.writeErr(fault)
    return { do: 'exit', code: EXIT_USAGE }
  }
  try {
    program.parse(withStart(words), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { do: 'exit', code: error.exitCode === 0 ? 0 : EXIT_USAGE }
  }
  return line
}

/** A first word that is neither an option nor a command would be taken for one of `start`. */
function commandFault(words: readonly string[], program: Command): string | undefined {
  const [first = '-'] = words
  const names = program.commands.map((command) => command.name())
  if (first.startsWith('-') || first === 'help' || names.includes(first)) return undefined
  const meant = nearest(first, names)
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
  return `There is no command ${first}.${hint}\n(tumesh --help shows what there is)\n`
}

function withKey(line: CommandLine, key: string): CommandLine {
  if (line.do !== 'ask') return line
  return { ...line, order: { ...line.order, target: { ...line.order.target, key } } }
}

/** `tumesh --help` shows the options of start, as that is what most people want. */
function withStart(words: readonly string[]): string[] {
  const [first] = words
  return first === '--help' || first === '-h' ? ['start', ...words] : [...words]
}

function startCommand(found: (line: CommandLine) => void): Command {
  const command = new Command('start')
    .description('starts a node; the default')
    .usage('[options]')
    .option('--config <file>', 'YAML file (default: tumesh.yaml, if there is one)')
  for (const flag of FLAGS) command.addOption(optionOf(flag))
  return command
    .option('--accept-folder', 'take over a data folder whose marker is missing or foreign')
    .option('--print-config', 'show the configuration and where each value is from, and exit')
    .option('--json', 'with --print-config: as JSON; a failure is JSON too, on stderr')
    .addHelpText('after', EXAMPLES)
    .action((values: Record<string, unknown>) => {
      const wish = values.printConfig === true ? 'print-config' : 'start'
      const { '--json': _, ...flags } = givenFlags(command)
      found({ do: wish, flags })
    })
}

function completionCommand(program: Command, { writeOut }: CommandOutput): Command {
  return new Command('completion')
    .description('prints what a shell needs to complete commands: eval "$(tumesh completion bash)"')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      const optionsOf = ({ options }: Command) => options.flatMap(({ long }) => long ?? [])
      const commands = program.commands.map((command) => ({
        name: command.name(),
        summary: command.description(),
        words: [
          ...command.commands.map((one) => one.name()),
          ...(command.registeredArguments[0]?.argChoices ?? [])
        ],
        options: [...new Set([command, ...command.commands].flatMap(optionsOf))]
      }))
      writeOut(completionFor(shell, commands))
    })
}

function ask(found: (line: CommandLine) => void, entry: CommandEntry): Command {
  const { name, words, options, summary, load } = entry
  const command = new Command(name).description(summary)
  for (const [notation, meaning] of words) command.argument(notation, meaning)
  for (const [notation, meaning] of options) command.option(notation, meaning)
  return asking(command, found, load)
}

/** Gives it what all that ask a node have. */
function asking(
  command: Command,
  found: (line: CommandLine) => void,
  load: CommandEntry['load']
): Command {
  command.option('--json', JSON_HELP)
  return withNode(command).action(() => {
    const { url, data, json, ...own } = command.opts()
    const given = command.processedArgs.flat().filter((word) => word !== undefined) as string[]
    const target = { url, data }
    found({ do: 'ask', load, order: { words: given, options: own, target, isJson: json === true } })
  })
}

const KEY_HELP = `
A node elsewhere, or behind a proxy, takes a key from the variable TUMESH_KEY
(${callOf('keys', 'add NAME --scope admin')} makes one there).`

/** The node that a command talks to. */
function withNode(command: Command): Command {
  return command
    .option('--url <url>', 'the node', readUrl, 'http://127.0.0.1:8000')
    .option('--data <dir>', 'its data folder, where its key is (default: ./data)')
    .addHelpText('after', KEY_HELP)
}

function readUrl(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text
  throw new InvalidArgumentError('Give one such as http://127.0.0.1:8000.')
}

function keysCommand(found: (line: CommandLine) => void, program: Command): Command {
  const keys = new Command('keys').description('makes, lists and revokes keys of a running node')
  const add = (command: Command, load: CommandEntry['load']) =>
    keys.addCommand(asking(command.copyInheritedSettings(program), found, load))
  const scope = new Option('--scope <scope>', 'each includes those before it')
    .choices(['read', 'write', 'admin'])
    .makeOptionMandatory()
  add(
    new Command('add')
      .description('makes a key and shows it, this once')
      .argument('<name>', 'who will use it: letters, digits, dots, hyphens, underscores')
      .addOption(scope),
    async () => (await import('./commands/keys.ts')).runKeyAdd
  )
  add(
    new Command('list').description('lists the keys'),
    async () => (await import('./commands/keys.ts')).runKeyList
  )
  add(
    new Command('revoke')
      .description('revokes a key at once')
      .argument('<id>', 'as `keys list` shows it'),
    async () => (await import('./commands/keys.ts')).runKeyRevoke
  )
  return keys.copyInheritedSettings(program)
}

const COMMANDS = [
  ...CATALOG.map(({ name, summary }) => [name, summary] as const),
  ['keys', 'makes, lists and revokes keys'],
  ['completion', 'prints what a shell needs to complete commands']
] as const

const EXAMPLE_LINES = [
  [START.replace(/ --$/, ''), 'a node on port 8000, data in ./data'],
  [`${START} --data ./b --http-port 8001 --name b`, 'a second one beside it'],
  [callOf('join', 'http://10.0.0.2:8000'), 'meet a node elsewhere'],
  [callOf('invite'), 'a line by which others join'],
  [callOf('adopt', '~/photos'), 'take in a folder of images'],
  [callOf('keys', 'add crawler --scope write'), 'a key for a program elsewhere'],
  [`${START} backup tumesh-backup.ndjson.gz`, 'the index in a file'],
  [`${START} status`, 'how the node and its servers are']
] as const

const EXAMPLES = `
Commands for a node that runs (COMMAND --help says more):
${COMMANDS.map(([name, summary]) => `  ${name.padEnd(12)}${summary}`).join('\n')}

Each option has an environment variable (TUMESH_HTTP_PORT) and a key in the YAML file (http.port).
All keys: config/README.md

Examples:
${EXAMPLE_LINES.map(([call, what]) => `  ${call.padEnd(58)}${what}`).join('\n')}`

function optionOf(flag: Flag): Option {
  const option = new Option(flag.syntax, flag.text)
  if (!flag.repeats) return option
  return option.argParser((value: string, before: readonly string[] = []) => [...before, value])
}

/** Only what stands on the line; defaults are the configuration's. */
function givenFlags(command: Command): FlagValues {
  const given = command.options.filter(
    (option) => command.getOptionValueSource(option.attributeName()) === 'cli'
  )
  return Object.fromEntries(
    given.map((option) => {
      const value = command.getOptionValue(option.attributeName())
      return [option.long ?? option.flags, option.negate ? true : value]
    })
  )
}
