import { afterEach, beforeEach, expect, test } from 'vitest'
import { limitRoutes } from '../../../../src/http/routes/limits.ts'
import { settingsRoutes } from '../../../../src/http/routes/settings.ts'
import { type MemoryNode, openMemoryNode } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

function put(payload: object) {
  const server = serveRoutes(limitRoutes(node.http))
  return server.inject({ method: 'PUT', url: '/api/limits', payload })
}

test('there are none at first; some are changed, the others stay', async () => {
  const first = await serveRoutes(limitRoutes(node.http)).inject('/api/limits')
  expect(new Set(Object.values(first.json().limits))).toEqual(new Set([null]))
  await put({ receive_catch_up: '5MB', send_remote: 100_000 })
  const { statusCode, body } = await put({ send_remote: null, receive_remote: '1 MiB' })
  expect(statusCode).toBe(200)
  expect(JSON.parse(body).limits).toMatchObject({
    receive_catch_up: 5_000_000,
    send_remote: null,
    receive_remote: 1_048_576,
    receive_new: null
  })
  expect(node.flows.traffic.limits.receive_catch_up).toBe(5_000_000)
})

test.each([
  [{ receive_catch_up: 'much' }],
  [{ receive_catch_up: '10KB' }],
  [{ receive_catch_up: 0 }],
  [{ receive_catch_up: -5_000_000 }],
  [{ receive_everything: '5MB' }]
])('%j is refused, and nothing changes', async (body) => {
  const { statusCode } = await put({ receive_new: '5MB', ...body })
  expect(statusCode).toBe(422)
  expect(node.flows.traffic.limits.receive_new).toBeUndefined()
})

test('the settings say of a limit what holds, and that it was set since the start', async () => {
  const fact = { from: 'file', origin: 'line 3', text: 'Bytes', unset: 'no limit' } as const
  const settings = ['traffic.receive_new', 'traffic.send_remote'].map((key) => {
    return { ...fact, key, value: '5MB' }
  })
  await put({ receive_new: '1MB' })
  const server = serveRoutes(settingsRoutes({ ...node.http, settings }))
  const [changed, other] = (await server.inject('/api/settings')).json().settings
  expect(changed).toMatchObject({ value: '1000000', from: 'running', origin: 'PUT /api/limits' })
  expect(other).toMatchObject({ value: '5MB', from: 'file' })
})
