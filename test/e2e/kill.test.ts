// kill -9 between any two steps: nothing acknowledged is lost, nothing half-done is visible after
// the restart.

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FAIL_POINTS, type FailPoint } from '../../src/base/fail-point.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, postJson, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'
import { sampleOfKills } from '../support/sample-of-kills.ts'

const SVG = (text: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`)
const LARGE = (text: string) => Buffer.concat([SVG(text), Buffer.alloc(1_000_000, ' ')])
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

interface Operation {
  /** What the folder holds before: path -> bytes. */
  readonly before: Readonly<Record<string, Uint8Array>>
  readonly deleted?: readonly string[]
  readonly run: (url: string) => Promise<Answer>
  readonly after: Readonly<Record<string, Uint8Array>>
  readonly points: readonly FailPoint[]
}

const a = SVG('a')
const b = SVG('b')
const large = LARGE('large')
const PUBLISH: FailPoint[] = ['stage:opened', 'stage:written', 'publish:linked', 'publish:durable']
const CHANGE: FailPoint[] = ['change:planned', 'change:written', 'settle:started']

const OPERATIONS: Readonly<Record<string, Operation>> = {
  upload: {
    before: { 'old.svg': b },
    run: (url) => put(url, 'dir/new.svg', a),
    after: { 'old.svg': b, 'dir/new.svg': a },
    points: [...PUBLISH, ...CHANGE, 'settle:view-linked', 'publish:cleaned']
  },
  'upload of a large image': {
    before: {},
    run: (url) => put(url, 'new.svg', large),
    after: { 'new.svg': large },
    points: ['stage:opened', 'stage:written', 'publish:linked']
  },
  replace: {
    before: { 'x.svg': a },
    run: (url) => put(url, 'x.svg', b),
    after: { 'x.svg': b },
    points: [
      'publish:durable',
      ...CHANGE,
      'settle:view-linked',
      'settle:blob-moved',
      'settle:ended'
    ]
  },
  delete: {
    before: { 'x.svg': a, 'y.svg': b },
    run: (url) => send(`${url}/images/x.svg`, { method: 'DELETE' }),
    after: { 'y.svg': b },
    points: [...CHANGE, 'settle:view-unlinked', 'settle:blob-moved', 'settle:ended']
  },
  purge: {
    before: { 'x.svg': a },
    run: (url) => send(`${url}/images/x.svg?purge=true`, { method: 'DELETE' }),
    after: {},
    points: ['change:written', 'settle:view-unlinked', 'settle:blob-moved']
  },
  move: {
    before: { 'x.svg': a },
    run: (url) => postJson(`${url}/api/move`, { from: 'x.svg', to: 'far/z.svg' }),
    after: { 'far/z.svg': a },
    points: [...CHANGE, 'settle:view-linked', 'settle:view-unlinked', 'settle:ended']
  },
  restore: {
    before: { 'x.svg': a },
    deleted: ['x.svg'],
    run: (url) => postJson(`${url}/api/restore`, { path: 'x.svg' }),
    after: { 'x.svg': a },
    points: [
      'change:planned',
      'change:written',
      'settle:blob-moved',
      'settle:started',
      'settle:view-linked'
    ]
  }
}

test('there is no place at which none of these is killed', () => {
  const killedAt = Object.values(OPERATIONS).flatMap(({ points }) => points)
  expect([...new Set(killedAt)].sort()).toEqual([...FAIL_POINTS].sort())
})

for (const [at, [name, operation]] of Object.entries(OPERATIONS).entries()) {
  describe(`kill -9 in the middle of: ${name}`, () => {
    test.each(sampleOfKills(operation.points, at))('at %s', { timeout: 60_000 }, async (point) => {
      const bench = new Workbench()
      try {
        await killAt(bench, operation, point)
      } finally {
        await bench.cleanUp()
      }
    })
  })
}

async function killAt(bench: Workbench, operation: Operation, point: FailPoint): Promise<void> {
  const env = { TUMESH_FAIL_POINT: point }
  let node = await bench.start('a', { env })
  for (const [path, bytes] of Object.entries(operation.before)) {
    expect((await put(node.url, path, bytes)).status).toBe(201)
  }
  for (const path of operation.deleted ?? []) {
    expect((await send(`${node.url}/images/${path}`, { method: 'DELETE' })).status).toBe(200)
  }
  if (point === 'settle:ended') {
    // the node closes intents behind its answers: those of the preparation must be closed before
    expect((await node.end('SIGTERM')).code).toBe(0)
    node = await bench.start('a', { env })
  }
  await arm(node)

  const answer = await operation.run(node.url).catch(() => undefined)
  const { signal } = await node.ended()
  expect(signal, 'the point was reached').toBe('SIGKILL')

  const next = await bench.start('a')
  const paths = await pathsOf(next.url)
  const before = Object.keys(operation.before).filter((path) => !operation.deleted?.includes(path))
  const isDone =
    paths.join() === Object.keys(operation.after).sort().join() &&
    (await holds(next.url, operation.after))
  if (answer !== undefined) expect(isDone, 'what was acknowledged is there').toBe(true)
  if (!isDone) expect(paths).toEqual(before.sort())
  await expectSoundFolder(next.url, bench.path('a'), trashOf(operation, isDone))
  await next.end('SIGTERM')
}

async function arm(node: RealNode): Promise<void> {
  node.child.kill('SIGUSR2')
  await eventually(() => expect(node.stdout).toContain('armed'))
}

async function pathsOf(url: string): Promise<string[]> {
  const { body } = await send(`${url}/file-sync/api/file-sync/files`)
  return body.files.map(({ path }: { path: string }) => path).sort()
}

async function holds(url: string, images: Readonly<Record<string, Uint8Array>>): Promise<boolean> {
  const found = await Promise.all(Object.keys(images).map((path) => fetch(`${url}/images/${path}`)))
  const bodies = await Promise.all(found.map((answer) => answer.arrayBuffer()))
  return Object.values(images).every((bytes, n) =>
    Buffer.from(bodies[n] as ArrayBuffer).equals(bytes)
  )
}

/** Earlier versions that are kept; a purge keeps none. */
function trashOf({ before, after, deleted }: Operation, isDone: boolean): string[] {
  const was = Object.values(before).map(sha256)
  const live = new Set(Object.values(isDone ? after : before).map(sha256))
  if (!isDone) return (deleted ?? []).map((path) => sha256(before[path] as Uint8Array))
  const isPurge = Object.keys(after).length === 0 && deleted === undefined
  return isPurge ? [] : was.filter((hash) => !live.has(hash))
}
