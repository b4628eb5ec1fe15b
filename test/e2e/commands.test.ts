// The commands as people type them, against a real node: what they print, how they exit, and the
// same for programs with --json.

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { put, send } from '../support/http-client.ts'
import { proxyBelow } from '../support/path-proxy.ts'
import { freePort } from '../support/proxies.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const PROGRAM = resolve('src/tumesh.js')

let bench: Workbench
let mesh: RealMesh

beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  await mesh.start('a')
  await mesh.start('b')
  await mesh.connected()
}, 60_000)
afterAll(() => bench.cleanUp())

interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function tumesh(...words: string[]): Promise<Said> {
  const node = words.includes('--url') ? [] : ['--url', mesh.url('a'), '--data', bench.path('a')]
  return run([...words, ...node])
}

function run(words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Said> {
  const env = { ...process.env, ...more }
  const child = spawn(process.execPath, [PROGRAM, ...words], { cwd: bench.folder, env })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })))
}

test('what can not be printed is no success', async (context) => {
  context.skip(!existsSync('/dev/full'), 'needs /dev/full')
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  const args = [PROGRAM, 'status', '--url', mesh.url('a'), '--data', bench.path('a')]
  for (const [more, said] of [
    [[], /^The disk was full \(ENOSPC\) while writing what it prints\. Make room/],
    [['--json'], /^\{"error":\{"code":"DISK_FULL","detail":"The disk.*\}\}$/m]
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [...args, ...more], {
      cwd: bench.folder,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe']
    })
    expect([status, stderr]).toEqual([1, expect.stringMatching(said)])
  }
})

test('files and folders are added once, and what can not be is told', async () => {
  const folder = bench.path('photos', 'deep', '图')
  mkdirSync(folder, { recursive: true })
  for (const n of [1, 2, 3]) writeFileSync(join(folder, `${n}.svg`), makeSvg({ seed: n }))
  writeFileSync(bench.path('photos', 'page.jpg'), '<html>no image</html>')
  writeFileSync(bench.path('photos', '.hidden.svg'), makeSvg({ seed: 9 }))
  const first = await tumesh('add', 'photos', '--to', 'in/2024')
  expect(first.out).toMatch(/✗ .*page\.jpg: .*\n3 images added \(.*\), 0 held already, 1 refused\n/)
  expect(first.code).toBe(1)
  const again = await tumesh('add', 'photos', '--to', 'in/2024', '--json')
  expect(JSON.parse(again.out)).toMatchObject({
    ...{ added: 0, held: 3, refused: [{ file: expect.any(String), code: 'CONTENT_MISMATCH' }] }
  })
  const missing = await tumesh('add', 'nothing')
  expect([missing.code, missing.out.split('\n')[0]]).toEqual([
    ...[1, '✗ nothing: there is no such file or folder']
  ])
  const one = await tumesh('add', 'photos/deep/图/1.svg')
  expect([one.code, one.out]).toEqual([0, expect.stringMatching(/^1 image added/)])
  const list = await tumesh('ls', 'in/')
  expect(list.out.split('\n').sort()).toEqual([
    ...['', 'in/2024/photos/deep/图/1.svg', 'in/2024/photos/deep/图/2.svg'],
    'in/2024/photos/deep/图/3.svg'
  ])
}, 60_000)

test('an image comes out as it went in', async () => {
  expect((await tumesh('get', '1.svg', 'out.svg')).code).toBe(0)
  expect(readFileSync(bench.path('out.svg'))).toEqual(makeSvg({ seed: 1 }))
  expect((await tumesh('get', '1.svg', '-')).out).toBe(makeSvg({ seed: 1 }).toString())
  mkdirSync(bench.path('into'))
  expect((await tumesh('get', '1.svg', 'into')).code).toBe(0)
  expect(readFileSync(bench.path('into', '1.svg'))).toEqual(makeSvg({ seed: 1 }))
  const nowhere = await tumesh('get', '1.svg', 'nowhere/1.svg')
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringMatching(/^There is no folder/)])
  const missing = await tumesh('get', 'nothing.svg')
  expect([missing.code, missing.out]).toEqual([1, ''])
  expect(missing.err).toMatch(/^There is no image nothing\.svg/)
})

test('it says who has an image, and what became of it', async () => {
  await eventually(
    async () => {
      const why = await tumesh('why', '1.svg')
      expect([why.code, why.out]).toEqual([0, expect.stringMatching(/✓ {2}a .*\n✓ {2}b /s)])
    },
    { withinMs: 20_000 }
  )
  const json = JSON.parse((await tumesh('why', '1.svg', '--json')).out)
  for (const { verified_at } of json.servers) expect(verified_at).toMatch(/^20.*Z$/)
  for (const hash of [json.sha256, json.cid, json.hash]) {
    const why = await tumesh('why', hash)
    const told = new RegExp(
      `^${json.sha256}, .*\\n${json.cid}\\n1\\.svg\\n(.*\\n)*✓ {2}a .*\\n✓ {2}b `
    )
    expect([why.code, why.out]).toEqual([0, expect.stringMatching(told)])
  }
  const none = await tumesh('why', '0a'.repeat(32))
  expect([none.code, none.err]).toEqual([1, 'No image here or on any server has this hash.\n'])
  expect((await tumesh('mv', '1.svg', 'moved.svg')).code).toBe(0)
  const gone = await tumesh('why', '1.svg')
  expect(gone.out).toMatch(/^1\.svg was deleted at .* by a; it can be restored until /)
  expect((await tumesh('restore', '1.svg')).code).toBe(0)
  const { out } = await tumesh('history', '1.svg')
  expect(out.split('\n').map((line) => line.split(/ {2,}/)[1])).toEqual([
    ...['added', 'deleted', 'restored', undefined]
  ])
  const story = JSON.parse((await tumesh('history', '1.svg', '--json')).out)
  expect(story).toMatchObject([{ event: 'added', node: 'a' }, {}, {}])
}, 60_000)

test('several are deleted, and one that is not there is told at the end', async () => {
  await put(mesh.url('a'), 'x.svg', makeSvg({ seed: 5 }))
  const { code, out, err } = await tumesh('rm', 'nothing.svg', 'x.svg')
  expect([code, err]).toEqual([1, expect.stringMatching(/^nothing\.svg: There is no image/)])
  expect(out).toMatch(/x\.svg/)
  expect((await send(`${mesh.url('a')}/images/x.svg`)).status).toBe(410)
})

test('an image is blocked with a reason, shown as such, and unblocked', async () => {
  await put(mesh.url('a'), 'bad.svg', makeSvg({ seed: 6 }))
  expect(await tumesh('block', 'bad.svg')).toMatchObject({
    ...{ code: 2, err: 'Say why: --reason TEXT.\n' }
  })
  expect((await tumesh('block', 'bad.svg', '--reason', 'a court')).out).toMatch(/ is blocked\.\n$/)
  const why = await tumesh('why', 'bad.svg')
  expect([why.code, why.out]).toEqual([
    1,
    expect.stringMatching(/✗ {2}a {2}it is blocked: a court/)
  ])
  expect((await tumesh('blocks')).out).toMatch(/^[0-9a-f]{64} .* a {2}a court \(bad\.svg\)\n$/)
  expect((await tumesh('status')).out).toMatch(/, 1 blocked\n/)
  expect((await tumesh('unblock', 'bad.svg')).code).toBe(0)
  expect((await tumesh('blocks')).out).toBe('Nothing is blocked.\n')
  await eventually(async () =>
    expect((await send(`${mesh.url('a')}/images/bad.svg`)).status).toBe(200)
  )
}, 40_000)

test('how much is logged is set while it runs, part by part', async () => {
  const set = await tumesh('log-level', 'http', 'debug')
  expect([set.code, set.out]).toEqual([
    ...[
      0,
      expect.stringMatching(/\nhttp +debug +What is logged of requests\n(.*\n)*The levels hold/)
    ]
  ])
  const shown = await tumesh('log-level')
  expect(shown.out).toMatch(/^ +info .*\n(.*\n)*http +debug/)
  const wrong = await tumesh('log-level', 'http', 'loud')
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/^Say a level \(trace, /)])
  await tumesh('log-level', 'http', 'configured')
  expect((await tumesh('log-level', '--json')).out).toContain('"log_levels":{}')
})

