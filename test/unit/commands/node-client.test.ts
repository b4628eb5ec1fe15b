import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { callNode } from '../../../src/commands/node-client.ts'

let server: Server | undefined
afterEach(() => server?.close())

async function answering(status: number, text: string, headers = {}): Promise<string> {
  const made = createServer((_, response) => {
    response.writeHead(status, { connection: 'close', ...headers }).end(text)
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

test.each([
  [503, 'no JSON'],
  [503, 'null'],
  [503, '7'],
  [200, '<html>a page</html>'],
  [200, 'null']
])('%i %s is no answer of a node', async (status, text) => {
  const url = await answering(status, text)
  await expect(callNode({ url, data: undefined }, 'GET /healthz')).rejects.toThrow(
    `is no Tumesh node (status ${status})`
  )
})

test('an answer that breaks off is none', async () => {
  const url = await answering(200, '{"status": "ok"', { 'content-length': '100' })
  await expect(callNode({ url, data: undefined }, 'GET /healthz')).rejects.toMatchObject({
    code: 'NOT_AVAILABLE',
    message: expect.stringContaining('broke off its answer')
  })
})
