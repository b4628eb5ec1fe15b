// The index of a node in a file, and back: into another node, and into one that has lost its own.

import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { tinyImage } from '../support/memory-node.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

vi.setConfig({ testTimeout: 60_000 })
const MAIN = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
const run = promisify(execFile)

let bench: Workbench
beforeEach(() => {
  bench = new Workbench()
})
afterEach(() => bench.cleanUp())

const tumesh = (name: string, node: RealNode, ...words: string[]) =>
  run(process.execPath, [MAIN, ...words, '--url', node.url, '--data', bench.path(name)])
const file = () => bench.path('backup.gz')
const filesOf = async (node: RealNode) =>
  (await send(`${node.url}/file-sync/api/file-sync/files`)).body.files

async function filled(): Promise<RealNode> {
  const node = await bench.start('a')
  for (let n = 0; n < 5; n++) await put(node.url, `${n}.svg`, tinyImage(n))
  await send(`${node.url}/images/0.svg`, { method: 'DELETE' })
  return node
}

test('a node that lost its index knows its images again, and its deletions', async () => {
  const node = await filled()
  expect((await tumesh('a', node, 'backup', file())).stdout).toContain('holds the index')
  await node.end('SIGTERM')
  rmSync(bench.path('a', 'metadata', 'index'), { recursive: true })
  rmSync(bench.path('a', 'images'), { recursive: true })
  const again = await bench.start('a')
  expect(await filesOf(again)).toEqual([])
  const { stdout } = await tumesh('a', again, 'backup', file(), '--restore')
  expect(stdout).toContain('Images that were lacking and are on the disk after all: 4.')
  await eventually(async () => {
    const { bytes } = await bytesAt(`${again.url}/images/3.svg`)
    expect(bytes.equals(Buffer.from(tinyImage(3)))).toBe(true)
  })
  expect((await bytesAt(`${again.url}/images/0.svg`)).status).toBe(410)
  expect(readFileSync(bench.path('a', 'images', '3.svg')).equals(Buffer.from(tinyImage(3)))).toBe(
    true
  )
})

test('a data folder that was copied back brings nothing back that was deleted since', async () => {
  const env = { TUMESH_ADOPT_INTERVAL: '1s' }
  const [a, b] = [await bench.start('a'), await bench.start('b', { env })]
  await tumesh('b', b, 'join', a.url)
  for (let n = 0; n < 2; n++) await put(a.url, `${n}.svg`, tinyImage(n))
  const shown = () => readdirSync(bench.path('b', 'images')).toSorted()
  await eventually(() => expect(shown()).toEqual(['0.svg', '1.svg']), { withinMs: 20_000 })
  await b.end('SIGTERM')
  await send(`${a.url}/images/0.svg`, { method: 'DELETE' })
  // with new dates, and files that are no links of each other any more
  cpSync(bench.path('b'), bench.path('saved'), { recursive: true })
  rmSync(bench.path('b'), { recursive: true })
  renameSync(bench.path('saved'), bench.path('b'))
  const again = await bench.start('b', { env })
  await eventually(async () => expect((await send(`${again.url}/images/0.svg`)).status).toBe(410), {
    withinMs: 20_000
  })
  // the folder follows the index
  await eventually(() => expect(shown()).toEqual(['1.svg']))
  await put(again.url, '2.svg', tinyImage(2))
  writeFileSync(bench.path('b', 'images', '3.svg'), tinyImage(3))
  await eventually(async () => expect(await filesOf(a)).toHaveLength(3), { withinMs: 20_000 })
  expect((await send(`${a.url}/images/0.svg`)).status).toBe(410)
})

test('a node that has a backup alone says that the bytes are nowhere', async () => {
  const node = await filled()
  await tumesh('a', node, 'backup', file())
  const other = await bench.start('b')
  await tumesh('b', other, 'backup', file(), '--restore')
  const { status, status_causes } = (await send(`${other.url}/api/storage-status`)).body
  expect([status, status_causes]).toMatchObject([
    'degraded',
    [{ code: 'images_nowhere', details: { count: 4 } }]
  ])
})

test('what is newer stays when a backup is taken in', async () => {
  const node = await filled()
  await tumesh('a', node, 'backup', file())
  await put(node.url, '1.svg', tinyImage(100))
  await send(`${node.url}/images/2.svg`, { method: 'DELETE' })
  const before = await filesOf(node)
  await tumesh('a', node, 'backup', file(), '--restore')
  expect(await filesOf(node)).toEqual(before)
})

test('a backup that is cut off, or none, is refused with the reason', async () => {
  const node = await filled()
  await tumesh('a', node, 'backup', file())
  const whole = readFileSync(file())
  const text = gunzipSync(whole).toString()
  const lines = text.trimEnd().split('\n')
  for (const [bytes, reason] of [
    [whole.subarray(0, whole.length - 20), 'cut off'],
    [gzipSync(lines.slice(0, -1).join('\n')), 'its end is missing'],
    [gzipSync([...lines.slice(0, 2), ...lines.slice(3)].join('\n')), 'lacks lines'],
    [gzipSync('{"a":1}\n'), 'does not say that it is one'],
    [gzipSync(text.replace(/"entry":"..../, '"entry":"////')), "can't be read"],
    [Buffer.from('hello'), 'not gzip']
  ] as const) {
    writeFileSync(file(), bytes)
    const outcome = await tumesh('a', node, 'backup', file(), '--restore').catch((error) => error)
    expect(outcome.stderr).toContain(reason)
  }
  const absent = bench.path('absent')
  const outcome = await tumesh('a', node, 'backup', absent, '--restore').catch((error) => error)
  expect(outcome.stderr).toBe(`There is no file ${absent}.\n`)
  expect((await send(`${node.url}/healthz`)).status).toBe(200)
})

test('export lists the images, one a line', async () => {
  const node = await filled()
  await tumesh('a', node, 'export', file())
  const lines = readFileSync(file(), 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).path)).toEqual(['1.svg', '2.svg', '3.svg', '4.svg'])
})