test('the status is that of the node and its servers', async () => {
  const { code, out } = await tumesh('status')
  expect([code, out]).toEqual([0, expect.stringMatching(/^a is healthy .*\n/)])
  expect(out).toMatch(/\d+ images, .*; all of them here\n/)
  expect(out).toMatch(/\nb {2}(online|syncing)/)
  const { storage, sync } = JSON.parse((await tumesh('status', '--json')).out)
  expect([storage.node.name, sync.server_name]).toEqual(['a', 'a'])
})

test('images are verified, some or all', async () => {
  expect((await tumesh('verify', '1.svg')).out).toMatch(/^1 image read in .* s: all right\n$/)
  const all = await tumesh('verify', '--json')
  expect([all.code, JSON.parse(all.out).corrupted_files]).toEqual([0, []])
  const absent = await tumesh('verify', '1.svg', 'absent.svg')
  expect([absent.code, absent.out]).toEqual([
    ...[1, expect.stringContaining('✗ absent.svg was missing\n')]
  ])
})

test('servers are listed, and a drained one may go', async () => {
  expect((await tumesh('peers')).out).toMatch(/^b {2}(online|syncing) {2}12D3KooW/)
  const unknown = await tumesh('peers', '--remove', 'nobody')
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/no server nobody/)])
  const drained = await tumesh('drain')
  expect([drained.code, drained.out]).toEqual([0, 'It is safe to switch this server off.\n'])
}, 40_000)

