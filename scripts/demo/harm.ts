// The steps in which something goes wrong, and heals.

import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatTime, timed } from './account.ts'
import { comesTrue, NotSo } from './comes-true.ts'
import type { DemoNode, ListedFile } from './demo-node.ts'
import { makePicture, type Picture } from './pictures.ts'
import { expectRight, holdsAll, type Stage, seesOthers } from './stage.ts'

const REPLACED = 'photos/black-canyon.jpg'
const DELETED = 'photos/nagasaki-boats.jpg'
const DAMAGED = ['photos/acanthus-mollis.jpg', 'photos/dust-bowl-home.jpg']
const LOST = [
  'photos/allium-oreophilum.jpg',
  'photos/french-alpine-landscape.jpg',
  'photos/locomotion-house-cat.jpg'
]
const ADDED = 10
/** Shorter than nodes wait for a sign of life from each other: the connections stay. */
const FROZEN_MS = 3_000
const SILENCE_MS = 500
/** A server that came back a moment ago may not have said hello to all others yet. */
const TOLD_MS_MAX = 5_000

export async function killOne({ account, a, b, c, start }: Stage): Promise<void> {
  account.step('c is killed with kill -9')
  await c.kill()
  account.done(await timed(() => seesOthers([a, b], 1)), 'later a and b know that it is gone')

  const fresh = { ...(await makePicture('fresh.jpeg', 900)), path: REPLACED }
  const added = await makeMany('while-c-was-away')
  const changeMs = await timed(async () => {
    await a.put(fresh)
    await b.remove(DELETED)
    await putInto([a, b], added)
  })
  account.done(changeMs, `without it one image is replaced, one deleted, and ${ADDED} are added`)

  const absent = await timed(async () => {
    const { servers } = await a.why(fresh.path)
    const told = servers.map(({ name, has, state }) => `${name} ${has ? 'has it' : state}`)
    if (told.join(', ') === 'a has it, b has it, c unreachable') return
    throw new NotSo(`a says of the replaced image: ${told.join(', ')}`)
  })
  account.done(absent, 'a is asked why c lacks the new bytes, and says since when c is away')

  account.done(await timed(() => start(c)), 'c is started again')
  const total = (await a.status()).total_files
  const wholeMs = await timed(() => holdsAll(c, total))
  for (const picture of [fresh, ...added]) await expectRight(c, picture)
  const { status } = await c.read(DELETED)
  if (status !== 410) throw new NotSo(`c answers ${status} for the deleted image, not 410`)
  account.done(
    wholeMs,
    `later it has all ${total} images: the ${ADDED} new ones too, and the new bytes of the ` +
      'replaced one; to the deleted one it answers 410 Gone'
  )
}

export async function flipBytes({ account, a, b }: Stage): Promise<void> {
  account.step('On the disk of b a byte goes bad in each of two photographs')
  const [first, second] = (await imagesOf(b, DAMAGED)) as [ListedFile, ListedFile]
  const bad = [first, second].map(({ sha256 }) => flipByte(b.blobFile(sha256)))

  const readMs = await timed(() => expectRight(b, first))
  account.done(readMs, 'b is asked for the first, notices, and serves the right bytes')

  let action: string | undefined
  const verifyMs = await timed(async () => {
    const { corrupted_files } = await b.verify([second.path])
    action = corrupted_files.find(({ path }) => path === second.path)?.action
  })
  const healer = /^repaired_from:(.+)$/.exec(action ?? '')?.[1]
  if (healer === undefined) throw new NotSo(`b verified ${second.path} and says: ${action}`)

  const kept = readdirSync(b.path('quarantine')).map((name) => sha256Of(b.path('quarantine', name)))
  if (bad.some((hash) => !kept.includes(hash))) throw new NotSo('b has not kept the bad bytes')
  for (const image of [first, second]) await expectWholeOnDisk(b, image)
  account.done(
    verifyMs,
    `b verifies the second, and repairs it with the bytes of ${healer}; the bad bytes of both ` +
      'are in its quarantine, the files are right again'
  )
  const askMs = await timed(() => expectHealed(a, b, [first, second]))
  account.done(askMs, 'a is asked who has them: all three, and b has verified its copies since')
}

export async function loseFiles({ account, a, b }: Stage): Promise<void> {
  account.step(`On the disk of a the files of ${LOST.length} photographs are deleted`)
  const images = await imagesOf(a, LOST)
  for (const { path, sha256 } of images) {
    rmSync(a.blobFile(sha256))
    rmSync(a.path('images', path))
  }
  const [first, ...others] = images as [ListedFile, ...ListedFile[]]
  const readMs = await timed(() => expectRight(a, first))
  account.done(readMs, 'a is asked for one of them, and serves it all the same')

  let verified = 0
  const verifyMs = await timed(async () => {
    const { verified_files, repaired_files } = await a.verify()
    verified = verified_files
    const left = others.filter(({ path }) => !repaired_files.includes(path))
    if (left.length > 0) throw new NotSo(`a has not repaired ${left.map(({ path }) => path)}`)
  })
  for (const image of images) await expectWholeOnDisk(a, image)
  account.done(
    verifyMs,
    `a verifies all ${verified} images, and gets the rest back from the others`
  )
  const askMs = await timed(() => expectHealed(b, a, images))
  account.done(askMs, 'b is asked who has them: all three, and a has verified its copies since')
}

