import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionMs } from '../../../protocols/version.ts'
import { adopt, type FoundFiles } from '../../../src/flows/adopt.ts'
import { type LegacyFile, readLegacyIndex } from '../../../src/flows/legacy-index.ts'
import { remove } from '../../../src/flows/remove.ts'
import type { FileStamp } from '../../../src/store/blob-store.ts'
import { planViewName } from '../../../src/store/plan-view-name.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const MINUTE_MS = 60_000

interface Found {
  bytes: Uint8Array
  mtimeMs: number
  /** Called when its last byte was read. */
  onRead?: () => void
}

let node: MemoryNode
let files: Map<string, Found>
let errors: string[]
beforeEach(async () => {
  node = await openMemoryNode()
  files = new Map()
  errors = []
})
afterEach(() => node.close())

const stampOf = ({ bytes, mtimeMs }: Found): FileStamp => ({
  ino: -1,
  size: bytes.byteLength,
  mtimeMs,
  ctimeMs: mtimeMs
})

const found: FoundFiles = {
  async *scan() {
    for (const [name, file] of files) yield { name, ...stampOf(file) }
  },
  open(name) {
    const file = files.get(name)
    if (file === undefined) return undefined
    const stamp = stampOf(file)
    return {
      stamp,
      async *read() {
        yield file.bytes
        file.onRead?.()
      },
      isUnchanged: () => file.mtimeMs === stamp.mtimeMs,
      close: () => {}
    }
  }
}

/** `ageMs` before now. */
function write(name: string, n: number, ageMs = 10 * MINUTE_MS): Found {
  const file = { bytes: tinyImage(n), mtimeMs: node.clock.now() - ageMs }
  files.set(name, file)
  return file
}

/** Runs to its end, with a minute between the passes. */
async function adoptAll(legacy: ReadonlyMap<string, LegacyFile> = new Map()) {
  let isDone = false
  const done = adopt(node.flows, node.options.ingest, found, legacy, {
    signal: new AbortController().signal,
    total: () => {},
    processed: () => {},
    error: (subject, detail) => errors.push(`${subject}: ${detail}`)
  }).finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    if (node.clock.pending > 0) node.clock.advance(MINUTE_MS)
  }
  return done
}

const image = (path: string) => node.flows.index.image(parsePath(path))

describe('the age of a found file', () => {
  test('becomes the version and the time of the image', async () => {
    const { mtimeMs } = write('a.svg', 1)
    expect(await adoptAll()).toMatchObject({ adopted: 1, refused: 0 })
    const entry = image('a.svg')
    expect([versionMs(entry?.version ?? 0n), entry?.createdMs]).toEqual([mtimeMs, mtimeMs])
  })

  test('may lie before 1970', async () => {
    write('a.svg', 1, node.clock.now() + MINUTE_MS)
    expect(await adoptAll()).toMatchObject({ adopted: 1 })
    expect(image('a.svg')?.createdMs).toBe(0)
  })

  test('may lie in the future', async () => {
    write('a.svg', 1, -1000 * MINUTE_MS)
    expect(await adoptAll()).toMatchObject({ adopted: 1 })
    expect(versionMs(image('a.svg')?.version ?? 0n)).toBeLessThanOrEqual(node.clock.now())
  })
})

describe('a file that is still written to', () => {
  test('waits until it is quiet', async () => {
    write('a.svg', 1, 1000)
    write('b.svg', 2)
    expect(await adoptAll()).toMatchObject({ adopted: 2, known: 0 })
  })

  test('is left, and told of, when it never is', async () => {
    const file = write('a.svg', 1, 0)
    file.onRead = () => {
      file.mtimeMs += 1
    }
    file.mtimeMs -= 2 * MINUTE_MS
    expect(await adoptAll()).toMatchObject({ adopted: 0, refused: 1 })
    expect(errors).toEqual([expect.stringMatching(/^a\.svg: .*written/)])
    expect(node.store.placeOf(digest('sha256', tinyImage(1)) as ContentHash)).toBeUndefined()
  })

  test('is refused with its name though others were refused a pass earlier', async () => {
    write('old.txt', 1)
    const young = write('young.svg', 2, 1000)
    young.bytes = Buffer.from('<!doctype html><html></html>')
    expect(await adoptAll()).toMatchObject({ adopted: 0, refused: 2 })
    expect(errors.map((text) => text.split(':')[0])).toEqual(['old.txt', 'young.svg'])
  })
})

