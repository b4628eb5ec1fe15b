// Commands of this version, and a node that runs since before it was updated.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Run } from '../../../src/commands/order.ts'
import { runBrakes } from '../../../src/commands/review.ts'
import { runVerify } from '../../../src/commands/verify.ts'

let server: Server
afterEach(() => server.close())

/** What the command says to a node that answers so, and its exit code. */
async function said(run: Run, answers: Readonly<Record<string, object>>, options = {}) {
  let left = 10
  server = createServer(({ url = '' }, response) => {
    const answer = answers[new URL(url, 'http://x').pathname]
    response.writeHead(left-- > 0 ? 200 : 500, { connection: 'close' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let text = ''
  const terminal = {
    ...{ err: () => {}, progress: () => {}, isTerminal: false, clock: systemClock, folder: '/' },
    out: (more: string) => {
      text += more
    }
  }
  const target = { url, data: undefined }
  const code = await run({ words: [], options, target, isJson: false }, terminal)
  return [code, text]
}

test('what is verified by one that does not tell of blocks', async () => {
  const lists = { corrupted_files: [], missing_files: [], repaired_files: [] }
  const counts = { total_files: 2, verified_files: 2, valid_files: 2, duration: 0 }
  const report = { status: 'success', message: '', ...lists, ...counts, unrepairable_files: [] }
  expect(await said(runVerify, { '/file-sync/api/file-sync/verify': report })).toEqual([
    0,
    '2 images read in 0.0 s: all right\n'
  ])
})

test('what stopped at one that has no cursor for it', async () => {
  const about = { kind: 'changes', token: 't', since: 'then', count: 1, of: 1, reason: 'much' }
  const change = { what: 'deleted', path: 'a.jpg', sha256: '', by: 'a', at: 'then', reason: null }
  const counts = { images: 1, missing: 0, blocks: 0, next_offset: null }
  const answers = {
    '/api/brakes': { status: 'success', brakes: [about], released: [] },
    '/api/brakes/t': { status: 'success', token: 't', since: 'then', ...counts, changes: [change] }
  }
  expect(await said(runBrakes, answers, { all: true })).toEqual([
    1,
    expect.stringContaining('An undo brings back 1 image:\n')
  ])
})
