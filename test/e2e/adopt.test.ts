// A collection that was there before the node: taken in at the first start, with what its index
// knew.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parsePath } from '../../protocols/path.ts'
import { planViewName } from '../../src/store/plan-view-name.ts'
import { makeImage, makeSvg } from '../fixtures/make-images.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { md5, sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'
import { sharesBytes } from '../support/shared-bytes.ts'

const MAIN = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
const API = '/file-sync/api/file-sync'
/** Long ago: younger files may still be written to. */
const MTIME_S = 1_600_000_000

vi.setConfig({ testTimeout: 60_000 })

let bench: Workbench
beforeAll(() => {
  bench = new Workbench()
})
afterAll(() => bench.cleanUp())

function putFile(folder: string, path: string, bytes: Uint8Array | string, mtimeS = MTIME_S): void {
  const file = bench.path(folder, 'images', path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
  utimesSync(file, mtimeS, mtimeS)
}

/** What an earlier program wrote of one image. */
function legacyOf(path: string, bytes: Uint8Array, more: Record<string, unknown> = {}) {
  return {
    path,
    filename: path.split('/').at(-1),
    size: bytes.length,
    hash: md5(bytes),
    created_at: '2019-03-04T05:06:07.000Z',
    source_url: null,
    ...more
  }
}

function putIndex(folder: string, files: readonly ReturnType<typeof legacyOf>[]): string {
  const text = JSON.stringify(Object.fromEntries(files.map((file) => [file.path, file])), null, 2)
  mkdirSync(bench.path(folder, 'metadata'), { recursive: true })
  writeFileSync(bench.path(folder, 'metadata', 'file_index.json'), text)
  return text
}

const metadata = (folder: string, name: string) =>
  readFileSync(bench.path(folder, 'metadata', name), 'utf8')

function blobsIn(folder: string): number {
  const found = readdirSync(bench.path(folder, 'blobs'), { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).length
}

/** While it takes in, an image that it does not know may still turn up. */
async function expectDone({ url }: RealNode): Promise<void> {
  const isDone = async () => expect((await send(`${url}/images/none.svg`)).status).toBe(404)
  await eventually(isDone, { withinMs: 40_000 })
}

async function filesOf({ url }: RealNode): Promise<Map<string, Answer['body']>> {
  const { body } = await send(`${url}${API}/files`)
  return new Map(body.files.map((file: { path: string }) => [file.path, file]))
}

test('300 images with their index, over a kill -9 in the middle', async () => {
  const images = new Map(
    Array.from({ length: 300 }, (_, n) => {
      const path = n % 3 === 0 ? `${n}.svg` : n % 3 === 1 ? `2019/${n}.svg` : `a/b c/图${n}.svg`
      return [path, makeSvg({ seed: n % 250 })] // some have the same bytes
    })
  )
  for (const [n, [path, bytes]] of [...images].entries()) putFile('old', path, bytes, MTIME_S + n)
  const source = (path: string) => `https://example.org/${encodeURIComponent(path)}`
  const legacy = [...images].map(([path, bytes]) =>
    legacyOf(path, bytes, { source_url: source(path) })
  )
  const text = putIndex('old', legacy)

  const first = bench.spawn('old')
  await eventually(() => expect(blobsIn('old')).toBeGreaterThan(20))
  await first.end('SIGKILL')
  expect(blobsIn('old'), 'it was in the middle').toBeLessThan(250)
  const node = await bench.start('old')
  await expectDone(node)
  const files = await filesOf(node)
  expect([...files.keys()].sort()).toEqual([...images.keys()].sort())
  for (const [n, [path, bytes]] of [...images].entries()) {
    expect(files.get(path)).toMatchObject({
      sha256: sha256(bytes),
      hash: md5(bytes),
      state: 'ok',
      source_url: source(path),
      created_at: '2019-03-04T05:06:07.000Z',
      modified_at: new Date((MTIME_S + n) * 1000).toISOString()
    })
    const blob = bench.path('old', 'blobs', sha256(bytes).slice(0, 2), sha256(bytes))
    expect(sharesBytes(bench.path('old', 'images', path), blob)).toBe(true)
    expect(statSync(bench.path('old', 'images', path)).mode & 0o222).toBe(0)
  }
  await expectSoundFolder(node.url, bench.path('old'))
  expect(metadata('old', 'file_index.earlier.json')).toBe(text)

  await node.end('SIGTERM')
  const index = JSON.parse(metadata('old', 'file_index.json'))
  expect(Object.keys(index.files).sort()).toEqual([...images.keys()].sort())
  expect(metadata('old', 'file_index.earlier.json')).toBe(text)
})

test('what is not taken in stays where it is, and is told', async () => {
  const [good, changed, unlisted] = [1, 2, 3].map((seed) => makeSvg({ seed })) as [
    Buffer,
    Buffer,
    Buffer
  ]
  const left: Record<string, Uint8Array | string> = {
    'page.jpg': '<!DOCTYPE html><html><body>not found</body></html>',
    'really-a-png.jpg': await makeImage('png'),
    'notes.txt': 'some notes',
    'dir/half.jpg.part': good,
    '.hidden.svg': good
  }
  for (const [path, bytes] of Object.entries(left)) putFile('mixed', path, bytes)
  putFile('mixed', 'good.svg', good)
  putFile('mixed', 'dir/changed.svg', changed)
  putFile('mixed', 'unlisted.svg', unlisted)
  putIndex('mixed', [
    legacyOf('good.svg', good),
    legacyOf('dir/changed.svg', changed, { hash: md5(good) }),
    legacyOf('absent.svg', good),
    legacyOf('page.jpg', Buffer.from(left['page.jpg'] as string))
  ])

  const node = await bench.start('mixed')
  await expectDone(node)
  const files = await filesOf(node)
  expect([...files.keys()].sort()).toEqual(['dir/changed.svg', 'good.svg', 'unlisted.svg'])
  expect(files.get('dir/changed.svg').hash).toBe(md5(changed))
  expect(files.get('unlisted.svg')).toMatchObject({
    source_url: null,
    created_at: new Date(MTIME_S * 1000).toISOString()
  })
  for (const [path, bytes] of Object.entries(left)) {
    expect(readFileSync(bench.path('mixed', 'images', path)).equals(Buffer.from(bytes))).toBe(true)
    expect((await send(`${node.url}/images/${path}`)).status).not.toBe(200)
  }

  const warnings = await eventually(() => {
    const lines = node.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const found = lines.filter(({ level }) => level === 40)
    expect(found.at(-1)?.msg).toMatch(/^took in 3 images/)
    return found
  })
  expect(warnings.at(-1)).toMatchObject({ adopted: 3, refused: 3, absent: 1, changed: 1 })
  expect(
    warnings
      .filter(({ reason }) => reason)
      .map(({ path }) => path)
      .sort()
  ).toEqual(['notes.txt', 'page.jpg', 'really-a-png.jpg'])
  expect(warnings.map(({ path }) => path)).toContain('absent.svg')

  await node.end('SIGTERM')
  const journal = JSON.parse(metadata('mixed', 'sync_log.json'))
  expect(journal.find(({ path }: { path: string }) => path === 'dir/changed.svg')).toMatchObject({
    event: 'adopted',
    note: expect.stringContaining(md5(good))
  })
  for (const path of Object.keys(left))
    expect(existsSync(bench.path('mixed', 'images', path))).toBe(true)

  const again = await bench.start('mixed')
  expect((await send(`${again.url}/images/none.svg`)).status, 'nothing is left to do').toBe(404)
  expect((await filesOf(again)).size).toBe(3)
  await again.end('SIGTERM')
})

test('an index that is no JSON keeps nobody from his images', async () => {
  putFile('broken', 'a.svg', makeSvg({ seed: 1 }))
  mkdirSync(bench.path('broken', 'metadata'))
  writeFileSync(bench.path('broken', 'metadata', 'file_index.json'), '{"a.svg": {"path')
  const node = await bench.start('broken')
  await expectDone(node)
  expect([...(await filesOf(node)).keys()]).toEqual(['a.svg'])
  expect(metadata('broken', 'file_index.earlier.json')).toBe('{"a.svg": {"path')
  await node.end('SIGTERM')
})

test('nor does one that is too large, as that of a million images whose database was lost', async () => {
  putFile('large', 'a.svg', makeSvg({ seed: 1 }))
  mkdirSync(bench.path('large', 'metadata'))
  const file = bench.path('large', 'metadata', 'file_index.json')
  writeFileSync(file, '{')
  truncateSync(file, 300 * 2 ** 20)
  const node = await bench.start('large')
  await expectDone(node)
  expect([...(await filesOf(node)).keys()]).toEqual(['a.svg'])
  await node.end('SIGTERM')
})

describe('tumesh adopt', () => {
  let node: RealNode
  beforeAll(async () => {
    node = await bench.start('command')
    for (const [path, seed] of Object.entries({ 'a.svg': 11, 'b c/d.svg': 12, 'b c/图.svg': 13 })) {
      putOutside(path, makeSvg({ seed }))
    }
    putOutside('page.jpg', '<!DOCTYPE html><html></html>')
    putOutside('notes.txt', 'notes')
    putOutside('half.svg.part', 'half')
    symlinkSync('a.svg', outside('link.svg'))
  })

  const outside = (path: string) => bench.path('outside', path)

  function putOutside(path: string, bytes: Uint8Array | string): void {
    mkdirSync(dirname(outside(path)), { recursive: true })
    writeFileSync(outside(path), bytes)
    utimesSync(outside(path), MTIME_S, MTIME_S)
  }

  async function run(...words: string[]) {
    const target = ['--url', node.url, '--data', bench.path('command')]
    const child = spawn(process.execPath, [MAIN, 'adopt', ...words, ...target], {
      cwd: bench.folder,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close')
    ])
    return { code, stdout, stderr }
  }

  test('takes in a folder from elsewhere, says what it refused, and takes nothing twice', async () => {
    const first = await run('outside')
    expect([first.code, first.stderr]).toEqual([1, expect.stringMatching(/task adopt_/)])
    expect(first.stdout).toContain('✓ 3 new, 0 held already, 3 refused')
    expect(first.stdout).toMatch(/✗ page\.jpg: .*HTML/)
    const list = /All that were refused: (.*)$/m.exec(first.stdout)?.[1] ?? ''
    expect(readFileSync(list, 'utf8').trim().split('\n').sort()).toEqual([
      '"link.svg" it is a symbolic link, and none is followed',
      expect.stringMatching(/^"notes\.txt" .*extension/),
      expect.stringMatching(/^"page\.jpg" .*HTML/)
    ])
    const files = await filesOf(node)
    expect([...files.keys()].sort()).toEqual(['a.svg', 'b c/d.svg', 'b c/图.svg'])
    expect(files.get('a.svg')).toMatchObject({
      sha256: sha256(makeSvg({ seed: 11 })),
      created_at: new Date(MTIME_S * 1000).toISOString()
    })
    expect(sharesBytes(outside('a.svg'), bench.path('command', 'images', 'a.svg'))).toBe(false)
    expect((await run('outside')).stdout).toContain('✓ 0 new, 3 held already, 3 refused')
  })

  test('does not replace an image, nor bring one back that was deleted later', async () => {
    putOutside('a.svg', makeSvg({ seed: 14 }))
    await send(`${node.url}/images/b%20c/d.svg`, { method: 'DELETE' })
    const { stdout } = await run('outside')
    expect(stdout).toContain('✓ 0 new, 1 held already, 5 refused')
    expect(stdout).toMatch(/✗ a\.svg: another image has the path a\.svg here/)
    expect(stdout).toMatch(/✗ b c\/d\.svg: it was deleted here after that/)
  })

  test('links files that nobody changes, where it is told to', async () => {
    putOutside('linked/x.svg', makeSvg({ seed: 15 }))
    const { code, stdout } = await run('--link', 'outside/linked')
    expect(code).toBe(0)
    expect(stdout).toContain('✓ 1 new, 0 held already, 0 refused')
    expect(sharesBytes(outside('linked/x.svg'), bench.path('command', 'images', 'x.svg'))).toBe(
      true
    )
    expect(statSync(outside('linked/x.svg')).mode & 0o222).toBe(0)
    await expectSoundFolder(node.url, bench.path('command'), [sha256(makeSvg({ seed: 12 }))])
  })

  test('images/ of another node has names that say the paths', async () => {
    const name = planViewName(parsePath('y.svg'), new Set([0]))
    putOutside(`other/${name}`, makeSvg({ seed: 17 }))
    expect((await run('outside/other')).stdout).toContain('✓ 1 new, 0 held already, 0 refused')
    expect((await filesOf(node)).get('y.svg').sha256).toBe(sha256(makeSvg({ seed: 17 })))
  })

  test('takes in a folder of images/ in place', async () => {
    putFile('command', 'in/place.svg', makeSvg({ seed: 16 }))
    const { stdout } = await run('command/images/in')
    expect(stdout).toMatch(/✓ [01] new, [01] held already, 0 refused/)
    expect((await filesOf(node)).get('in/place.svg').sha256).toBe(sha256(makeSvg({ seed: 16 })))
  })

  test('says why a folder can not be taken in', async () => {
    for (const [folder, why] of [
      ['absent', "can't be read (ENOENT)"],
      ['outside/a.svg', "can't be read (ENOTDIR)"],
      ['.', 'contains the data folder'],
      ['command/blobs', 'belongs to this node']
    ] as const) {
      const { code, stderr } = await run(folder)
      expect([code, stderr]).toEqual([1, expect.stringContaining(why)])
    }
  })

  test('is for programs of the same machine alone, and its tasks are listed', async () => {
    const key = readFileSync(bench.path('command', 'metadata', 'local.key'), 'utf8').trim()
    const forwarded = await send(`${node.url}/api/adopt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '10.0.0.9' },
      body: JSON.stringify({ folders: ['/etc'] })
    })
    expect([401, 403]).toContain(forwarded.status)
    const authorization = `Bearer ${key}`
    const { body } = await send(`${node.url}${API}/tasks`, { headers: { authorization } })
    const kinds = body.tasks.map(({ kind }: { kind: string }) => kind)
    expect(kinds.filter((kind: string) => kind === 'adopt').length).toBeGreaterThan(2)
  })
})