test('the doctor looks at the node and the machine, and a drill heals', async () => {
  const { code, out } = await tumesh('doctor')
  expect(out).toMatch(/✓ a is healthy\n/)
  expect(out).toMatch(/✓ b is (online|syncing)\n/)
  expect(out).toMatch(/(All is well\.|\d+ things? to look at\.)\n$/)
  expect(code).toBe(out.includes('All is well') ? 0 : 1)
  const drill = await tumesh('drill', '--json')
  const steps = JSON.parse(drill.out)
  expect(steps.map(({ ok, why }: { ok: boolean; why?: string }) => [ok, why])).toEqual(
    Array(7).fill([true, undefined])
  )
  expect(drill.code).toBe(0)
  expect((await tumesh('ls', 'tumesh-drill/')).out).toBe('')
}, 60_000)

test('nothing waits for a word, and a decision names what it is about', async () => {
  expect((await tumesh('review')).out).toBe('Nothing waits for review.\n')
  expect((await tumesh('review', '--restore')).code).toBe(2)
  const decided = await tumesh('review', '--discard', 'nothing.svg')
  expect([decided.code, decided.out]).toEqual([1, '0 restored, 0 discarded, 1 were not there\n'])
  expect((await tumesh('brakes')).out).toBe('Nothing has stopped.\n')
  const unknown = await tumesh('brakes', '--confirm', 'nonsense')
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/^No brake/)])
}, 40_000)

test('a server that says so is away when it is off, and back when it starts', async () => {
  const other = ['--url', mesh.url('b'), '--data', bench.path('b')]
  expect((await tumesh('away')).code).toBe(2)
  expect((await tumesh('away', '100d', ...other)).err).toMatch(/90 days at most/)
  expect((await tumesh('away', '2h', ...other)).out).toMatch(/^The others know .*\n$/)
  const stateOfB = async () => {
    const { servers } = JSON.parse((await tumesh('status', '--json')).out).storage
    return servers[0].status
  }
  await mesh.node('b').end('SIGTERM')
  await eventually(async () => expect(await stateOfB()).toBe('away'), { withinMs: 20_000 })
  await mesh.start('b')
  await eventually(async () => expect(await stateOfB()).toBe('online'), { withinMs: 20_000 })
  await mesh.node('b').end('SIGKILL')
  await eventually(async () => expect(await stateOfB()).toBe('offline'), { withinMs: 20_000 })
  await mesh.start('b')
  await mesh.connected()
}, 90_000)

