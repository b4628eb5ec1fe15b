import { afterEach, beforeEach, expect, test } from 'vitest'
import { fakeMesh } from '../../../support/fake-mesh.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'

let http: HttpNode
let untilMs: number | undefined
beforeEach(async () => {
  untilMs = undefined
  const mesh = fakeMesh({
    awayUntilMs: () => untilMs,
    async sayAway(next) {
      untilMs = next
    }
  })
  http = await startHttpNode({ parts: () => ({ mesh }) })
})
afterEach(() => http.close())

const away = (method: string, body?: object) =>
  http.send('/api/away', { method, ...(body && { body: JSON.stringify(body) }) })

test('is said, told, over after its time, and taken back', async () => {
  expect((await away('GET')).json).toEqual({ status: 'success', away_until: null })
  const { json } = await away('POST', { for: '2h' })
  const until = new Date(http.node.clock.now() + 7_200_000).toISOString()
  expect(json).toMatchObject({ status: 'success', away_until: until })
  expect((await away('GET')).json.away_until).toBe(until)
  http.node.clock.advance(7_200_000)
  expect((await away('GET')).json.away_until).toBeNull()
  await away('POST', { for: '3d' })
  expect((await away('DELETE')).json.away_until).toBeNull()
  expect((await away('GET')).json.away_until).toBeNull()
})

test('for longer than 90 days, or for no time, nobody is away', async () => {
  for (const time of ['91d', '0s', 'long']) {
    expect([time, (await away('POST', { for: time })).status]).toEqual([time, 422])
  }
  expect(untilMs).toBeUndefined()
})
