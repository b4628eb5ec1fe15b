// The steps in which nothing goes wrong: nodes meet, images spread.

import { formatSize } from '../../src/base/units.ts'
import { formatTime, timed } from './account.ts'
import { comesTrue, NotSo } from './comes-true.ts'
import type { DemoNode } from './demo-node.ts'
import { makePicture, type Picture } from './pictures.ts'
import { expectRight, readable, type Stage, seesOthers } from './stage.ts'

const COPY_MS_MAX = 120_000
/** So many uploads each node gets at one time. */
const UPLOADS_AT_ONCE = 2
const TIMED_UPLOADS = 20

export async function meet({ account, a, b, c, start }: Stage): Promise<void> {
  account.step('Three nodes start and meet')
  const startMs = await timed(async () => {
    await start(a)
    await Promise.all([start(b), start(c)])
  })
  account.done(startMs, 'a, b and c run, each with a data folder of its own')
  const meetMs = await timed(() => seesOthers([a, b, c], 2))
  account.done(meetMs, 'later each is connected with both others')
}

/** `makeImages` gives those that go in, and says what they are. */
export async function fill(
  stage: Stage,
  makeImages: () => Promise<readonly Picture[]>
): Promise<void> {
  const { account, a, b, c } = stage
  const nodes = [a, b, c]
  account.step('Images go into all three at once')
  account.live('making images')
  let pictures: readonly Picture[] = []
  const madeMs = await timed(async () => {
    pictures = await makeImages()
  })
  const sizes = pictures.map((picture) => picture.bytes)
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const range = `${formatSize(Math.min(...sizes))} to ${formatSize(Math.max(...sizes))}`
  const photos = pictures.filter(({ path }) => path.startsWith('photos/')).length
  const made = `${photos} photographs, ${pictures.length - photos} made images`
  account.done(madeMs, `${made}: ${range}, ${formatSize(bytes)} in all`)
  const begin = performance.now()

  async function look(): Promise<string | undefined> {
    const states = await Promise.all(nodes.map((node) => node.status()))
    const held = states.reduce((sum, { local_size }) => sum + local_size, 0)
    const rate = formatSize((held / (performance.now() - begin)) * 1000)
    const each = states.map(({ local_files, local_size }, n) => {
      const share = `${local_files}/${pictures.length}`.padStart(5)
      return `${nodes[n]?.name} ${share} ${formatSize(local_size).padEnd(8)}`
    })
    account.live(`${each.join('   ')}   ${rate}/s`)
    const seen = `there are ${each.join(', ').replaceAll(/ +/g, ' ')}`
    return states.every(({ local_files }) => local_files === pictures.length) ? undefined : seen
  }

  const uploads = nodes.map((node, n) =>
    putAll(
      node,
      pictures.filter((_, at) => at % nodes.length === n)
    )
  )
  const whole = comesTrue({ withinMs: COPY_MS_MAX, everyMs: 100 }, look)
  const wholeMs = await timed(() => Promise.all([...uploads, whole]))
  const copied = formatSize(2 * bytes)
  const rate = formatSize(((2 * bytes) / wholeMs) * 1000)
  account.done(wholeMs, `every image is on every node: ${copied} went between them, ${rate}/s`)
  await compareAll(stage)
}

async function putAll(node: DemoNode, pictures: readonly Picture[]): Promise<void> {
  const left = pictures.toSorted((one, other) => one.bytes - other.bytes)
  const work = async () => {
    for (let picture = left.pop(); picture !== undefined; picture = left.pop()) {
      await node.put(picture)
    }
  }
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, work))
}

/** Compares what the nodes list, and reads every image from each of them. */
export async function compareAll({ account, a, b, c }: Stage): Promise<void> {
  const nodes = [a, b, c]
  let [read, bytes] = [0, 0]
  const ms = await timed(async () => {
    const lists = await Promise.all(nodes.map((node) => node.files()))
    const texts = lists.map((files) => files.map(({ path, sha256 }) => `${path} ${sha256}`).sort())
    for (const [n, text] of texts.entries()) {
      if (text.join('\n') === texts[0]?.join('\n')) continue
      throw new NotSo(`a lists ${texts[0]?.length} images, ${nodes[n]?.name} ${text.length} others`)
    }
    for (const file of lists[0] ?? []) {
      await Promise.all(nodes.map((node) => expectRight(node, file)))
      read += nodes.length
      bytes += nodes.length * file.size
      account.live(`${read} read, ${formatSize(bytes)}`)
    }
  })
  const count = read / nodes.length
  const text = `the same ${count} on all three; ${formatSize(bytes)} read, every SHA-256 is right`
  account.done(ms, text)
}

export async function timeUploads({ account, a, b, c }: Stage): Promise<void> {
  account.step('How soon is a new image readable on the other two nodes?')
  const nodes = [a, b, c]
  const times: number[] = []
  for (let n = 0; n < TIMED_UPLOADS; n++) {
    const picture = await makePicture(`soon/${n}.jpeg`)
    const node = nodes[n % nodes.length] as DemoNode
    const others = nodes.filter((one) => one !== node)
    await node.put(picture)
    times.push(await timed(() => Promise.all(others.map((one) => readable(one, picture)))))
    account.live(`${n + 1} of ${TIMED_UPLOADS} uploads`)
  }
  times.sort((one, other) => one - other)
  const [median, most] = [times[times.length >> 1] as number, times.at(-1) as number]
  const text = `after the upload's answer: median of ${TIMED_UPLOADS}, the slowest took`
  account.done(median, `${text} ${formatTime(most)}`)
}
