import { afterEach, expect, test } from 'vitest'
import { want } from '../../support/blob-holders.ts'
import { fakeRemote } from '../../support/fake-remote.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const PAGE = 'https://gallery.example'

let http: HttpNode
afterEach(() => http.close())

async function start(serverTiming: boolean, corsOrigins: readonly string[] = []): Promise<void> {
  http = await startHttpNode({ options: { serverTiming, corsOrigins } })
  await http.node.put('a.svg', tinyImage(1))
}

/** The names of the phases, each with a time. */
async function phasesOf(path: string, headers = {}): Promise<readonly unknown[]> {
  const { status, headers: answered } = await http.send(path, { headers })
  const said = answered['server-timing']?.toString().split(', ') ?? []
  for (const phase of said) expect(phase).toMatch(/^[a-z]+;dur=\d+\.\d\d$/)
  return [status, ...said.map((phase) => phase.split(';')[0])]
}

test('answers do not say it by themselves', async () => {
  await start(false, [PAGE])
  const { headers } = await http.send('/images/a.svg', { headers: { Origin: PAGE } })
  expect(headers['server-timing']).toBeUndefined()
  expect(headers['timing-allow-origin']).toBeUndefined()
  expect(headers['access-control-expose-headers']).not.toContain('Server-Timing')
})

test('they say what took their time, whatever they are', async () => {
  await start(true)
  const read = ['guard', 'kept', 'index']
  expect(await phasesOf('/images/a.svg')).toEqual([200, ...read, 'disk', 'total'])
  expect(await phasesOf('/images/a.svg')).toEqual([200, ...read, 'disk', 'total'])
  expect(await phasesOf('/images/a.svg')).toEqual([200, 'guard', 'kept', 'total'])
  const range = { Range: 'bytes=0-3' }
  expect(await phasesOf('/images/a.svg', range)).toEqual([206, ...read, 'disk', 'total'])
  expect(await phasesOf('/images/none.svg')).toEqual([404, ...read, 'total'])
  expect(await phasesOf('/healthz')).toEqual([200, 'guard', 'work', 'total'])
  expect(await phasesOf('/nothing')).toEqual([404, 'guard', 'total'])
})

test('what came from another server is told from what was here', async () => {
  const bytes = tinyImage(2)
  const blob = {
    bytes: bytes.byteLength,
    async *read(start: number, end: number) {
      yield bytes.subarray(start, end)
    },
    close: () => {}
  }
  const remote = fakeRemote({ open: async () => ({ blob, from: 'b' }) })
  http = await startHttpNode({
    options: { serverTiming: true },
    parts: ({ flows }) => ({ flows: { ...flows, remote } })
  })
  await want(http.node, 'far.svg', bytes)
  expect(await phasesOf('/images/far.svg')).toEqual([
    ...[200, 'guard', 'kept', 'index', 'fetch', 'total']
  ])
})

test('what is kept in memory does not say how long it took when it was read', async () => {
  await start(true)
  for (let n = 0; n < 4; n++) {
    const { headers } = await http.send('/images/a.svg')
    expect(headers['server-timing']?.toString().match(/total/g)).toHaveLength(1)
  }
})

test.each([
  [[PAGE, 'https://b.example'], `${PAGE}, https://b.example`],
  [['*'], '*'],
  [[], undefined]
])('pages of %s may see it, also of images that they only show', async (origins, allowed) => {
  await start(true, origins)
  const { headers } = await http.send('/images/a.svg')
  expect(headers['timing-allow-origin']).toBe(allowed)
  const asked = await http.send('/images/a.svg', { headers: { Origin: PAGE } })
  const exposed = asked.headers['access-control-expose-headers']
  expect(exposed?.toString().includes('Server-Timing')).toBe(
    allowed === undefined ? undefined : true
  )
})
