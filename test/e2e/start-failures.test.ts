// What keeps a node from starting: one sentence that says what to do, an exit code, and nothing
// damaged.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openDatabase } from '../../src/index/open-database.ts'
import { INDEX_FORMAT } from '../../src/index/open-index.ts'
import { openTables } from '../../src/index/tables.ts'
import { makeSvg } from '../fixtures/make-images.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { bytesAt, put } from '../support/http-client.ts'
import { type RealNodeOptions, Workbench } from '../support/real-node.ts'

const image = makeSvg({ seed: 1 })

vi.setConfig({ testTimeout: 60_000 })

let bench: Workbench
beforeAll(async () => {
  bench = new Workbench()
  const node = await bench.start('used')
  await put(node.url, 'dir/kept.svg', image)
  await node.end('SIGTERM')
})
afterAll(() => bench.cleanUp())

const USAGE = 2
const FAILED = 1

/** Starts a node that can't start; the sentence that it says. */
async function refusal(
  name: string,
  options: RealNodeOptions = {},
  exit = FAILED
): Promise<string> {
  const { code, signal, stdout, stderr } = await bench.spawn(name, options).ended()
  expect([code, signal, stdout]).toEqual([exit, null, ''])
  expect(stderr.trim().split('\n'), stderr).toHaveLength(1)
  expect(stderr).toMatch(/^[A-Z/][^{]{30,}\n$/)
  expect(stderr).not.toMatch(/\n\s+at |Error:|E[A-Z]+:/)
  return stderr
}

/** What is in a folder, by name. */
function contentOf(name: string): Map<string, string> {
  const files = readdirSync(bench.path(name), { recursive: true, withFileTypes: true })
  return new Map(
    files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [`${parentPath}/${name}`, `${parentPath}/${name}`])
      .map(([key = '', file = '']) => [key, readFileSync(file, 'base64')])
  )
}

/** What the folder held is as it was, and nothing came to it. */
async function expectUntouched(name: string, task: () => Promise<unknown>): Promise<void> {
  const before = contentOf(name)
  await task()
  expect([...contentOf(name).keys()]).toEqual([...before.keys()])
  expect(contentOf(name)).toEqual(before)
}

async function expectStarts(name: string, options?: RealNodeOptions): Promise<void> {
  const node = await bench.start(name, options)
  const found = await bytesAt(`${node.url}/images/dir/kept.svg`)
  expect([found.status, found.bytes.equals(image)]).toEqual([200, true])
  await expectSoundFolder(node.url, bench.path(name))
  expect((await node.end('SIGTERM')).code).toBe(0)
}

async function setFormat(index: string, format: number): Promise<void> {
  const database = await openDatabase(index)
  await (await openTables(database)).meta.put('format', format)
  await database.close()
}

async function rowsOf(index: string): Promise<unknown> {
  const database = await openDatabase(index)
  const rows = await database.iterator().all()
  await database.close()
  return rows
}

test('the port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const said = await refusal('used', { flags: ['--http-port', String(port)] })
  expect(said).toContain(`Port ${port} on 127.0.0.1 is taken`)
  expect(said).toContain('--http-port')
  server.close()
})

test('another node uses the folder', async () => {
  const first = await bench.start('used')
  expect(await refusal('used')).toMatch(/^Another node is using .*--data\.$/m)
  const found = await bytesAt(`${first.url}/images/dir/kept.svg`)
  expect(found.bytes.equals(image), 'the first one goes on').toBe(true)
  expect((await put(first.url, 'more.svg', makeSvg({ seed: 2 }))).status).toBe(201)
  await fetch(`${first.url}/images/more.svg?purge=true`, { method: 'DELETE' })
  await first.end('SIGTERM')
})

