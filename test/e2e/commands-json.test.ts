// Every command for a program: --json, against a real node and against none.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CATALOG } from '../../src/commands/catalog.ts'
import { makeSvg } from '../fixtures/make-images.ts'
import { put } from '../support/http-client.ts'
import { freePort } from '../support/proxies.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const PROGRAM = resolve('src/tumesh.js')

let bench: Workbench
let mesh: RealMesh
beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  await mesh.start('a', { env: { TUMESH_HTTP_SIGNED_URLS: 'true' } })
  await mesh.start('b')
  await mesh.connected()
  for (const name of ['kept', 'gone', 'moved', 'purged', 'bad']) {
    await put(mesh.url('a'), `${name}.svg`, makeSvg({ seed: name.charCodeAt(0) }))
  }
  mkdirSync(bench.path('photos'))
  writeFileSync(bench.path('photos', 'new.svg'), makeSvg({ seed: 99 }))
  writeFileSync(bench.path('photos', 'page.jpg'), '<html>no image</html>')
}, 60_000)
afterAll(() => bench.cleanUp())

interface Said {
  readonly code: number | null
  readonly out: string
  /** What stood on stderr, a line each. */
  readonly told: readonly Record<string, Record<string, unknown>>[]
}

const ofA = () => ['--url', mesh.url('a'), '--data', bench.path('a')]

async function tumesh(words: readonly string[], node: readonly string[] = ofA()): Promise<Said> {
  const env = { PATH: process.env.PATH, HOME: bench.folder }
  const all = [PROGRAM, ...words, '--json', ...node]
  const child = spawn(process.execPath, all, { cwd: bench.folder, env })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
    if (words[0] === 'log') child.kill('SIGINT')
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  const code = await new Promise<number | null>((done) => child.on('close', done))
  const told = err.split('\n').filter(Boolean)
  return { code, out, told: told.map((line) => JSON.parse(line)) }
}

/** What a program may count on of the result of each command; the words are in this order. */
const CASES: Readonly<Record<string, readonly [words: string, result: unknown]>> = {
  join: ['URL nonsense', { joined: [{ name: 'b' }], later: [], failed: [{ target: 'nonsense' }] }],
  invite: ['--expires 2h --uses 1', { invite: expect.stringMatching(/^tumesh-invite:/) }],
  status: ['', { storage: { node: { name: 'a' } }, sync: { server_name: 'a' } }],
  ls: ['kept', { path: 'kept.svg', state: 'ok' }],
  add: ['photos', { added: 1, held: 0, refused: [{ code: 'CONTENT_MISMATCH' }] }],
  get: ['kept.svg kept.out', { path: 'kept.svg', size: makeSvg({ seed: 107 }).length }],
  rm: [
    'gone.svg nothing.svg',
    {
      deleted: [{ path: 'gone.svg' }],
      failed: [{ path: 'nothing.svg', code: 'NOT_FOUND', cause: { code: 'image_absent' } }]
    }
  ],
  mv: ['moved.svg there.svg', { status: 'success' }],
  restore: ['gone.svg', { status: 'success' }],
  history: ['gone.svg', [{ event: 'added' }, { event: 'deleted' }, { event: 'restored' }]],
  why: ['kept.svg', { path: 'kept.svg', servers: [{ name: 'a' }, { name: 'b' }] }],
  verify: ['kept.svg', { verified_files: 1, valid_files: 1 }],
  block: ['bad.svg --reason test', { status: 'success' }],
  blocks: ['', [{ reason: 'test' }]],
  unblock: ['bad.svg', { status: 'success' }],
  sign: ['--key', { key: expect.any(String) }],
  audit: ['--action delete --limit 1', { action: 'delete' }],
  peers: ['', { peers: [{ name: 'b' }] }],
  drain: ['--look', { safe_to_switch_off: true }],
  'log-level': ['', { log_level: 'info' }],
  away: ['--back', { status: 'success' }],
  limits: ['', { limits: { receive_reads: null } }],
  secret: ['', { message: expect.any(String) }],
  purge: ['purged.svg', { deleted: [{ path: 'purged.svg' }], failed: [] }],
  review: ['', []],
  brakes: ['', []],
  adopt: ['photos', { new: 1, refused: 1, errors: [{ subject: expect.any(String) }] }],
  backup: ['backup.gz', { file: 'backup.gz', size: expect.any(Number) }],
  export: ['list.ndjson', { file: 'list.ndjson', images: expect.any(Number) }],
  doctor: ['', expect.arrayContaining([{ state: 'ok', what: 'a is healthy' }])],
  drill: ['', Array(7).fill({ ok: true })],
  log: ['', { event: expect.any(String), at: expect.any(String) }]
}

