// Every route of a real node, without a key and with each kind of key, from this machine, through a
// proxy, and from another host: all as it is written down, and no name leads out of the images.

import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { postJson, put, send } from '../support/http-client.ts'
import { LocalNetwork, localNetworkObstacle } from '../support/local-network.ts'
import { RealNode, Workbench } from '../support/real-node.ts'
import { LOCAL_ONLY, mayCall, type Needs, policyOf, TRAVERSALS } from '../support/route-policy.ts'
import { type Step, type Walk, walk } from '../support/walk-routes.ts'

const policy = policyOf()
const SCOPES = ['read', 'write', 'admin'] as const
const PROXY = { 'X-Forwarded-For': '203.0.113.9' }
const ENV = { TUMESH_HTTP_SIGNED_URLS: 'true' }
/** Nothing is there under these. */
const NAMES: Readonly<Record<string, string>> = {
  path: 'none.svg',
  hash: 'ab'.repeat(32),
  cid: 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
  id: 'none'
}

/** Where the caller is judged after its words were. */
const BODIES: Readonly<Record<string, string>> = {
  'POST /api/adopt': '{"folders":["/none/such"]}'
}

let bench: Workbench
beforeAll(() => {
  bench = new Workbench()
})
afterAll(() => bench.cleanUp())

const stepOf = (route: string, name = NAMES, headers: Record<string, string> = {}): Step => {
  const [method = '', path = ''] = route.split(' ')
  const body = BODIES[route]
  return {
    ...{ method, path: path.replace(/\{(\w+)\}/g, (_, key) => name[key] ?? 'none'), headers },
    ...(body !== undefined && { body })
  }
}

/** A key of each kind. */
async function makeKeys(url: string): Promise<Map<Needs, string>> {
  const keys = new Map<Needs, string>()
  for (const scope of SCOPES) {
    const made = await postJson(`${url}/api/keys`, { name: scope, scopes: [scope] })
    keys.set(scope, made.body.key)
  }
  return keys
}

interface Caller {
  readonly key?: Needs | undefined
  readonly headers: Record<string, string>
  /** Whether programs of this machine call, which need no key. */
  readonly isOwn?: boolean
}

/** Routes that let in whom they should not, or the reverse. */
async function faults(
  go: (steps: readonly Step[]) => Promise<readonly [number, string][]>,
  { key, headers, isOwn = false }: Caller,
  read: 'public' | 'key' = 'public'
): Promise<string[]> {
  const routes = [...policy]
  const answers = await go(routes.map(([route]) => stepOf(route, NAMES, headers)))
  return routes.flatMap(([route, needs], at) => {
    const [status = 0, text = ''] = answers[at] ?? []
    const isFar = headers['X-Forwarded-For'] !== undefined || headers.Far !== undefined
    const may =
      mayCall(needs, isOwn ? 'admin' : key, read) && !(isFar && LOCAL_ONLY.includes(route))
    const isIn = !/"code":"(UNAUTHORIZED|FORBIDDEN)"/.test(text) || ![401, 403].includes(status)
    const is5xx = status >= 500 && status !== 503
    return may === isIn && !is5xx ? [] : [`${route}: ${status} ${text.slice(0, 120)}`]
  })
}

const bearer = (key: string | undefined) =>
  ({ ...(key !== undefined && { Authorization: `Bearer ${key}` }) }) as Record<string, string>

