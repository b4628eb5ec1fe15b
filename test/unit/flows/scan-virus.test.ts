import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { ScannerError, ScannerLimit } from '../../../src/content/clamd.ts'
import { ingest } from '../../../src/flows/ingest.ts'
import { remove } from '../../../src/flows/remove.ts'
import { restore } from '../../../src/flows/restore.ts'
import { VirusScanner } from '../../../src/flows/scan-virus.ts'
import { scrub } from '../../../src/flows/scrub.ts'
import { statusOf } from '../../../src/flows/status.ts'
import { eventually } from '../../support/eventually.ts'
import {
  DAY_MS,
  type MemoryNode,
  openMemoryNode,
  TEST_INGEST,
  tinyImage
} from '../../support/memory-node.ts'

const signal = new AbortController().signal
const hashOf = (n: number) => createHash('sha256').update(tinyImage(n)).digest('hex')

let node: MemoryNode
let isThere: boolean
let takesAll: boolean
beforeEach(async () => {
  node = await openMemoryNode()
  isThere = true
  takesAll = false
})
afterEach(() => node.close())

/** Finds the image 13, and takes no image 7, nor the image 8 unless it takes all. */
function scannerOf(absent: 'refuse' | 'accept'): VirusScanner {
  const ask = async (bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
    if (!isThere) throw new ScannerError('clamd is gone')
    const whole = Buffer.concat(await Array.fromAsync(bytes))
    if (whole.includes('<!--7-->')) throw new ScannerError('clamd answers "size limit exceeded"')
    if (whole.includes('<!--8-->') && !takesAll) throw new ScannerLimit('clamd takes less')
    return whole.includes('<!--13-->') ? 'Test.Virus' : undefined
  }
  return new VirusScanner({ ask, flows: node.flows }, { absent, stored: true })
}

async function put(scanner: VirusScanner, n: number): Promise<unknown> {
  const staged = node.store.stageWhole(tinyImage(n))
  const upload = { path: `${n}.svg` as never, replace: 'always' } as const
  return ingest({ ...node.flows, scanner }, TEST_INGEST, staged, upload)
}

test('what the scanner finds is refused and leaves nothing behind', async () => {
  const scanner = scannerOf('refuse')
  await put(scanner, 1)
  await expect(put(scanner, 13)).rejects.toMatchObject({
    ...{ code: 'INFECTED', message: expect.stringContaining('Test.Virus') }
  })
  expect([node.store.placeOf(hashOf(13) as never), node.store.leftovers()]).toEqual([undefined, []])
})

test('without an answer nothing is taken in, and the status says why', async () => {
  const scanner = scannerOf('refuse')
  isThere = false
  await expect(put(scanner, 1)).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  expect([scanner.fault, scanner.unseen()]).toEqual(['clamd is gone', 0])
  isThere = true
  await put(scanner, 1)
  expect(scanner.fault).toBeUndefined()
})

test('what is taken in unseen is scanned later, and blocked if it is bad', async () => {
  const scanner = scannerOf('accept')
  isThere = false
  for (const n of [1, 13, 2]) await put(scanner, n)
  expect(scanner.unseen()).toBe(3)
  await scanner.catchUp(signal)
  expect(scanner.unseen()).toBe(3)
  isThere = true
  await scanner.catchUp(signal)
  expect([scanner.unseen(), scanner.fault]).toEqual([0, undefined])
  await eventually(() => expect(node.flows.index.blob(hashOf(13) as never)?.state).toBe('blocked'))
  expect(node.flows.blocks.get(hashOf(13) as never)?.reason).toBe('virus: Test.Virus')
  expect(node.flows.index.blob(hashOf(1) as never)?.state).toBe('held')
})

test('one that the scanner does not take keeps no others from being scanned', async () => {
  const scanner = scannerOf('accept')
  isThere = false
  for (const n of [7, 1, 13]) await put(scanner, n)
  isThere = true
  for (let minute = 0; minute < 2; minute++) await scanner.catchUp(signal)
  expect(scanner.unseen()).toBe(1)
  expect(scanner.fault).toContain('size limit')
  expect(node.flows.blocks.has(hashOf(13) as never)).toBe(true)
})

test('one that is too large for the scanner is refused with the reason, and no other', async () => {
  const scanner = scannerOf('refuse')
  const tooLarge = { code: 'BLOB_TOO_LARGE', message: expect.stringContaining('StreamMaxLength') }
  await expect(put(scanner, 8)).rejects.toMatchObject(tooLarge)
  expect([scanner.fault, scanner.limit]).toEqual([undefined, tinyImage(8).byteLength])
  // it is there all the same: servers are asked for what is small enough
  for (let n = 0; n < 20; n++) {
    const arrived = scanner.scanArrived(hashOf(8) as never, [tinyImage(8)])
    await expect(arrived).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  }
  expect(scanner.keepsOut).toBe(false)
  const status = () =>
    statusOf({
      flows: { ...node.flows, scanner },
      disk: () => ({ total: 1, used: 0, free: 1, reserved: 0, state: 'ok' }) as never,
      quarantinedFiles: () => 0,
      folderPresent: () => true
    })
  expect(status().causes).toMatchObject([{ code: 'scanner_limit', details: { size: '75 B' } }])
  takesAll = true
  await put(scanner, 8)
  expect([scanner.limit, status().causes]).toEqual([undefined, []])
})

test('those that are too large are scanned once the scanner takes them', async () => {
  const scanner = scannerOf('accept')
  for (const n of [8, 1]) await put(scanner, n)
  await scanner.catchUp(signal)
  expect([scanner.unseen(), scanner.fault]).toEqual([1, undefined])
  takesAll = true
  await scanner.catchUp(signal)
  expect([scanner.unseen(), scanner.limit]).toEqual([0, undefined])
})

test('what is deleted before it is scanned is scanned when it is restored', async () => {
  const scanner = scannerOf('accept')
  isThere = false
  const path = parsePath('13.svg')
  await put(scanner, 13)
  await remove(node.flows, { trashKeepMs: DAY_MS }, path)
  await node.flows.settler.idle()
  isThere = true
  await scanner.catchUp(signal)
  await restore(node.flows, path)
  await scanner.catchUp(signal)
  expect(node.flows.blocks.has(hashOf(13) as never)).toBe(true)
  expect(scanner.unseen()).toBe(0)
})

test('the scrub shows it what it reads', async () => {
  const scanner = scannerOf('refuse')
  await node.put('13.svg', tinyImage(13))
  await node.put('7.svg', tinyImage(7))
  const parts = { ...node.flows, scanner, clock: systemClock }
  await eventually(async () => {
    await scrub(parts, { intervalMs: 1 }, signal)
    expect([...node.flows.blocks.all()].map(({ hash }) => hash)).toEqual([hashOf(13)])
  })
})
