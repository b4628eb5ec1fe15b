import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

let http: HttpNode
let host: string
/** Keyless access is of no help here: a page of another name speaks, as over a network. */
let page: Record<string, string>
beforeEach(async () => {
  http = await startHttpNode({ options: { read: 'key' } })
  await http.node.put('a.svg', tinyImage(1))
  host = `photos.lan:${http.port}`
  page = { Host: host, Origin: `http://${host}` }
})
afterEach(() => http.close())

const login = (key: string, headers = page) =>
  http.send('/api/login', { method: 'POST', body: JSON.stringify({ key }), headers })
async function cookie(): Promise<Record<string, string>> {
  const { headers } = await login(LOCAL_KEY)
  return { Cookie: `other=1; ${String(headers['set-cookie']).split(';')[0]}`, Host: host }
}
const remove = (headers: Record<string, string>) =>
  http.send('/images/a.svg', { method: 'DELETE', headers })

test('a key becomes a cookie that scripts and other sites can not use', async () => {
  const { status, headers, json } = await login(LOCAL_KEY)
  expect([status, json.message]).toEqual([200, 'Logged in as local.'])
  expect(String(headers['set-cookie'])).toMatch(
    /^tumesh_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/
  )
  expect(String(headers['set-cookie'])).not.toContain(LOCAL_KEY)
})

test('who is logged in reads and changes what the key allows', async () => {
  expect((await http.send('/images/a.svg', { headers: page })).status).toBe(401)
  const session = await cookie()
  expect((await http.send('/images/a.svg', { headers: session })).status).toBe(200)
  expect((await http.send('/api/session', { headers: session })).json).toEqual({
    ...{ as: 'key', key: 'local' }
  })
  expect((await remove({ ...session, ...page })).status).toBe(200)
})

test.each([
  ['no page', {}],
  ['a page of another site', { Origin: 'http://evil.test' }],
  ['another port', { Origin: 'http://photos.lan:1' }],
  ['a page without an origin', { Origin: 'null' }],
  ['a browser that says so', { 'Sec-Fetch-Site': 'cross-site' }],
  ['a neighbour of the site', { 'Sec-Fetch-Site': 'same-site' }]
])('a cookie changes nothing for %s', async (_, headers) => {
  const session = await cookie()
  expect((await remove({ ...session, ...headers })).status).toBe(403)
  expect((await http.send('/images/a.svg', { headers: session })).status).toBe(200)
})

test('nobody logs in for another site, or with a key that is none', async () => {
  expect((await login(LOCAL_KEY, { ...page, Origin: 'http://evil.test' })).status).toBe(403)
  const wrong = await login('wrong')
  expect([wrong.status, wrong.headers['set-cookie']]).toEqual([401, undefined])
  const far = await login(LOCAL_KEY, { ...page, 'X-Forwarded-For': '203.0.113.1' })
  expect(far.status).toBe(401) // the local key is for this machine
})

test('after logging out, and after 12 hours, the cookie opens nothing', async () => {
  const session = await cookie()
  const out = await http.send('/api/logout', { method: 'POST', headers: { ...session, ...page } })
  expect(String(out.headers['set-cookie'])).toMatch(/^tumesh_session=; Path=\/; Max-Age=0;/)
  expect((await http.send('/images/a.svg', { headers: session })).status).toBe(401)
  const later = await cookie()
  http.node.clock.advance(12 * 3_600_000)
  expect((await http.send('/images/a.svg', { headers: later })).status).toBe(401)
})

test('a cookie that was made up is none', async () => {
  const made = { Cookie: `tumesh_session=${'A'.repeat(43)}`, Host: host }
  expect((await http.send('/images/a.svg', { headers: made })).status).toBe(401)
})
