import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { callNode } from '../../../src/commands/node-client.ts'

let server: Server | undefined
afterEach(() => server?.close())

async function answering(status: number, text: string): Promise<string> {
  const made = createServer((_, response) => {
    response.writeHead(status, { connection: 'close' }).end(text)
  })
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`
}

test('what other servers say of themselves moves nothing on the terminal', async () => {
  const answer = { message: 'connected to \u001b[2Jb', servers: [{ name: '\u202eb' }] }
  const url = await answering(200, JSON.stringify(answer))
  expect(await callNode({ url, data: undefined }, 'GET /healthz')).toEqual({
    message: 'connected to  [2Jb',
    servers: [{ name: ' b' }]
  })
})

test('nor does what is said of a failure', async () => {
  const url = await answering(503, JSON.stringify({ detail: 'it is of \u001b]0;x\u0007' }))
  await expect(callNode({ url, data: undefined }, 'GET /healthz')).rejects.toThrow(
    /^it is of {2}]0;x $/
  )
})

test.each(['no JSON', 'null', '7'])('%s is no answer of a node', async (text) => {
  const url = await answering(503, text)
  await expect(callNode({ url, data: undefined }, 'GET /healthz')).rejects.toThrow(
    'is no Tumesh node'
  )
})