test('limits are shown, changed and ended, and what is none is refused with what there is', async () => {
  expect((await tumesh('limits')).out).toMatch(/^receive_reads +no limit\n/)
  const set = await tumesh('limits', 'receive-catch-up=5MB', 'send_remote=1MiB')
  expect(set.out).toMatch(/receive_catch_up +5\.0 MB\/s\n/)
  const { out } = await tumesh('limits', 'send_remote=off', '--json')
  expect(JSON.parse(out).limits).toMatchObject({ receive_catch_up: 5_000_000, send_remote: null })
  for (const [word, words] of [
    ['receive_catch_up', 'Say NAME=SIZE'],
    ['everything=5MB', 'There is no limit everything: there are receive_reads'],
    ['receive_new=1KB', '1KB is no limit'],
    ['receive_new=much', 'much is no limit']
  ] as const) {
    expect(await tumesh('limits', word)).toMatchObject({
      code: 2,
      err: expect.stringContaining(words)
    })
  }
  expect((await tumesh('limits', 'receive_catch_up=off')).code).toBe(0)
}, 60_000)

test('who did what is written down, and shown', async () => {
  const { out } = await tumesh('audit')
  expect(out).toMatch(/ block +key local at 127\.0\.0\.1 .*reason=a court/)
  expect(out).toMatch(/ add +this machine at .*path=bad\.svg/)
  const lines = (await tumesh('audit', '--json', '--action', 'delete')).out.trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).action)).toContain('delete')
  const onB = readFileSync(bench.path('b', 'metadata', 'audit.ndjson'), 'utf8')
  expect(onB).toMatch(/"action":"block","by":"server 12D3KooW/)
})

test('what happens is told line by line', async () => {
  const node = ['--url', mesh.url('a'), '--data', bench.path('a')]
  const child = spawn(process.execPath, [PROGRAM, 'log', ...node])
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  await eventually(async () => expect(out).toMatch(/ progress /), { withinMs: 10_000 })
  await put(mesh.url('a'), 'told.svg', makeSvg({ seed: 77 }))
  await eventually(async () => expect(out).toMatch(/ entry path=told\.svg /), { withinMs: 10_000 })
  child.kill('SIGINT')
  await new Promise((done) => child.once('exit', done))
}, 30_000)

test('a node that is not there is one sentence, and no stack', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(process.execPath, [PROGRAM, 'status', '--url', url])
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  const code = await new Promise((done) => child.once('close', done))
  expect([code, err.trim().split('\n').length]).toEqual([1, 1])
  expect(err).toBe(`Nothing listens at ${url}. Is it running? Name its address with --url.\n`)
})

test('a node below a path, behind a proxy, is asked with a key from outside', async () => {
  await put(mesh.url('a'), 'far/one.svg', makeSvg({ seed: 501 }))
  const made = await tumesh('keys', 'add', 'far', '--scope', 'admin', '--json')
  const { key } = JSON.parse(made.out)
  const proxy = await proxyBelow('/tumesh', mesh.url('a'))
  const far = (...words: string[]) => run([...words, '--url', proxy.url], { TUMESH_KEY: key })
  try {
    expect((await far('ls', 'far/')).out).toBe('far/one.svg\n')
    expect((await far('get', 'far/one.svg', '-')).out).toBe(makeSvg({ seed: 501 }).toString())
    expect((await far('mv', 'far/one.svg', 'far/two.svg')).code).toBe(0)
    expect((await far('why', 'far/two.svg')).code).toBe(0)
    const without = await run(['ls', '--url', proxy.url, '--data', bench.path('a')])
    expect([without.code, without.err]).toEqual([1, expect.stringContaining('TUMESH_KEY')])
    const outside = await run(['ls', '--url', new URL(proxy.url).origin], { TUMESH_KEY: key })
    expect([outside.code, outside.err]).toEqual([1, expect.stringContaining('no Tumesh node')])
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
}, 60_000)
