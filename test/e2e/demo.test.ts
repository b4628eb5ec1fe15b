// The demo as a stranger runs it: everything in its account comes true, and nothing is left of it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/http-client.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url))
const RUN_MS_MAX = 300_000

let folder: string
let child: ChildProcess
let said: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-e2e-')))
})
afterEach(async () => {
  child.kill('SIGKILL')
  for (const pid of processesOf(folder)) process.kill(pid, 'SIGKILL')
  await eventually(() => expect(processesOf(folder)).toEqual([]))
  rmSync(folder, { recursive: true, force: true })
})

/** Starts the demo; what it says gathers in `said`. */
function start(words: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  said = ''
  child = spawn(process.execPath, [SCRIPT, ...words], {
    env: { PATH: process.env.PATH, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
}

async function run(...[words, env]: Parameters<typeof start>): Promise<number | null> {
  start(words, env)
  const [code] = await once(child, 'close')
  return code
}

/** Processes that were started with something in the folder. */
function processesOf(path: string): number[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(path)
      } catch {
        return false // it has ended
      }
    })
    .map(Number)
}

/** Steps and what came true in them, without what differs from one run to the next. */
function accountOf(text: string): string[] {
  const joined = text.replaceAll(/\n {14}(?=\S)/g, ' ')
  const lines = joined.match(/^(\d+ {2}|( {3}✓ {1,5}[\d.]+ m?s {2})).+$/gm) ?? []
  return lines.map((line) =>
    line
      .replace(/✓ +[\d.]+ m?s/, '✓')
      .replace(/\S*tumesh-demo-\w+/, 'FOLDER')
      .replace(/the bytes of [ac]/, 'the bytes of another')
      .replaceAll(/[\d.]+( [KMG]?B(\/s)?| m?s)?/g, 'N')
  )
}

const ticks = () => said.split('\n').filter((line) => /^ {3}✓ +\d[\d.]* m?s {2}\S/.test(line))

test('all of it comes true, and nothing is left', { timeout: RUN_MS_MAX }, async () => {
  expect(await run(['--biggest', '2MB']), said).toBe(0)
  expect(ticks(), said).toHaveLength(25)
  expect(said).not.toContain('✗')
  expect(said).toMatch(/All of this came true, in [\d.]+ s\.\n$/)
  for (const file of ['README.md', 'README.zh-CN.md']) {
    expect(accountOf(readFileSync(file, 'utf8').replaceAll(/^ {4}/gm, ''))).toEqual(accountOf(said))
  }
  expect(said).toMatch(/8 photographs, 32 made images: 1\.0 KB to 2\.0 MB/)
  expect(readdirSync(folder)).toEqual([])
  expect(processesOf(folder)).toEqual([])
})

test('with --keep the nodes stay until the line that it prints', {
  timeout: RUN_MS_MAX
}, async () => {
  expect(await run(['--keep', '--biggest', '1MB']), said).toBe(0)
  expect(said).not.toContain('✗')
  const urls = [...said.matchAll(/^ +[abc] +(http:\/\/127\.0\.0\.1:\d+)\/$/gm)].map(
    ([, url]) => url
  )
  expect(urls).toHaveLength(3)
  for (const url of urls) {
    const { body } = await send(`${url}/api/storage-status`)
    expect([body.servers.length, body.total_files, body.local_files]).toEqual([2, 80, 80])
  }
  const line = /^ +(kill .*)$/m.exec(said)?.[1] ?? ''
  execFileSync('sh', ['-c', line])
  await eventually(() => expect(processesOf(folder)).toEqual([]))
  expect(readdirSync(folder)).toEqual([])
})

test('Ctrl-C ends it at any time, and nothing is left', { timeout: RUN_MS_MAX }, async () => {
  start(['--biggest', '1MB'])
  await eventually(() => expect(said).toContain('✓'), { withinMs: RUN_MS_MAX })
  expect(processesOf(folder).length).toBeGreaterThanOrEqual(3)
  child.kill('SIGINT')
  expect(await once(child, 'close')).toEqual([130, null])
  expect(said).toContain('Broken off')
  expect(readdirSync(folder)).toEqual([])
  expect(processesOf(folder)).toEqual([])
})

test('what does not come true is said, and only the logs stay', {
  timeout: RUN_MS_MAX
}, async () => {
  const isNode = "process.argv[1].endsWith('tumesh.js')"
  const fall = `data:text/javascript,if(${isNode}){console.log('falls');process.exit(3)}`
  expect(await run([], { NODE_OPTIONS: `--import ${fall}` })).toBe(1)
  expect(said).toMatch(/ ✗ +a ended while it started, and said: falls\n/)
  const log = said.trimEnd().split('\n').at(-1)?.trim() ?? ''
  expect(readFileSync(log, 'utf8')).toBe('falls\n')
  expect(readdirSync(join(log, '..'))).toEqual(['a.log'])
  expect(processesOf(folder)).toEqual([])
})

test('a wrong flag is refused in words, and --help shows the right ones', async () => {
  for (const [words, complaint] of [
    [['--kep'], "Unknown option '--kep'."],
    [['--biggest', '5XB'], '--biggest takes a size from 1MB to 100MB, not "5XB".'],
    [['--biggest', '101MB'], '--biggest takes a size from 1MB to 100MB, not "101MB".'],
    [['node-a'], "Unexpected argument 'node-a'."]
  ] as const) {
    expect(await run(words)).toBe(2)
    expect(said.split('\n')).toEqual([
      complaint,
      '`npm run demo -- --help` shows what there is.',
      ''
    ])
  }
  expect(await run(['--help'])).toBe(0)
  for (const flag of ['--keep', '--mdns', '--biggest', '--help']) expect(said).toContain(flag)
  expect(readdirSync(folder)).toEqual([])
})
