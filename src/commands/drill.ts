// tumesh drill: does real harm to images of its own on a running node, and times how it heals.

import { hash as digest } from 'node:crypto'
import { randomHex, systemRandom } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { flipBit, removeBlob } from './harm.ts'
import { callNode, type NodeTarget, openNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, type Terminal } from './terminal.ts'

const FOLDER = 'tumesh-drill'
const WAIT_S = 30
/** Larger than what is kept in memory for readers. */
const IMAGE_BYTES = 700_000

interface Step {
  readonly what: string
  readonly ok: boolean
  readonly ms: number
  /** What went wrong. */
  readonly why?: string
}

interface TestImage {
  readonly path: string
  readonly sha256: string
  readonly text: string
}

/** Exit code 1 if something did not heal. */
export async function runDrill(order: Order, terminal: Terminal): Promise<number> {
  const { target, isJson } = order
  const { out, clock } = terminal
  const data = target.data ?? './data'
  const others = await serversOf(target)
  const image = testImage(`${randomHex(systemRandom, 6)}.svg`)
  const steps: Step[] = []
  const step = async (what: string, act: () => Promise<void>) => {
    const begunMs = clock.monotonicMs()
    const why = await act().then(
      () => undefined,
      (error: Error) => error.message
    )
    const ms = Math.round(clock.monotonicMs() - begunMs)
    steps.push({ what, ok: why === undefined, ms, ...(why !== undefined && { why }) })
    return why === undefined
  }
  try {
    const isThere = await step(`an image comes to all ${others + 1} servers`, () =>
      addEverywhere(target, image, others + 1)
    )
    if (isThere) await doHarm({ target, data, image, step })
  } finally {
    await purge(target, image).catch(() => {})
  }
  out(isJson ? `${JSON.stringify(steps)}\n` : textOf(steps))
  return steps.every(({ ok }) => ok) ? 0 : 1
}

interface Scene {
  readonly target: NodeTarget
  readonly data: string
  readonly image: TestImage
  readonly step: (what: string, act: () => Promise<void>) => Promise<boolean>
}

async function doHarm({ target, data, image, step }: Scene): Promise<void> {
  const { path, sha256 } = image
  await step('a bit is flipped on its disk: a reader gets the right bytes', async () => {
    flipBit(data, sha256)
    await expectImage(target, image)
  })
  await step('the damaged file is right again', () => repaired(target, path))
  await step('its file is removed: a reader gets the right bytes', async () => {
    removeBlob(data, sha256)
    await expectImage(target, image)
  })
  await step('the file is back', () => repaired(target, path))
  await step('the image is deleted: readers are told that it is gone', async () => {
    await callNode(target, 'DELETE /images/{path}', { path: { path } })
    const status = await statusOf(target, path)
    if (status !== 410) throw new Error(`it answers ${status}, not 410`)
  })
  await step('it is restored', async () => {
    await callNode(target, 'POST /api/restore', { body: { path } })
    await expectImage(target, image)
  })
}

/** How many others are there; without any nothing can heal. */
async function serversOf(target: NodeTarget): Promise<number> {
  const storage = await callNode(target, 'GET /api/storage-status')
  const servers = 'servers' in storage ? storage.servers : []
  const there = servers.filter(({ status }) => ['online', 'syncing'].includes(status))
  if (there.length > 0) return there.length
  throw new NodeError(
    'NOT_AVAILABLE',
    'No other server is connected: what is harmed here would be lost. Start a second node first.'
  )
}

function testImage(name: string): TestImage {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><!-- ${name} -->`
  const text = `${head}${' '.repeat(IMAGE_BYTES)}</svg>`
  return { path: `${FOLDER}/${name}`, sha256: digest('sha256', text), text }
}

async function addEverywhere(target: NodeTarget, image: TestImage, count: number): Promise<void> {
  const answer = await openNode(target, 'PUT /images/{path}', {
    path: { path: image.path },
    query: { wait: `replicas:${count}`, timeout: WAIT_S },
    bytes: () => image.text
  })
  await answer.body?.cancel()
  if (answer.status !== 201) throw new Error(`not all had it after ${WAIT_S} s`)
}

function purge(target: NodeTarget, { path }: TestImage): Promise<unknown> {
  return callNode(target, 'DELETE /images/{path}', { path: { path }, query: { purge: true } })
}

async function expectImage(target: NodeTarget, { path, sha256 }: TestImage): Promise<void> {
  const answer = await openNode(target, 'GET /images/{path}', { path: { path } })
  const found = digest('sha256', Buffer.from(await answer.arrayBuffer()))
  if (found !== sha256) throw new Error('the bytes are not those of the image')
}

async function repaired(target: NodeTarget, path: string): Promise<void> {
  const lost = (await verified(target, path)).unrepairable_files
  if (lost.length > 0) throw new Error('no server could repair it')
  const again = await verified(target, path)
  if (again.valid_files !== 1) throw new Error('it is not right on the disk')
}

async function verified(target: NodeTarget, path: string) {
  const body = { paths: [path] }
  const answer = await callNode(target, 'POST /file-sync/api/file-sync/verify', { body })
  if ('valid_files' in answer) return answer
  throw new Error('reading it takes too long')
}

async function statusOf(target: NodeTarget, path: string): Promise<number> {
  try {
    const answer = await openNode(target, 'GET /images/{path}', { path: { path } })
    await answer.body?.cancel()
    return answer.status
  } catch (error) {
    const { details } = error as NodeError
    return Number(details.status)
  }
}

function textOf(steps: readonly Step[]): string {
  const rows = steps.map(({ what, ok, ms, why }) => [
    ok ? '✓' : '✗',
    `${ms} ms`.padStart(9),
    why === undefined ? what : `${what}: ${why}`
  ])
  const isWell = steps.every(({ ok }) => ok)
  return `${columns(rows)}${isWell ? 'All of it healed; the trash of other servers keeps the image for a while.' : 'Not all of it healed.'}\n`
}