test('a found file is left where it is when the view is off', async () => {
  node.view.isOn = false
  node.view.write('a.svg', -1)
  write('a.svg', 1)
  expect(await adoptAll()).toMatchObject({ adopted: 1 })
  expect(node.view.at('a.svg')).toBe('foreign')
})

test('a file that the view made for another path is not taken in', async () => {
  const long = `${'x'.repeat(300)}.svg`
  await node.put(long, tinyImage(1))
  await node.flows.settler.idle()
  const { name } = node.flows.index.view(parsePath(long)) ?? {}
  expect(name).not.toBe(long)
  write(name ?? '', 1)
  expect(await adoptAll()).toMatchObject({ adopted: 0, known: 1, refused: 0 })
  expect(node.flows.index.counts().images).toBe(1)
})

test('a file that an earlier index had shown for another path is not taken in', async () => {
  const long = `${'x'.repeat(300)}.svg`
  await node.put(long, tinyImage(1))
  write(planViewName(parsePath(long), new Set()), 1)
  write(planViewName(parsePath('y/a.svg'), new Set([1])), 1)
  node.view.isOn = false // and so no row of the view is there
  expect(await adoptAll()).toMatchObject({ adopted: 1, known: 1, refused: 0 })
})

test('a file of the view whose image was deleted is put away, one of others stays', async () => {
  for (const path of ['a.svg', 'b.svg']) await node.put(path, tinyImage(1))
  await node.flows.settler.idle()
  for (const path of ['a.svg', 'b.svg']) {
    await remove(node.flows, { trashKeepMs: MINUTE_MS }, parsePath(path))
    write(path, 1)
  }
  // as an index that was lost has left it
  await node.put('c.svg', tinyImage(1))
  const { hash } = image('c.svg') ?? {}
  await node.view.show(parsePath('a.svg'), hash as ContentHash, undefined)
  node.view.write('b.svg')
  expect(await adoptAll()).toMatchObject({ adopted: 0, known: 2, refused: 0 })
  expect(node.view.names().toSorted()).toEqual(['b.svg', 'c.svg'])
  expect(node.view.setAside).toEqual(['a.svg'])
})

test('of two files that are one path in two spellings, the second is refused by name', async () => {
  const [nfd, nfc] = ['e\u0301.svg', '\u00e9.svg']
  write(nfd, 1)
  node.view.write(nfd, -1)
  await adoptAll()
  await node.flows.settler.idle()
  expect(node.view.names()).toEqual([nfd])
  write(nfc, 2)
  expect(await adoptAll()).toMatchObject({ adopted: 0, known: 1, refused: 1 })
  expect(errors).toEqual([`${nfc}: ${nfd} is the same path, spelled otherwise: rename one`])
})

test('names of the earlier index that can not be paths are told with the reason', () => {
  const refused: string[] = []
  const text = JSON.stringify({ 'a.svg': {}, '../b.svg': {}, 'data/images/c//d.svg': {} })
  const legacy = readLegacyIndex(text, (name, reason) => refused.push(`${name}: ${reason}`))
  expect([...legacy.keys()]).toEqual(['a.svg'])
  expect(refused).toEqual([
    expect.stringMatching(/^\.\.\/b\.svg: .*"\.\."/),
    expect.stringMatching(/^data\/images\/c\/\/d\.svg: .*empty part/)
  ])
})

test('a source of the earlier index that is too long is left out, not the image', async () => {
  write('a.svg', 1)
  const legacy = readLegacyIndex(
    JSON.stringify({ 'a.svg': { source_url: `http://example.org/${'x'.repeat(3000)}` } })
  )
  expect(await adoptAll(legacy)).toMatchObject({ adopted: 1, refused: 0 })
  expect(image('a.svg')?.sourceUrl).toBeUndefined()
})
