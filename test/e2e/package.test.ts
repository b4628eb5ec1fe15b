// The package that npm pack makes, installed in an empty folder: compiled, with no file of the
// repository and none of the tools for tests.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPhoto } from '../fixtures/photos.ts'
import { sha256 } from '../support/digests.ts'
import { bytesAt, put } from '../support/http-client.ts'
import { RealNode, Workbench } from '../support/real-node.ts'

let bench: Workbench
let program: string
const nodes: RealNode[] = []

beforeAll(() => {
  bench = new Workbench()
  const modules = bench.path('node_modules')
  const home = join(modules, 'tumesh')
  mkdirSync(home, { recursive: true })
  execFileSync(process.execPath, ['scripts/build-package.ts', join(home, 'dist')])
  cpSync('package.json', join(home, 'package.json'))
  for (const name of installedWithoutTools()) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(resolve('node_modules', name), join(modules, name))
  }
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  program = join(home, bin.tumesh)
}, 120_000)
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.end('SIGKILL')))
  await bench.cleanUp()
})

/** Packages at the top, as an install without development dependencies has them. */
function installedWithoutTools(): string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  return Object.entries(packages as Record<string, { dev?: boolean }>).flatMap(
    ([path, { dev }]) => {
      const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
      return name === undefined || dev === true || !existsSync(path) ? [] : [name]
    }
  )
}

function start(runtime: string): Promise<RealNode> {
  const flags = ['--http-host', '127.0.0.1', '--http-port', '0', '--p2p-host', '127.0.0.1']
  const line = [
    program,
    'start',
    '--data',
    bench.path('data'),
    '--name',
    'a',
    '--no-mdns',
    ...flags
  ]
  const env = { PATH: process.env.PATH, XDG_STATE_HOME: bench.path('state') }
  const child = spawn(runtime, line, { cwd: bench.folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const node = new RealNode(child)
  nodes.push(node)
  return node.started()
}

test('it runs, keeps an image, draws it, shows its page and answers its own commands', async () => {
  const node = await start(process.execPath)
  expect(node.stdout).toContain('npx tumesh --data ./b')
  const photo = readPhoto(1)
  expect((await put(node.url, 'a.jpg', photo)).status).toBe(201)
  expect((await bytesAt(`${node.url}/images/a.jpg`)).bytes).toEqual(photo)
  for (const address of [
    `/thumbnails/${sha256(photo)}`,
    '/',
    '/web/page.js',
    '/docs',
    '/metrics'
  ]) {
    const { status, bytes } = await bytesAt(node.url + address)
    expect([address, status, bytes.length > 100]).toEqual([address, 200, true])
  }
  const words = [program, 'ls', '--url', node.url, '--data', bench.path('data')]
  expect(execFileSync(process.execPath, words, { encoding: 'utf8' })).toBe('a.jpg\n')
  expect(await node.end('SIGTERM')).toMatchObject({ code: 0 })
}, 60_000)

// where the system brings an older Node, as Debian does
const old = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => {
  const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' })
  return /^v2[0-3]\./.test(stdout ?? '')
})
if (old !== undefined) {
  test('an older Node runs it with the one that comes with it', async () => {
    const node = await start(old)
    expect((await bytesAt(`${node.url}/images/a.jpg`)).status).toBe(200)
    expect(await node.end('SIGTERM')).toMatchObject({ code: 0 })
  }, 60_000)
}