test('every command is here', () => {
  expect(Object.keys(CASES).sort()).toEqual(CATALOG.map(({ name }) => name).sort())
})

const wordsOf = (name: string, words: string) =>
  [name, ...words.split(' ')].filter(Boolean).map((word) => word.replace('URL', mesh.url('b')))

test.each(Object.entries(CASES))(
  '%s gives JSON',
  async (name, [words, result]) => {
    const { code, out, told } = await tumesh(wordsOf(name, words))
    const lines = out.trimEnd().split('\n')
    // what happens comes as it comes
    if (name !== 'log') expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(result as object)
    expect(told.flatMap(Object.keys).filter((word) => word !== 'progress')).toEqual([])
    const hasFailed = ['join', 'add', 'adopt', 'rm'].includes(name)
    if (!['log', 'status', 'doctor', 'why'].includes(name)) expect(code).toBe(hasFailed ? 1 : 0)
  },
  60_000
)

test('what is written is what is said of it', async () => {
  const { out } = await tumesh(['export', 'again.ndjson'])
  const text = readFileSync(bench.path('again.ndjson'), 'utf8')
  expect(JSON.parse(out)).toEqual({
    ...{ file: 'again.ndjson', size: statSync(join(bench.folder, 'again.ndjson')).size },
    images: text.trimEnd().split('\n').length
  })
  const restored = await tumesh(['backup', 'backup.gz', '--restore'])
  expect(JSON.parse(restored.out)).toMatchObject({ status: 'success', found: 0 })
})

test('progress is a line of JSON on stderr', async () => {
  const { told } = await tumesh(['adopt', 'photos'])
  expect(told[0]).toEqual({ progress: { task_id: expect.any(String), processed: 0 } })
})

test('keys are made, listed and revoked', async () => {
  const { id } = JSON.parse((await tumesh(['keys', 'add', 'x', '--scope', 'read'])).out)
  const { keys } = JSON.parse((await tumesh(['keys', 'list'])).out)
  expect(keys).toMatchObject([{ id, name: 'x' }])
  expect((await tumesh(['keys', 'revoke', id])).code).toBe(0)
})

test('what the node refuses is its answer, and its words', async () => {
  const { code, out, told } = await tumesh(['restore', 'nothing.svg'])
  expect([code, out]).toEqual([1, ''])
  expect(told).toEqual([
    {
      error: {
        code: 'NOT_FOUND',
        detail: expect.stringMatching(/^No earlier version of nothing\.svg is kept here\./),
        cause: { code: 'version_nowhere', details: { path: 'nothing.svg', servers: 'b' } }
      }
    }
  ])
})

test.each(Object.entries(CASES))(
  '%s says as JSON that no node is there',
  async (name, [words]) => {
    const node = ['--url', `http://127.0.0.1:${await freePort()}`]
    const { code, out, told } = await tumesh(wordsOf(name, words), node)
    expect(code).toBe(1)
    const failed = { code: expect.stringMatching(/^NOT_(AVAILABLE|FOUND)$/) }
    if (name === 'rm' || name === 'purge') {
      expect(JSON.parse(out).failed[0]).toMatchObject(failed)
      return
    }
    expect([out, told]).toMatchObject(['', [{ error: failed }]])
  },
  30_000
)
