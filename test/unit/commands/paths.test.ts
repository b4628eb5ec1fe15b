// What people and programs hand to commands as paths, and what of it reaches a node or a terminal.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { inAddress } from '../../../src/client/plan-request.ts'
import { runAdd } from '../../../src/commands/add.ts'
import { runRm } from '../../../src/commands/change.ts'
import type { Order } from '../../../src/commands/order.ts'

let folder: string
let server: Server
let asked: string[]
let said: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-paths-'))
  ;[asked, said] = [[], '']
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume()
    response.writeHead(422, { connection: 'close' }).end(JSON.stringify({ detail: 'no image' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const orderOf = (...words: string[]): Order => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { words, options: {}, target: { url, data: undefined }, isJson: false }
}
const say = (text: string) => {
  said += text
}
const terminal = () => ({
  ...{ out: say, err: say, progress: say, isTerminal: true, clock: systemClock, folder }
})

test('each part of a path is encoded', () => {
  expect(inAddress('a b/c?d#e/图.png')).toBe('a%20b/c%3Fd%23e/%E5%9B%BE.png')
})

test.each(['..', 'a/../../api/peers/x', './a', 'a/.'])('%s leads nowhere', async (path) => {
  expect(await runRm(orderOf(path), terminal())).toBe(1)
  expect(asked).toEqual([])
  expect(said).toContain("can't have the part")
})

test('the name of a file that is refused moves nothing on the terminal', async () => {
  const name = 'x\u001b]0;title\u0007\u202e.txt'
  writeFileSync(join(folder, name), 'text')
  expect(await runAdd(orderOf(name), terminal())).toBe(1)
  expect(said).toContain('x ]0;title')
  expect(said.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
})
