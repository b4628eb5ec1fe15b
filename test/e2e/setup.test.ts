// scripts/setup.mjs with an npm that only writes down what it was asked.

import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const PLATFORM_NODE = `node-${process.platform}-${process.arch}`
const PACKAGES = {
  '': { name: 'tumesh' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/tool': { version: '2.0.0', integrity: 'sha512-t', dev: true },
  'node_modules/for-windows': { version: '3.0.0', integrity: 'sha512-w', optional: true },
  [`node_modules/${PLATFORM_NODE}`]: { version: '24.21.0', integrity: 'sha512-n', optional: true }
}
const { 'node_modules/for-windows': _, ...INSTALLED } = PACKAGES
const { 'node_modules/tool': __, ...WITHOUT_DEV } = INSTALLED

/**
 * Logs its arguments, then installs what stands in `installs`, or fails with the code in `fails`.
 */
const FAKE_NPM = `#!/bin/sh
echo "$@" >> npm.log
for word in "$@"; do case $word in --logs-dir=*) logs=\${word#--logs-dir=};; esac; done
if [ -f fails ]; then echo "7 error code $(cat fails)" > "$logs/debug-0.log"; exit 1; fi
[ -f slow ] && sleep 0.3
rm -rf node_modules
mkdir -p node_modules/.bin node_modules/${PLATFORM_NODE}/bin
cp installs node_modules/.package-lock.json
if [ -f node ]; then cp node node_modules/${PLATFORM_NODE}/bin/node; else rmdir -p node_modules/${PLATFORM_NODE}/bin 2>/dev/null; fi
exit 0
`
const NODE_THAT_RUNS = '#!/bin/sh\necho v24.21.0\n'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-setup-test-'))
  mkdirSync(join(folder, 'scripts'))
  copyFileSync('scripts/setup.mjs', join(folder, 'scripts/setup.mjs'))
  write('bin/npm', FAKE_NPM)
  chmodSync(join(folder, 'bin/npm'), 0o755)
  write('package-lock.json', JSON.stringify({ packages: PACKAGES }))
  write('installs', JSON.stringify({ packages: INSTALLED }))
  write('node', NODE_THAT_RUNS)
  chmodSync(join(folder, 'node'), 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
}

/** As if another Node ran it, or on another system. */
interface Pretend {
  readonly node?: string
  readonly platform?: string
  readonly path?: string
}

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(words: readonly string[], { node, platform, path }: Pretend = {}): ChildProcess {
  const pretend = [
    ...(node ? [`Object.defineProperty(process.versions, 'node', { value: '${node}' })`] : []),
    ...(platform ? [`Object.defineProperty(process, 'platform', { value: '${platform}' })`] : [])
  ].join(';')
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`
  return spawn(process.execPath, ['--import', preload, 'scripts/setup.mjs', ...words], {
    cwd: folder,
    env: { PATH: path ?? `${join(folder, 'bin')}:/usr/bin:/bin`, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe']
  })
}

async function setup(words: readonly string[] = [], pretend?: Pretend): Promise<Outcome> {
  const child = start(words, pretend)
  let [out, err] = ['', '']
  child.stdout?.on('data', (text) => {
    out += text
  })
  child.stderr?.on('data', (text) => {
    err += text
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, out, err }
}

function npmCalls(): readonly string[] {
  const log = join(folder, 'npm.log')
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
}

const nodeLink = () => join(folder, 'node_modules/.bin/node')

describe('a fresh clone', () => {
  test('is installed with one line before, without scripts, and Node is linked', async () => {
    const { code, out, err } = await setup()
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^Installing packages[^\n]*\n$/)
    expect(npmCalls()).toHaveLength(1)
    expect(npmCalls()[0]).toMatch(/^ci --ignore-scripts --include=optional /)
    expect(npmCalls()[0]).not.toContain('--include=dev')
    expect(readlinkSync(nodeLink())).toBe(`../${PLATFORM_NODE}/bin/node`)
    expect(existsSync(join(folder, '.setup-lock'))).toBe(false)
  })

  test('is left alone the second time', async () => {
    await setup()
    expect(await setup(['--dev'])).toEqual({ code: 0, out: '', err: '' })
    expect(npmCalls()).toHaveLength(1)
  })

  test('is installed once by two that start together', async () => {
    write('slow', '')
    const outcomes = await Promise.all([setup(), setup()])
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0])
    expect(npmCalls()).toHaveLength(1)
  })
})

describe('what is there is compared with the lock file', () => {
  const there = (packages: object) =>
    write('node_modules/.package-lock.json', JSON.stringify({ packages }))

  test.each([
    [
      'another version',
      { ...INSTALLED, 'node_modules/a': { version: '0.9.0', integrity: 'sha512-a' } }
    ],
    [
      'other bytes',
      { ...INSTALLED, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }
    ],
    ['a missing package', { 'node_modules/tool': PACKAGES['node_modules/tool'] }]
  ])('%s is installed again', async (_what, packages) => {
    there(packages)
    expect((await setup()).code).toBe(0)
    expect(npmCalls()).toHaveLength(1)
  })

  test('tools for tests are wanted by tests alone', async () => {
    there(WITHOUT_DEV)
    await setup()
    expect(npmCalls()).toEqual([])
    await setup(['--dev'])
    expect(npmCalls()[0]).toContain('--include=dev')
  })

  test('a missing link is made without an install', async () => {
    await setup()
    rmSync(nodeLink())
    await setup()
    expect(existsSync(nodeLink())).toBe(true)
    expect(npmCalls()).toHaveLength(1)
  })

  test('a platform Node that was left out is wanted where the own one is old', async () => {
    const { [`node_modules/${PLATFORM_NODE}`]: _node, ...packages } = INSTALLED
    there(packages)
    expect((await setup()).code).toBe(0)
    expect(npmCalls()).toHaveLength(0)
    expect((await setup([], { node: '20.20.2' })).code).toBe(0)
    expect(npmCalls()).toHaveLength(1)
  })
})

describe('one sentence says what is wrong', () => {
  test.each([
    ['ENOTFOUND', 'check the network'],
    ['ECONNREFUSED', 'check the network'],
    ['ENOSPC', 'make room'],
    ['EUSAGE', 'package-lock.json'],
    ['EWHATEVER', '(EWHATEVER)']
  ])('npm fails with %s', async (npmCode, advice) => {
    write('fails', npmCode)
    const { code, err } = await setup()
    expect(code).toBe(1)
    expect(err).toContain(advice)
    expect(err).toMatch(/^Tumesh can't be set up: [^\n]+\.\n$/)
    expect(existsSync(join(folder, '.setup-lock'))).toBe(false)
  })

  test('there is no npm', async () => {
    rmSync(join(folder, 'bin/npm'))
    const { code, err } = await setup([], { path: join(folder, 'bin') })
    expect(code).toBe(1)
    expect(err).toContain('npm does not run (ENOENT)')
  })

  test('no Node for this platform, and the own one is old', async () => {
    const { code, err } = await setup([], { node: '20.20.2', platform: 'sunos' })
    expect(code).toBe(1)
    expect(err).toContain('needs Node 24')
    expect(err).toContain('Node 20.20.2 on sunos')
    expect((await setup([], { platform: 'sunos' })).code).toBe(0)
  })

  test('the platform Node does not run here', async () => {
    write('node', '#!/no/such/loader\n')
    chmodSync(join(folder, 'node'), 0o755)
    expect((await setup([], { node: '20.20.2' })).err).toContain('brings none that runs here')
    expect((await setup()).code).toBe(0)
    expect(existsSync(nodeLink())).toBe(false)
  })

  test('the lock file is missing', async () => {
    rmSync(join(folder, 'package-lock.json'))
    expect((await setup()).err).toContain('package-lock.json is missing; restore it from git')
  })
})

test('the lock of a set-up that was killed is taken over', async () => {
  const child = start([])
  await new Promise((resolve) => child.on('close', resolve))
  rmSync(join(folder, 'node_modules'), { recursive: true })
  write('.setup-lock/pid', String(child.pid))
  expect((await setup()).code).toBe(0)
  expect(npmCalls()).toHaveLength(2)
})
