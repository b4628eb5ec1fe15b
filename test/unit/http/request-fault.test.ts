// Requests as the strictest reading of RFC 9112 has them.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

let http: HttpNode
beforeEach(async () => {
  http = await startHttpNode()
})
afterEach(() => http.close())

const image = tinyImage(1).toString()
const lines = (line: string, ...more: string[]) =>
  `${[line, `Host: 127.0.0.1:${http.port}`, ...more].join('\r\n')}\r\n\r\n`
const put = () => lines('PUT /images/a.svg HTTP/1.1', `Content-Length: ${image.length}`) + image

async function answers(requests: string): Promise<string[]> {
  const client = http.connect()
  client.write(requests)
  const text = await client.end()
  return [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status as string)
}

test('what comes right behind an upload sees the image, and a deletion waits for it', async () => {
  const get = lines('GET /images/a.svg HTTP/1.1')
  const last = lines('GET /images/a.svg HTTP/1.1', 'Connection: close')
  const all = [get, put(), get, get, lines('DELETE /images/a.svg HTTP/1.1'), put(), last]
  expect(await answers(all.join(''))).toEqual(['404', '201', '200', '200', '200', '201', '200'])
})

test('not more wait on one connection than it takes to be kind to whoever sends them', async () => {
  const last = lines('GET /images/a.svg HTTP/1.1', 'Connection: close')
  const all = [put(), ...Array(300).fill(lines('DELETE /images/b.svg HTTP/1.1')), last]
  const [first, ...statuses] = await answers(all.join(''))
  expect(first).toBe('201')
  expect(statuses).toHaveLength(301)
  expect(new Set(statuses.slice(0, 100))).toEqual(new Set(['404']))
  expect(statuses).toContain('429')
})

test('nothing is done for what follows an answer that closes the connection', async () => {
  await http.node.put('a.svg', tinyImage(1))
  const coded = lines('PUT /images/b.svg HTTP/1.1', 'Transfer-Encoding: gzip, chunked')
  const rest = '0\r\n\r\n'
  expect(await answers(coded + rest + lines('DELETE /images/a.svg HTTP/1.1'))).toEqual(['400'])
  expect((await http.send('/images/a.svg')).status).toBe(200)
})

test('the host of a whole address counts, not the header beside it', async () => {
  const ask = (target: string, host = `127.0.0.1:${http.port}`) =>
    answers(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  const own = `http://127.0.0.1:${http.port}`
  expect(await ask(`${own}/api/peers`)).toEqual(['200'])
  expect(await ask(`${own}/api/peers`, 'evil.example')).toEqual(['200'])
  expect(await ask('http://evil.example/api/peers')).toEqual(['401'])
  expect(await ask(`${own}?x=1`)).toEqual(await ask('/?x=1'))
  await http.node.put('a.svg', tinyImage(1))
  expect(await ask(`HTTP://other.example/images/a.svg`)).toEqual(['200'])
  expect(await ask(`http://user@127.0.0.1:${http.port}/api/peers`)).toEqual(['400'])
})

test('a body in a coding that nobody undoes is refused, and nothing is kept of it', async () => {
  const chunk = `${image.length.toString(16)}\r\n${image}\r\n0\r\n\r\n`
  const coded = lines('PUT /images/a.svg HTTP/1.1', 'Transfer-Encoding: gzip, chunked')
  expect(await answers(coded + chunk)).toEqual(['400'])
  expect((await http.send('/images/a.svg')).status).toBe(404)
  const plain = lines(
    'PUT /images/a.svg HTTP/1.1',
    'Transfer-Encoding: Chunked',
    'Connection: close'
  )
  expect(await answers(plain + chunk)).toEqual(['201'])
})