test('the folder may not be written', async (context) => {
  mkdirSync(bench.path('closed'))
  chmodSync(bench.path('closed'), 0o555)
  const isRoot = process.getuid?.() === 0
  const canDrop = spawnSync('setpriv', ['--bounding-set', '-dac_override', 'true']).status === 0
  context.skip(isRoot && !canDrop, 'needs setpriv(1) when run as root, who may write everything')
  await expectUntouched('closed', async () => {
    const runner = isRoot ? ['setpriv', '--bounding-set', '-dac_override'] : []
    const said = await refusal('closed', { runner })
    expect(said).toMatch(/can't be written by the user .*\(EACCES\)/)
  })
})

test('the folder is a file', async () => {
  writeFileSync(bench.path('file'), 'x')
  expect(await refusal('file')).toContain('is not a folder')
  expect(readFileSync(bench.path('file'), 'utf8')).toBe('x')
})

test('a part of the folder is another mount, though of the same disk', async (context) => {
  for (const folder of ['shared', 'mounted/images']) {
    mkdirSync(bench.path(folder), { recursive: true })
  }
  const images = bench.path('mounted', 'images')
  const { status } = spawnSync('mount', ['--bind', bench.path('shared'), images])
  context.skip(status !== 0, 'needs root and mount(8)')
  try {
    expect(await refusal('mounted')).toContain(`${images} is on another disk, or another mount,`)
    expect(readdirSync(bench.path('shared'))).toEqual([])
  } finally {
    spawnSync('umount', [images])
  }
})

test('the marker is missing, and the folder is accepted when told so', async () => {
  const marker = bench.path('used', '.tumesh')
  const kept = readFileSync(marker, 'utf8')
  rmSync(marker)
  await expectUntouched('used', async () => {
    const said = await refusal('used')
    expect(said).toMatch(/its marker \.tumesh is missing.*--accept-folder\.$/m)
  })
  await expectStarts('used', { flags: ['--accept-folder'] })
  expect(JSON.parse(readFileSync(marker, 'utf8')).id).not.toBe(JSON.parse(kept).id)
})

test('the marker is another, or damaged, or of a newer program', async () => {
  const marker = bench.path('used', '.tumesh')
  const text = readFileSync(marker, 'utf8')
  const { id, format } = JSON.parse(text)
  const cases = [
    [
      text.replace(id, 'f'.repeat(32)),
      /is not the one that was used here before.*--accept-folder\.$/m
    ],
    ['half a mark', /is damaged.*--accept-folder\.$/m],
    [text.replace(`"format":${format}`, '"format":2'), /newer version.*Update this one/]
  ] as const
  for (const [content, sentence] of cases) {
    expect(content).not.toBe(text)
    writeFileSync(marker, content)
    await expectUntouched('used', async () => {
      expect(await refusal('used')).toMatch(sentence)
    })
  }
  writeFileSync(marker, text)
})

test('the index is of a newer program', async () => {
  const index = bench.path('used', 'metadata', 'index')
  await setFormat(index, INDEX_FORMAT + 1)
  const rows = await rowsOf(index)
  // level keeps its own books when it is opened: of the index, the rows count
  const others = () => [...contentOf('used')].filter(([file]) => !file.startsWith(index))
  const before = others()
  expect(await refusal('used')).toMatch(
    /has format \d+; this program knows format \d+\. A newer Tumesh has written it: update this one\.$/m
  )
  expect(others()).toEqual(before)
  expect(await rowsOf(index)).toEqual(rows)
  await setFormat(index, INDEX_FORMAT)
})

test('the configuration is wrong', async () => {
  writeFileSync(bench.path('tumesh.yaml'), 'file_storage:\n  max_filesize: 5MB\n')
  expect(await refusal('fresh', {}, USAGE)).toContain(
    'there is no key file_storage.max_filesize (tumesh.yaml:2:3); did you mean file_storage.max_file_size?'
  )
  rmSync(bench.path('tumesh.yaml'))
  const env = { TUMESH_FILE_STORAGE_MAX_FILE_SIZE: '100 apples' }
  expect(await refusal('fresh', { env }, USAGE)).toContain('file_storage.max_file_size')
  const flags = ['--config', 'no-such.yaml']
  expect(await refusal('fresh', { flags }, USAGE)).toContain('there is no file no-such.yaml')
  expect(existsSync(bench.path('fresh'))).toBe(false)
})

test('after all of it the folder is as good as before', () => expectStarts('used'))
