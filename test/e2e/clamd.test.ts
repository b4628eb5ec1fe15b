// A node with a real clamd beside it: what it knows does not come in by any way.

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clamdMissing, EICAR, RealClamd } from '../support/clamd.ts'
import { temporaryFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { put, send, upload } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const missing = clamdMissing()
const svg = (text: string, bytes = 0) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><!--${text}-->${' '.repeat(bytes)}</svg>`)

describe.skipIf(missing)(`with clamd${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let bench: Workbench
  let node: RealNode
  let clamd: RealClamd
  const root = temporaryFolder()

  beforeAll(async () => {
    bench = new Workbench()
    clamd = new RealClamd(root.path)
    await clamd.start()
    const env = { TUMESH_SCAN_CLAMD: clamd.socket, TUMESH_SCAN_ABSENT: 'accept' }
    node = await bench.start('a', { env })
  }, 90_000)
  afterAll(async () => {
    await bench.cleanUp()
    await clamd.stop()
    root.remove()
  })

  test('bad bytes are refused, small and large, by form and PUT', async () => {
    expect((await put(node.url, 'good.svg', svg('good', 400_000))).status).toBe(201)
    for (const bytes of [svg(EICAR), svg(EICAR, 400_000), svg(`${'x'.repeat(400_000)}${EICAR}`)]) {
      const answer = await put(node.url, 'bad.svg', bytes)
      expect([answer.status, answer.body.code]).toEqual([422, 'INFECTED'])
      expect(answer.body.detail).toContain('Test.Signature')
      expect((await upload(node.url, 'bad.svg', bytes)).status).toBe(422)
    }
    expect((await send(`${node.url}/images/bad.svg`)).status).toBe(404)
  }, 60_000)

  test('a bad file under images/ goes to quarantine', async () => {
    writeFileSync(bench.path('a', 'images', 'found.svg'), svg(EICAR))
    await eventually(() => expect(existsSync(bench.path('a', 'images', 'found.svg'))).toBe(false), {
      withinMs: 30_000
    })
    expect(readdirSync(bench.path('a', 'quarantine'))).toHaveLength(1)
  }, 60_000)

  test('without the scanner images are taken in, and the status says so', async () => {
    await clamd.stop()
    expect((await put(node.url, 'unseen.svg', svg('unseen'))).status).toBe(201)
    const { body } = await send(`${node.url}/api/storage-status`)
    expect(body.status).toBe('degraded')
    expect(body.status_reasons.join()).toMatch(
      /virus scanner does not answer.* 1 wait to be scanned/
    )
  }, 60_000)
})

describe.skipIf(missing)('a server with clamd among others without', () => {
  let bench: Workbench
  let clamd: RealClamd
  let mesh: RealMesh
  const root = temporaryFolder()

  beforeAll(async () => {
    bench = new Workbench()
    clamd = new RealClamd(root.path)
    await clamd.start()
    mesh = new RealMesh(bench)
    await mesh.start('a')
  }, 90_000)
  afterAll(async () => {
    await bench.cleanUp()
    await clamd.stop()
    root.remove()
  })

  const statusOf = async (name: string, path: string) =>
    (await send(`${mesh.url(name)}/images/${path}`)).status

  test('shows nothing bad that they send, not for a moment, in bulk and one by one', async () => {
    const bad = {
      'small.svg': svg(EICAR),
      'large.svg': svg(`${'x'.repeat(1_000_000)}${EICAR}`)
    }
    for (let n = 0; n < 300; n++) await put(mesh.url('a'), `bulk/${n}.svg`, svg(`${n}`, 20_000))
    for (const [path, bytes] of Object.entries(bad)) await put(mesh.url('a'), path, bytes)
    await mesh.start('b', { env: { TUMESH_SCAN_CLAMD: clamd.socket } })
    const seen = new Set<number>()
    await eventually(
      async () => {
        for (const path of Object.keys(bad)) seen.add(await statusOf('b', path))
        for (const name of ['a', 'b']) {
          for (const path of Object.keys(bad)) expect(await statusOf(name, path)).toBe(451)
        }
        const { body } = await send(`${mesh.url('b')}/api/storage-status`)
        expect(body.total_files).toBe(302)
      },
      { withinMs: 60_000 }
    )
    expect(seen).not.toContain(200)
    for (const n of [0, 7, 299]) expect(await statusOf('b', `bulk/${n}.svg`)).toBe(200)
    await put(mesh.url('a'), 'new.svg', svg(`new ${EICAR}`))
    await eventually(async () => expect(await statusOf('b', 'new.svg')).toBe(451), {
      withinMs: 30_000
    })
    expect(existsSync(bench.path('b', 'images', 'small.svg'))).toBe(false)
  }, 120_000)
})

describe.skipIf(missing)('with a clamd that takes less than the node', () => {
  let bench: Workbench
  let clamd: RealClamd
  const root = temporaryFolder()
  beforeAll(async () => {
    bench = new Workbench()
    clamd = new RealClamd(root.path, { streamMax: '1M' })
    await clamd.start()
  }, 90_000)
  afterAll(async () => {
    await bench.cleanUp()
    await clamd.stop()
    root.remove()
  })

  test('only what is too large is refused, and the status says what to do', async () => {
    const { url } = await bench.start('a', { env: { TUMESH_SCAN_CLAMD: clamd.socket } })
    const answers = []
    for (let n = 0; n < 10; n++) {
      answers.push(await put(url, `large-${n}.svg`, svg(`${n}`, 20_000_000)))
      answers.push(await put(url, `small-${n}.svg`, svg(`${n}`, 1000)))
    }
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill([413, 201]).flat())
    expect(answers[0]?.body.detail).toContain('StreamMaxLength')
    const { body } = await send(`${url}/api/storage-status`)
    expect(body.status_causes.map(({ code }: { code: string }) => code)).toEqual(['scanner_limit'])
  }, 90_000)
})
