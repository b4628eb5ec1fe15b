// Fuzzes what reads bytes from outside (test/fuzz/README.md): npm run fuzz -- --seconds 60 --seed 1

import { parseArgs } from 'node:util'
import { runFuzz } from '../test/fuzz/run-fuzz.ts'
import { TARGETS } from '../test/fuzz/targets.ts'

const USAGE = `npm run fuzz -- [options]
  --seconds N     how long (60)
  --seed N        which chance (by the time of day)
  --only TARGET   one target, or several with commas between them:
${TARGETS.map(({ name }) => `                  ${name}`).join('\n')}`

/** How many things were found. */
async function run(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: { seconds: text, seed: text, only: text, help: { type: 'boolean' } }
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const seconds = numberOf('seconds', values.seconds ?? '60')
  const seed = numberOf('seed', values.seed ?? String(Math.floor(Date.now() / 1000)))
  const targets = values.only?.split(',') ?? TARGETS.map(({ name }) => name)
  const unknown = targets.find((name) => !TARGETS.some((target) => target.name === name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such target.`)
  console.log(`seed ${seed}, ${seconds} s, ${targets.length} targets`)
  const { findings, figures, growth } = await runFuzz({ targets, seconds, seed }, (finding) => {
    console.log(`\n${finding.target}: ${finding.was}\n${JSON.stringify(finding.input)}`)
  })
  for (const { target, inputs, slowestMs } of figures) {
    console.log(
      `${target.padEnd(16)} ${String(inputs).padStart(12)} inputs, ${slowestMs} ms at most`
    )
  }
  const inputs = figures.reduce((sum, one) => sum + one.inputs, 0)
  const grown = (growth.bytes / 2 ** 20).toFixed(1)
  console.log(`${inputs} inputs, ${findings.length} findings, memory ${grown} MiB more at the end`)
  return findings.length + Number(growth.isTooMuch)
}

function numberOf(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} ${text}: say a number.`)
  return Number(text)
}

try {
  process.exitCode = (await run()) > 0 ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(USAGE)
  process.exitCode = 2
}
