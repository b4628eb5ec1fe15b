import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { runLog } from '../../../src/commands/log.ts'
import { bytesOf, callNode, openNode } from '../../../src/commands/node-client.ts'
import type { Terminal } from '../../../src/commands/terminal.ts'

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
  const said = { message: 'connected to \u001b[2Jb', servers: [{ name: '\u202eb' }] }
  const url = await answering(200, JSON.stringify({ status: 'ok', ...said }))
  expect(await callNode({ url, data: undefined }, 'GET /healthz')).toEqual({
    status: 'ok',
    message: 'connected to  [2Jb',
    servers: [{ name: ' b' }]
  })
})

test('nor does what is said of a failure', async () => {
  const url = await answering(
    503,
    JSON.stringify({ detail: 'it is of \u001b]0;x\u0007', code: 'BUSY' })
  )
  await expect(callNode({ url, data: undefined }, 'GET /healthz')).rejects.toThrow(
    /^it is of {2}]0;x $/
  )
})

test.each([
  [503, 'no JSON'],
  [503, 'null'],
  [503, '7'],
  [404, '{"detail": "Not Found"}'],
  [200, '<html>a page</html>'],
  [200, 'null'],
  [200, '[]'],
  [200, '{"hello": 1}']
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

test('a node of another version may lack some of an answer, and not half of it', async () => {
  const invite = { status: 'success', message: 'm', invite: 'i', expires_at: null, made: true }
  const url = await answering(200, JSON.stringify(invite))
  expect(await callNode({ url, data: undefined }, 'POST /api/invite')).toEqual(invite)
  server?.close()
  const other = await answering(200, JSON.stringify({ status: 'success' }))
  const asked = callNode({ url: other, data: undefined }, 'GET /api/limits')
  await expect(asked).rejects.toThrow('is no Tumesh node (status 200)')
})

test('what is not of the kind that was asked for comes from no node', async () => {
  const url = await answering(200, '<html></html>', { 'content-type': 'text/html' })
  const headers = { accept: 'application/x-ndjson' }
  const list = 'GET /file-sync/api/file-sync/files'
  await expect(openNode({ url, data: undefined }, list, { headers })).rejects.toThrow(
    'is no Tumesh node (status 200)'
  )
})

test('where it sends on to is said, and nothing is sent there', async () => {
  const url = await answering(301, '', { location: 'https://other.example/' })
  await expect(callNode({ url, data: undefined }, 'GET /healthz')).rejects.toThrow(
    `${url} sends on to https://other.example/. Name that with --url.`
  )
})

test('bytes that break off are told as such', async () => {
  const url = await answering(200, 'half', { 'content-length': '100' })
  const target = { url, data: undefined }
  const answer = await openNode(target, 'GET /images/{path}', { path: { path: 'a.jpg' } })
  const read = async () => {
    for await (const _ of bytesOf(answer, target));
  }
  await expect(read()).rejects.toThrow('broke off its answer')
})

test('a log whose node is gone ends with a sentence, after what came', async () => {
  const event = 'event: removed\ndata: {"path": "a.jpg"}\n\n'
  const headers = { 'content-length': '1000', 'content-type': 'text/event-stream' }
  const url = await answering(200, event, headers)
  const lines: string[] = []
  const order = { words: [], options: {}, target: { url, data: undefined }, isJson: true }
  const terminal = { out: (text: string) => lines.push(text) } as unknown as Terminal
  await expect(runLog(order, terminal)).rejects.toMatchObject({
    code: 'NOT_AVAILABLE',
    message: expect.stringContaining('broke off its answer')
  })
  expect(lines).toEqual(['{"event":"removed","path":"a.jpg"}\n'])
})

test('a key that is given is sent, and said to be unknown where it is', async () => {
  const url = await answering(401, JSON.stringify({ detail: 'no', code: 'UNAUTHORIZED' }))
  let sent: string | undefined
  server?.on('request', ({ headers }) => {
    sent = headers.authorization
  })
  const asked = callNode({ url, data: undefined, key: 'tumesh_k' }, 'GET /healthz')
  await expect(asked).rejects.toThrow(`The node at ${url} does not know the key in TUMESH_KEY.`)
  expect(sent).toBe('Bearer tumesh_k')
})
