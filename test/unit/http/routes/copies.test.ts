// Where bytes are, asked by their hash.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { cidOf, parseHash } from '../../../../protocols/hash.ts'
import { causeOf } from '../../../../src/base/cause.ts'
import { standingOf } from '../../../../src/flows/standing.ts'
import type { HolderAnswer, MeshStatusPort } from '../../../../src/http/mesh-status-port.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

const NOBODYS = parseHash('0a'.repeat(32))

let http: HttpNode
let answers: HolderAnswer[]
beforeEach(async () => {
  answers = []
  http = await startHttpNode({
    parts: ({ flows }) => ({
      meshStatus: {
        nameOf: (id) => id,
        holders: () => () => [],
        askHolders: async () => answers,
        standing: (hash) => standingOf(flows, hash)
      } as Partial<MeshStatusPort> as MeshStatusPort
    })
  })
})
afterEach(() => http.close())

const copies = (hash: string) => http.send(`/api/copies/${hash}`)
const silent: HolderAnswer = {
  lastCause: causeOf('dial_refused', 'Nothing listens there.', { place: '10.0.0.3:7' }),
  ...{ name: 'c', has: undefined, believed: false, connected: false, state: 'offline' },
  ...{ lastSeenMs: 1e12, nextDialMs: 2e12 }
}

test('by SHA-256, CID and MD5: all images with these bytes, and each server', async () => {
  const { entry } = await http.node.put('a.svg', tinyImage(1))
  await http.node.put('b/c.svg', tinyImage(1))
  const verifiedMs = 1_700_000_000_000
  answers = [
    { ...silent, name: 'b', has: true, connected: true, copy: { state: 'held', verifiedMs } }
  ]
  for (const name of [entry.hash, entry.hash.toUpperCase(), cidOf(entry.hash), entry.md5 ?? '']) {
    const { status, json } = await copies(name)
    expect([name, status, json.paths.sort()]).toEqual([name, 200, ['a.svg', 'b/c.svg']])
    expect(json).toMatchObject({
      ...{ sha256: entry.hash, hash: entry.md5, size: entry.bytes, complete: true },
      servers: [
        { name: 'a', has: true, state: 'held', reason: null },
        { name: 'b', has: true, verified_at: new Date(verifiedMs).toISOString() }
      ]
    })
  }
})

test('what no server has is not found, and who could not be asked is named', async () => {
  const gone = await copies(NOBODYS)
  expect([gone.status, gone.json.detail]).toEqual([
    ...[404, 'No image here or on any server has this hash.']
  ])
  answers = [silent]
  expect((await copies(NOBODYS)).json.detail).toMatch(/\. Could not be asked: c\.$/)
  for (const name of ['zz', `${NOBODYS}0`]) expect((await copies(name)).status).toBe(400)
  expect((await copies('0a'.repeat(16))).status).toBe(404)
})

test('what another server alone has is found by its word', async () => {
  answers = [{ ...silent, has: false, connected: true, copy: { state: 'trashed' } }]
  const { status, json } = await copies(NOBODYS)
  expect([status, json.paths, json.servers[1].reason]).toEqual([
    200,
    [],
    'its trash holds the bytes'
  ])
})

test('a server that is gone says since when, and when it is dialled again', async () => {
  await http.node.put('a.svg', tinyImage(1))
  const { json: list } = await http.send('/file-sync/api/file-sync/file/a.svg')
  answers = [{ ...silent, believed: true }]
  const { json } = await copies(list.sha256)
  expect(json.complete).toBe(false)
  expect(json.servers[1]).toMatchObject({
    ...{ has: true, state: 'unreachable', since: '2001-09-09T01:46:40.000Z' },
    reason:
      'it has not been connected since 2001-09-09T01:46:40.000Z; by what it said last it has it',
    detail: 'Nothing listens there.',
    cause: { code: 'dial_refused', details: { place: '10.0.0.3:7' } },
    next_try_at: '2033-05-18T03:33:20.000Z'
  })
})

test('a server that has not got the entry yet is behind, by what is known of it', async () => {
  const { entry } = await http.node.put('a.svg', tinyImage(1))
  const unknown = { ...silent, has: false, connected: true, copy: { state: 'unknown' } }
  const second = async (answer: HolderAnswer) => {
    answers = [answer]
    return (await copies(entry.hash)).json.servers[1]
  }
  expect(await second({ ...unknown, lag: { entries: 12, isComparing: true } })).toMatchObject({
    ...{ has: false, state: 'behind', behind: 12, comparing: true },
    reason:
      'it has not heard of this image yet; its index lacks 12 entries; ' +
      'the two indexes are being compared now'
  })
  expect(
    await second({ ...unknown, lag: { entries: undefined, isComparing: false } })
  ).toMatchObject({
    ...{ state: 'behind', behind: null, comparing: false },
    reason:
      'it has not heard of this image yet; ' +
      'it hears of it when the two indexes are compared next'
  })
  // of what this node does not know either nobody is behind
  expect(await second(unknown)).toMatchObject({ state: 'unknown', behind: null, comparing: null })
  const queued = { state: 'queued', ahead: 2 }
  const lag = { entries: 1, isComparing: true }
  expect(await second({ ...unknown, copy: queued, lag })).toMatchObject({ state: 'queued' })
})