describe('from this machine', () => {
  let node: RealNode
  let keys: Map<Needs, string>
  beforeAll(async () => {
    node = await bench.start('a', { env: ENV })
    await put(node.url, 'kept.svg', makeSvg({ seed: 1 }))
    keys = await makeKeys(node.url)
  }, 60_000)
  const go = (steps: readonly Step[]) => walk({ host: '127.0.0.1', port: node.port, steps })

  test('the policy names each route, as the node says it itself', async () => {
    const { body } = await send(`${node.url}/openapi.json`)
    const said: [string, Needs][] = []
    for (const [path, operations] of Object.entries<Record<string, { 'x-who': Needs }>>(body.paths))
      for (const [method, operation] of Object.entries(operations))
        said.push([`${method.toUpperCase()} ${path}`, operation['x-who']])
    expect(said.sort()).toEqual([...policy].sort())
  })

  test.each(SCOPES)(
    'a key for %s opens what it should, and nothing else',
    async (key) => {
      expect(await faults(go, { key, headers: bearer(keys.get(key)) })).toEqual([])
    },
    60_000
  )

  test('a key that is none opens less than no key', async () => {
    expect(await faults(go, { headers: bearer('tumesh_0123456789ab_wrong') })).toEqual([])
  }, 60_000)

  test('programs of the same user need none; pages of others are let into nothing', async () => {
    expect(await faults(go, { headers: {}, isOwn: true })).toEqual([])
    expect(await faults(go, { headers: { Host: 'evil.test' } })).toEqual([])
    expect(await faults(go, { headers: { Origin: 'http://evil.test' } })).toEqual([
      expect.stringMatching(/^POST \/api\/logout: 403 /) // and logging in is refused by its body
    ])
  }, 60_000)

  test('no name leads out of the images, whoever asks and whatever for', async () => {
    const own = readFileSync(bench.path('a', 'metadata', 'local.key'), 'latin1').trim()
    const secrets = new RegExp(`${own}|root:.*:0:0|BEGIN [A-Z ]*PRIVATE`)
    const named = [...policy.keys()].filter((route) => route.includes('{'))
    const steps = named.flatMap((route) =>
      TRAVERSALS.flatMap((name) => {
        const names = Object.fromEntries(Object.keys(NAMES).map((key) => [key, name]))
        const step = stepOf(route, names, bearer(keys.get('admin')))
        return /[\s\\]/.test(step.path) && step.path.includes(' ') ? [] : [step]
      })
    )
    const answers = await go(steps)
    const wrong = steps.flatMap(({ method, path }, at) => {
      const [status = 0, text = ''] = answers[at] ?? []
      const isNothing = status >= 400 && status < 500
      return isNothing && !secrets.test(text) ? [] : [`${method} ${path}: ${status}`]
    })
    expect(wrong.filter((line) => !/^PUT .* (400|411|415|422)/.test(line))).toEqual([])
    expect(await send(`${node.url}/images/kept.svg`)).toMatchObject({ status: 200 })
  }, 120_000)

  // the last one: from here on nobody is let in without a key
  test('through a proxy nobody is let in without a key, and each key opens the same', async () => {
    expect(await faults(go, { headers: PROXY })).toEqual([])
    for (const key of SCOPES) {
      const headers = { ...PROXY, ...bearer(keys.get(key)) }
      expect(await faults(go, { key, headers })).toEqual([])
    }
    expect(await faults(go, { headers: {} })).toEqual([])
  }, 120_000)
})

const obstacle = localNetworkObstacle()
describe.skipIf(obstacle)(`from another host${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  test('nobody is let in without a key, and with http.read: key to no image', async () => {
    const network = new LocalNetwork()
    const [a, b] = [network.host(), network.host()]
    const main = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
    const line = ['netns', 'exec', a.namespace, process.execPath, main, '--no-mdns']
    const child = spawn('ip', [...line, '--data', bench.path('far')], {
      cwd: bench.folder,
      env: { ...ENV, PATH: process.env.PATH, HOME: bench.folder, TUMESH_HTTP_READ: 'key' },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const node = new RealNode(child)
    try {
      await node.started()
      const go = (steps: readonly Step[]) =>
        walkOn(b.namespace, { host: a.address, port: 8000, steps })
      expect(await faults(go, { headers: { Far: 'yes' } }, 'key')).toEqual([])
      const local = readFileSync(bench.path('far', 'metadata', 'local.key'), 'utf8').trim()
      const stolen = { Far: 'yes', ...bearer(local) }
      expect(await faults(go, { headers: stolen }, 'key')).toEqual([])
      const [made] = await walkOn(a.namespace, {
        ...{ host: '127.0.0.1', port: 8000 },
        steps: [{ ...stepOf('POST /api/keys'), body: '{"name":"r","scopes":["read"]}' }]
      })
      const { key } = JSON.parse(made?.[1] ?? '{}')
      expect(
        await faults(go, { key: 'read', headers: { Far: 'yes', ...bearer(key) } }, 'key')
      ).toEqual([])
    } finally {
      await node.end('SIGKILL')
      network.cleanUp()
    }
  }, 120_000)
})

function walkOn(namespace: string, walk: Walk): Promise<[number, string][]> {
  const program = fileURLToPath(new URL('../support/walk-routes.ts', import.meta.url))
  const { promise, resolve, reject } = Promise.withResolvers<[number, string][]>()
  const child = execFile(
    'ip',
    ['netns', 'exec', namespace, process.execPath, program],
    { maxBuffer: 2 ** 26 },
    (error, stdout) => (error === null ? resolve(JSON.parse(stdout)) : reject(error))
  )
  child.stdin?.end(JSON.stringify(walk))
  return promise
}
