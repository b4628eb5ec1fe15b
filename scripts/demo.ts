// npm run demo: three nodes on this machine, what they do with images, and how they heal.

import { parseArgs } from 'node:util'
import { parseSize } from '../src/base/units.ts'
import { Account } from './demo/account.ts'
import { Demo, type DemoOptions } from './demo/demo.ts'

const HELP = `Usage: npm run demo [-- OPTIONS]

Three nodes on this machine meet, share images, come to harm, and heal. It takes about a minute,
ends by itself and leaves nothing. The nodes are out of reach from other machines.

  --keep          leaves the nodes running at the end, and says where they are
  --mdns          lets them find each other on the local network, as servers do: a random secret
                  keeps others out
  --biggest SIZE  size of the biggest image, 1MB to 100MB (default: 100MB)
  --help          shows this
`
const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130
/** Others would be larger than the biggest. */
const BIGGEST_BYTES_MIN = 1_000_000
/** As large as a node takes by default. */
const BIGGEST_BYTES_MAX = 100_000_000

function readOptions(words: string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: words,
    options: {
      keep: { type: 'boolean', default: false },
      mdns: { type: 'boolean', default: false },
      biggest: { type: 'string', default: '100MB' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return 'help'
  const biggestBytes = parseSize(values.biggest) ?? 0
  if (biggestBytes < BIGGEST_BYTES_MIN || biggestBytes > BIGGEST_BYTES_MAX) {
    throw new Error(`--biggest takes a size from 1MB to 100MB, not "${values.biggest}".`)
  }
  return { ...values, biggestBytes }
}

/** Runs to the end or to the first signal; the exit code. */
async function run(options: DemoOptions): Promise<number> {
  const demo = new Demo(new Account(process.stdout), options)
  process.on('exit', () => demo.endNow())
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      let isSecond = false
      process.on(signal, () => {
        if (isSecond) process.exit(EXIT_INTERRUPTED)
        isSecond = true
        resolve('interrupted')
      })
    }
  })
  try {
    if ((await Promise.race([demo.run(), interrupted])) !== 'interrupted') return 0
    await demo.breakOff()
    return EXIT_INTERRUPTED
  } catch (error) {
    await demo.fail(error)
    return EXIT_FAILED
  }
}

/** Undefined for a wrong command line, which is said. */
function readLine(): DemoOptions | 'help' | undefined {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    // the first sentence says what is wrong, the others advise what nobody wants
    const [sentence = ''] = (error as Error).message.split(/\n|(?<=\.) /)
    console.error(
      `${sentence.replace(/\.?$/, '.')}\n\`npm run demo -- --help\` shows what there is.`
    )
    return undefined
  }
}

const line = readLine()
if (line === undefined) process.exitCode = EXIT_USAGE
else if (line === 'help') process.stdout.write(HELP)
else process.exit(await run(line))
