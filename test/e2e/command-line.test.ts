// The command line as a person meets it: text, exit codes, nothing left behind.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const MAIN = resolve('src/tumesh.js')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-line-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function tumesh(words: readonly string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH, HOME: folder, ...environment }
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 20_000
  })
  return { status, stdout, stderr }
}

test('--help and --version say it on stdout', () => {
  expect(tumesh(['--version'])).toMatchObject({ status: 0, stderr: '' })
  const { status, stdout } = tumesh(['--help'])
  expect(status).toBe(0)
  expect(stdout).toContain('Usage: tumesh start [options]')
})

test.each([
  ['on Windows', "Object.defineProperty(process, 'platform', { value: 'win32' })"],
  ['of an older platform', 'delete process.execve']
])('where a process %s can not begin once more, it goes on as it is', (_, script) => {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`
  expect(tumesh(['--version'], { NODE_OPTIONS })).toMatchObject({ status: 0, stderr: '' })
})

test('a wrong flag is told on stderr, with the right one, and exits with 2', () => {
  const { status, stdout, stderr } = tumesh(['--http-prot', '1'])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain('Did you mean --http-port?')
})

test('--print-config shows values and origins, and makes nothing', () => {
  writeFileSync(join(folder, 'tumesh.yaml'), 'file_storage:\n  max_file_size: 5MB\n')
  const environment = { TUMESH_HTTP_PORT: '9000', TUMESH_FAIL_POINT: 'stage:opened' }
  const { status, stdout, stderr } = tumesh(['--print-config', '--name', 'b'], environment)
  expect([status, stderr]).toEqual([0, ''])
  for (const line of [
    'name: b # --name',
    '  max_file_size: 5MB # tumesh.yaml:2',
    '  port: 9000 # TUMESH_HTTP_PORT',
    '  view: auto # default'
  ]) {
    expect(stdout.split('\n')).toContain(line)
  }
  expect(existsSync(join(folder, 'data'))).toBe(false)
})

test('--print-config and what is wrong are given to programs as JSON', () => {
  const environment = { TUMESH_ALERTS_WEBHOOK: 'https://me:secret@example.org/' }
  const printed = tumesh(['--print-config', '--json', '--name', 'b'], environment)
  expect([printed.status, printed.stderr]).toEqual([0, ''])
  const settings = JSON.parse(printed.stdout)
  expect(settings.name).toEqual({ value: 'b', origin: '--name' })
  expect(settings['images.view']).toEqual({ value: 'auto', origin: 'default' })
  expect(printed.stdout).not.toContain('secret@')
  for (const [words, code, detail] of [
    [['--http-prot', '1'], 'USAGE', "unknown option '--http-prot'\n(Did you mean --http-port?)"],
    [['--http-port', '99999'], 'BAD_CONFIG', 'The configuration is wrong: '],
    [['away'], 'USAGE', 'Say for how long'],
    [['block', 'a.svg'], 'USAGE', 'Say why: --reason TEXT.']
  ] as const) {
    const { status, stdout, stderr } = tumesh([...words, '--json'])
    expect([status, stdout]).toEqual([2, ''])
    expect(JSON.parse(stderr)).toEqual({ error: { code, detail: expect.stringContaining(detail) } })
  }
})

test('a wrong configuration is sentences without a stack, exits with 2, and makes nothing', () => {
  writeFileSync(join(folder, 'tumesh.yaml'), 'http:\n  prot: 1\nfile_sync:\n  retry_delay: soon\n')
  const { status, stdout, stderr } = tumesh([])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain('http.prot (tumesh.yaml:2:3); did you mean http.port?')
  expect(stderr).toContain('file_sync.retry_delay is "soon", but must be')
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(existsSync(join(folder, 'data'))).toBe(false)
})
