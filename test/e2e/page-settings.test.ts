// What a person changes in the settings of a real node: the secret of the mesh, and how much may
// pass between servers; and how the page speaks Chinese where the node speaks English.

import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { openPage, PHONE, seriousFaults } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { postJson, send } from '../support/http-client.ts'
import { PageBench, testOnPage as test } from '../support/page-bench.ts'
import type { RealNode } from '../support/real-node.ts'

const at = new PageBench()
const nodes: RealNode[] = []

beforeAll(
  () =>
    at.open(async (bench) => {
      for (const name of ['a', 'b', 'c']) nodes.push(await bench.start(name))
      const [a, ...others] = nodes as [RealNode, ...RealNode[]]
      const { body } = await postJson(`${a.url}/api/invite`, {})
      for (const { url } of others) {
        const answer = await postJson(`${url}/api/peers`, { address: body.invite })
        expect(answer.status).toBe(200)
      }
      return a.url
    }),
  90_000
)
afterAll(() => at.close())
beforeEach(() => at.closeBoxes())

const limitsOf = async () => (await send(`${at.url}/api/limits`)).body.limits

test('limits are shown, changed by the keyboard, and refused in words', async () => {
  await at.show('settings')
  await at.page.waitForSelector('#limit-receive_new')
  expect(await at.page.locator('#limits input').count()).toBe(8)
  await at.page.focus('#limit-receive_new')
  await at.page.keyboard.type('7 parsecs')
  await at.page.keyboard.press('Enter')
  await at.says('#limits-text', /^“7 parsecs” is no limit\. Write 5MB/)
  expect(await at.page.getAttribute('#limit-receive_new', 'aria-invalid')).toBe('true')
  expect(await at.page.evaluate(() => document.activeElement?.id)).toBe('limit-receive_new')
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.fill('#limit-receive_new', '5MB')
  await at.page.keyboard.press('Enter')
  await at.says('#limits-text', /^It holds from now on/)
  expect((await limitsOf()).receive_new).toBe(5_000_000)
  // another program changes another one meanwhile: it is not taken back
  await send(`${at.url}/api/limits`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ send_remote: '512KiB' })
  })
  await at.page.fill('#limit-receive_new', '')
  await at.page.click('#limits-save')
  await at.says('#limits-text', /^It holds from now on/)
  expect(await limitsOf()).toMatchObject({ receive_new: null, send_remote: 512 * 1024 })
  expect(await at.page.inputValue('#limit-send_remote')).toBe('512KiB')
})

test('the secret is exchanged after a warning that names who is away', async () => {
  await at.show('settings')
  await at.says('#secret-servers', /b\s+has it\s+c\s+has it/)
  await nodes[2]?.end('SIGKILL')
  await eventually(
    async () => {
      const { body } = await send(`${at.url}/api/storage-status`)
      const away = body.servers.filter((one: { connected_at: unknown }) => !one.connected_at)
      expect(away.map((one: { name: string }) => one.name)).toEqual(['c'])
    },
    { withinMs: 30_000 }
  )
  const before = (await send(`${at.url}/api/secret`)).body.decided_at
  await at.page.click('#secret-rotate')
  await at.says('#rotate-away', /^Not connected now: c\./)
  expect(await at.page.evaluate(() => document.activeElement?.id)).toBe('rotate-no')
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.keyboard.press('Enter')
  await at.page.waitForSelector('#rotate', { state: 'hidden' })
  expect((await send(`${at.url}/api/secret`)).body.decided_at).toBe(before)
  await at.page.click('#secret-rotate')
  await at.page.selectOption('#rotate-window', '3600')
  await at.page.click('#rotate-yes')
  await at.says('#secret-servers', /b\s+has it\s+c\s+not known to have it/)
  await at.says('#secret-former', /^Until .* members may still come/)
  const { body } = await send(`${at.url}/api/secret`)
  expect(Date.parse(body.decided_at)).toBeGreaterThan(Date.parse(before))
  const leftMs = Date.parse(body.former_until) - Date.now()
  expect(leftMs).toBeGreaterThan(3_000_000)
  expect(leftMs).toBeLessThanOrEqual(3_600_000)
}, 60_000)

test('on a phone and in Chinese, with what the node refuses and how keys are explained', async () => {
  const phone = await openPage(at.browser, PHONE)
  const { page } = phone
  await at.show('settings', page)
  await at.says('#secret-servers', /b\s+已持有\s+c\s+尚未确认持有/, page)
  await at.says('#config', /http\.port\s+监听的端口/, page)
  await page.click('#secret-rotate')
  await at.says('#rotate-away', /^现在未连接：c。/, page)
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#rotate-no')
  await page.fill('#key-name', 'not a name')
  await page.click('#key-form button')
  await at.says('#keys-text', /^输入有误：/, page)
  await at.show('mesh', page)
  await page.click('#mesh-join')
  await page.fill('#join-address', 'somewhere')
  await page.click('#join-go')
  await at.says('#join-text', /^“somewhere” 不是节点的地址。/, page)
  await page.fill('#join-address', at.url)
  await page.click('#join-go')
  await at.says('#join-text', '这是本节点自己的地址', page)
  await page.click('#join-close')
  const [width, inner] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth
  ])
  expect(Number(width)).toBeLessThanOrEqual(Number(inner))
  expect(phone.errors).toEqual([])
  await page.context().close()
}, 60_000)

test('the page has not complained', () => {
  expect(at.errors).toEqual([])
})