export async function freezeOne({ account, a, b, c }: Stage): Promise<void> {
  account.step('c is frozen: its connections stay, but it answers nobody')
  const added = await makeMany('while-c-was-frozen')
  const total = (await a.status()).total_files + ADDED
  c.signal('SIGSTOP')
  const begin = performance.now()
  if (await c.answersWithin(SILENCE_MS)) throw new NotSo('c answers although it is frozen')
  const onMs = await timed(async () => {
    await putInto([a, b], added)
    await Promise.all([a, b].map((node) => holdsAll(node, total)))
  })
  for (const node of [a, b]) for (const picture of added) await expectRight(node, picture)
  account.done(onMs, `a and b take ${ADDED} images meanwhile, and both have all of them`)
  await sleep(Math.max(0, FROZEN_MS - (performance.now() - begin)))
  c.signal('SIGCONT')
  const frozen = formatTime(performance.now() - begin)
  const wholeMs = await timed(() => holdsAll(c, total))
  for (const picture of added) await expectRight(c, picture)
  account.done(wholeMs, `after c goes on again, frozen for ${frozen}, it has them too`)
}

export async function loseMarker({ account, a, b }: Stage): Promise<void> {
  account.step('The disk of b is not the one that it was: its marker is gone')
  const [marker, away] = [b.path('.tumesh'), b.path('.tumesh-away')]
  const picture = await makePicture('onto-another-disk.jpeg')
  renameSync(marker, away)
  const refusedMs = await timed(async () => {
    const { status, detail } = await b.refuses(picture)
    if (status !== 503) throw new NotSo(`b refuses with ${status}: ${detail}`)
  })
  account.done(refusedMs, 'b refuses an upload with 503, and asks whether its disk is mounted')

  const { status, status_reasons } = await b.status()
  const isSaid = status_reasons.some((reason) => reason.includes('marker'))
  if (status !== 'critical' || !isSaid) throw new NotSo(`b says: ${status}, ${status_reasons}`)
  const [image] = (await imagesOf(b, LOST)) as [ListedFile, ...ListedFile[]]
  account.done(await timed(() => expectRight(b, image)), 'its status is critical; it serves on')

  renameSync(away, marker)
  const total = (await a.status()).total_files + 1
  const backMs = await timed(async () => {
    await b.put(picture)
    await Promise.all([a, b].map((node) => holdsAll(node, total)))
    const now = await b.status()
    if (now.status !== 'healthy') throw new NotSo(`b says: ${now.status}, ${now.status_reasons}`)
  })
  account.done(backMs, 'the marker is back: b takes the image, all have it, and b is healthy')
}

/** By what `node` says of images that were harmed on the disk of `harmed`. */
async function expectHealed(
  node: DemoNode,
  harmed: DemoNode,
  images: readonly ListedFile[]
): Promise<void> {
  for (const { path } of images) {
    const { history } = await harmed.why(path)
    const harm = history.findLast(({ event }) => event === 'damaged' || event === 'missing')
    if (harm === undefined) throw new NotSo(`${harmed.name} knows of no harm to ${path}`)
    await comesTrue({ withinMs: TOLD_MS_MAX }, async () => {
      const { servers } = await node.why(path)
      const lacking = servers.find(({ has }) => !has)
      if (lacking) return `${path} is not on ${lacking.name}, says ${node.name}: ${lacking.reason}`
      const { verified_at } = servers.find(({ name }) => name === harmed.name) ?? {}
      if (verified_at && verified_at >= harm.at) return undefined
      return `${harmed.name} verified ${path} at ${verified_at}, before ${harm.at}`
    })
  }
}

async function makeMany(folder: string): Promise<Picture[]> {
  const names = Array.from({ length: ADDED }, (_, n) => `${folder}/${n}.jpeg`)
  return Promise.all(names.map((name) => makePicture(name)))
}

async function putInto(nodes: readonly DemoNode[], pictures: readonly Picture[]): Promise<void> {
  await Promise.all(pictures.map((picture, n) => nodes[n % nodes.length]?.put(picture)))
}

async function imagesOf(node: DemoNode, paths: readonly string[]): Promise<readonly ListedFile[]> {
  const files = await node.files()
  return paths.map((path) => {
    const file = files.find((one) => one.path === path)
    if (file === undefined) throw new NotSo(`${node.name} does not list ${path}`)
    return file
  })
}

/** Changes one bit in the middle, whatever the file's mode says; the SHA-256 of what it is now. */
function flipByte(file: string): string {
  const bytes = readFileSync(file)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  chmodSync(file, 0o644)
  writeFileSync(file, bytes)
  chmodSync(file, 0o444)
  return sha256Of(file)
}

async function expectWholeOnDisk(node: DemoNode, { path, sha256 }: ListedFile): Promise<void> {
  for (const file of [node.blobFile(sha256), node.path('images', path)]) {
    if (existsSync(file) && sha256Of(file) === sha256) continue
    throw new NotSo(`${file} is not whole`)
  }
}

function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
