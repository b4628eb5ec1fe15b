// The bytes of version 1 of how two nodes agree on a lane.

import { expect, test } from 'vitest'
import { LANE_ID } from '../../../protocols/ids.ts'
import { requestGrant, requestOffer } from '../../../protocols/lane/request.ts'
import { type LaneSource, laneProtocol } from '../../../protocols/lane/serve.ts'
import { STATUS, StatusError } from '../../../protocols/status.ts'
import { never, servePair } from '../../support/serve-pair.ts'

const key = { port: 40_001, identity: 'ab'.repeat(16), secret: new Uint8Array(32).fill(7) }

async function bytesOf(
  ask: (stream: ReturnType<typeof servePair>['stream']) => Promise<unknown>,
  source: Partial<LaneSource> = {}
) {
  const all = { grant: () => key, offered: () => {}, ...source }
  const { stream, server } = servePair(laneProtocol, all)
  await ask(stream).catch(() => {})
  return { asked: stream.sent().toString('hex'), answered: server.sent().toString('hex') }
}

test('its name', () => {
  expect(LANE_ID).toBe('/tumesh/lane/1')
})

test('a grant', async () => {
  expect(await bytesOf((stream) => requestGrant(stream, never))).toMatchInlineSnapshot(`
    {
      "answered": "4c08011a4808c1b802122061626162616261626162616261626162616261626162616261626162616261621a200707070707070707070707070707070707070707070707070707070707070707",
      "asked": "020a00",
    }
  `)
})

test('an offer', async () => {
  expect(await bytesOf((stream) => requestOffer(stream, key, never))).toMatchInlineSnapshot(`
    {
      "answered": "020801",
      "asked": "4c124a0a4808c1b802122061626162616261626162616261626162616261626162616261626162616261621a200707070707070707070707070707070707070707070707070707070707070707",
    }
  `)
})

test('a refusal', async () => {
  const grant = () => {
    throw new StatusError(STATUS.REFUSED, 'no lanes')
  }
  expect(await bytesOf((stream) => requestGrant(stream, never), { grant })).toMatchInlineSnapshot(`
    {
      "answered": "0c080412086e6f206c616e6573",
      "asked": "020a00",
    }
  `)
})
