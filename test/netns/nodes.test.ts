// Whole nodes without any configuration, each on a host of its own: they find each other, keep the
// same images, and stay apart where nobody said that they belong together.

import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Host, LocalNetwork, localNetworkObstacle } from '../support/local-network.ts'
import { RealNode } from '../support/real-node.ts'

const MAIN = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
/** What is promised for two nodes that start. */
const FOUND_MS = 5_000
const ASK = `
  const [url, method, body] = process.argv.slice(1)
  const answer = await fetch(url, { method, ...(body && { body }) })
  process.stdout.write(JSON.stringify({ status: answer.status, text: await answer.text() }))`

const obstacle = localNetworkObstacle()
const run = promisify(execFile)

describe('nodes without configuration', { timeout: 90_000 }, () => {
  let folder: string
  let networks: LocalNetwork[]
  let nodes: RealNode[]

  beforeEach((context) => {
    context.skip(obstacle !== undefined, obstacle)
    folder = mkdtempSync(join(tmpdir(), 'tumesh-netns-'))
    networks = []
    nodes = []
  })

  afterEach(async () => {
    if (obstacle !== undefined) return
    await Promise.all(nodes.map((node) => node.end('SIGKILL')))
    for (const network of networks) network.cleanUp()
    rmSync(folder, { recursive: true, force: true })
  })

  function makeNetwork(subnet?: string): LocalNetwork {
    const network = new LocalNetwork(subnet === undefined ? {} : { subnet })
    networks.push(network)
    return network
  }

  async function start(host: Host, name: string): Promise<RealNode> {
    const line = ['netns', 'exec', host.namespace, process.execPath, MAIN, '--name', name]
    const child = spawn('ip', [...line, '--data', join(folder, name)], {
      cwd: folder,
      env: { PATH: process.env.PATH, XDG_STATE_HOME: join(folder, 'state', name) },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const node = new RealNode(child)
    nodes.push(node)
    return node.started()
  }

  /** A request on the host itself. */
  async function ask({ namespace }: Host, path: string, method = 'GET', body = '') {
    const line = ['netns', 'exec', namespace, process.execPath, '--input-type=module', '-e', ASK]
    const url = `http://127.0.0.1:8000${path}`
    const { stdout } = await run('ip', [...line, url, method, body])
    return JSON.parse(stdout) as { status: number; text: string }
  }

  const svg = (text: string) => `<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`
  const put = async (host: Host, name: string) =>
    expect((await ask(host, `/images/${name}.svg`, 'PUT', svg(name))).status).toBe(201)
  const expectImage = (host: Host, name: string) =>
    eventually(
      async () =>
        expect(await ask(host, `/images/${name}.svg`)).toEqual({ status: 200, text: svg(name) }),
      { withinMs: 20_000 }
    )
  const serversOf = async (host: Host): Promise<{ name: string; status: string }[]> =>
    JSON.parse((await ask(host, '/api/storage-status')).text).servers

  test('are connected within 5 seconds and have the same images', async () => {
    const network = makeNetwork()
    const [one, other] = [network.host(), network.host()]
    await start(one, 'a')
    await start(other, 'b')
    await eventually(
      async () => {
        for (const host of [one, other]) expect(await serversOf(host)).toHaveLength(1)
      },
      { withinMs: FOUND_MS }
    )
    await put(one, 'from-a')
    await put(other, 'from-b')
    await expectImage(other, 'from-a')
    await expectImage(one, 'from-b')
  })

  test('stay apart if both hold images of their own, until a person joins them', async () => {
    const network = makeNetwork()
    const [one, other] = [network.host(), network.host()]
    network.plug(other, false)
    await start(one, 'a')
    await start(other, 'b')
    await put(one, 'from-a')
    await put(other, 'from-b')
    network.plug(other, true)
    await eventually(
      async () => {
        const shown = [...(await serversOf(one)), ...(await serversOf(other))]
        expect(shown.map(({ name, status }) => `${name} ${status}`)).toEqual([
          'b refused',
          'a refused'
        ])
      },
      { withinMs: 20_000 }
    )
    expect((await ask(other, '/images/from-a.svg')).status).toBe(404)
    const body = JSON.stringify({ address: `http://${one.address}:8000` })
    const joined = await ask(other, '/api/peers', 'POST', body)
    expect(joined.text).toContain('success')
    await expectImage(other, 'from-a')
    await expectImage(one, 'from-b')
  })

  test('that get another address are met there, and asked over lanes that lead there', async () => {
    const network = makeNetwork()
    const [one, other] = [network.host(), network.host()]
    await start(one, 'a')
    await start(other, 'b')
    await put(one, 'from-a')
    await put(other, 'from-b')
    await expectImage(other, 'from-a')
    await expectImage(one, 'from-b')
    const connectedAt = async (host: Host) =>
      JSON.parse((await ask(host, '/api/storage-status')).text).servers[0].connected_at
    const before = [await connectedAt(one), await connectedAt(other), null]
    const moved = network.move(one, 77)
    await eventually(
      async () => {
        for (const host of [moved, other]) expect(before).not.toContain(await connectedAt(host))
      },
      { withinMs: 40_000 }
    )
    await put(moved, 'from-a-moved')
    await put(other, 'from-b-then')
    // a lane that leads nowhere is given up after 30 s
    await expectImage(other, 'from-a-moved')
    await expectImage(moved, 'from-b-then')
  })

  test('on two networks hear everything through the one that is on both', async () => {
    const [home, work] = [makeNetwork('10.77.1'), makeNetwork('10.77.2')]
    const [left, middle, right] = [home.host(), home.host(), work.host()]
    work.attach(middle.namespace, 'eth1')
    await start(left, 'left')
    await start(middle, 'middle')
    await start(right, 'right')
    const body = JSON.stringify({ address: `http://${right.address}:8000` })
    expect((await ask(middle, '/api/peers', 'POST', body)).text).toContain('success')
    await put(left, 'from-left')
    await put(right, 'from-right')
    await expectImage(right, 'from-left')
    await expectImage(left, 'from-right')
    expect((await ask(right, '/images/from-left.svg', 'DELETE')).status).toBe(200)
    await eventually(
      async () => expect((await ask(left, '/images/from-left.svg')).status).toBe(410),
      { withinMs: 20_000 }
    )
  })
})
