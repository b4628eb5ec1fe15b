// The page of a node in a real browser, over a small real mesh: every view and what can be done
// there.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test as vitest } from 'vitest'
import { makeImage, makeSvg } from '../fixtures/make-images.ts'
import {
  DESKTOP,
  hasBrowser,
  launchBrowser,
  openPage,
  PHONE,
  seriousFaults,
  type Watched
} from '../support/browser.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { postJson, put, send } from '../support/http-client.ts'
import { PageVisit, VIEWS, type View } from '../support/page-visit.ts'
import { putToReview } from '../support/put-to-review.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const test = hasBrowser
  ? vitest
  : (name: string, _: () => unknown) =>
      vitest.skip(`${name}: Chromium is not installed (scripts/install-test-packages.sh)`)

let bench: Workbench
let mesh: RealMesh
let browser: Browser
let desktop: Watched
let page: Page

beforeAll(async () => {
  if (!hasBrowser) return
  bench = new Workbench()
  mesh = new RealMesh(bench)
  await mesh.start('a')
  await putToReview(bench, mesh.node('a'), ['old/one.svg', 'old/two.svg'])
  await Promise.all([mesh.start('a'), launchBrowser().then((launched) => (browser = launched))])
  await mesh.start('b')
  await mesh.start('c')
  await eventually(
    async () => {
      const { body } = await send(`${mesh.url('a')}/api/storage-status`)
      const states = body.servers.map((one: { status: string }) => one.status)
      expect(states).toEqual(['online', 'online'])
    },
    { withinMs: 60_000 }
  )
  await mesh.node('c').end('SIGKILL')
  for (const n of [1, 2, 3]) await put(mesh.url('a'), `cats/tabby-${n}.svg`, makeSvg({ seed: n }))
  await put(mesh.url('a'), 'photo.png', await makeImage('png', { width: 640, height: 480 }))
  desktop = await openPage(browser, DESKTOP)
  page = desktop.page
}, 90_000)

afterAll(async () => {
  await browser?.close()
  await bench?.cleanUp()
})

// a test that fails leaves no box open for the next
beforeEach(() => page?.keyboard.press('Escape'))

const visit = (on: Page) => new PageVisit(on, mesh.url('a'))
const show = (view: View, on = page) => visit(on).show(view)
const textOf = (selector: string, on = page) => visit(on).textOf(selector)
const says = (selector: string, words: string | RegExp) => visit(page).says(selector, words)
const confirmIt = () => page.click('#confirm-yes')

test('each view is whole on both sizes, in both languages and schemes', async () => {
  const phone = await openPage(browser, PHONE)
  for (const { page: on, errors } of [desktop, phone]) {
    for (const view of VIEWS) {
      await show(view, on)
      expect([view, await seriousFaults(on)]).toEqual([view, []])
      // nothing is wider than the window
      const [width, inner] = await on.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth
      ])
      expect([view, Number(width) <= Number(inner)]).toEqual([view, true])
    }
    expect(errors).toEqual([])
  }
  expect(await textOf('#views', phone.page)).toContain('设置')
  expect(await textOf('#brief', phone.page)).toMatch(/4 张图片 · 服务器 1 \/ 2/)
  expect(await phone.page.title()).toBe('设置 · a · Tumesh')
  await show('mesh', phone.page)
  expect(await textOf('#mesh-rows', phone.page)).toMatch(/处没有监听（连接被拒绝）。/)
  await phone.page.context().close()
}, 60_000)

test('the views have addresses, and the keyboard reaches them', async () => {
  await show('images')
  await show('mesh')
  await page.goBack()
  await page.waitForSelector('#images:visible')
  await page.focus('#skip')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('images')
  await page.focus('#views a')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#mesh:visible')
  expect(await page.getAttribute('#views a[href="#/mesh"]', 'aria-current')).toBe('page')
})

test('images are found by a part of their name, a beginning and a hash', async () => {
  await show('images')
  const shown = () => page.locator('#grid .tile .name').allInnerTexts()
  const finds = (names: string[]) =>
    eventually(async () => expect((await shown()).toSorted()).toEqual(names))
  await page.fill('#search', 'TABBY')
  await finds(['tabby-1.svg', 'tabby-2.svg', 'tabby-3.svg'])
  await page.selectOption('#search-how', 'prefix')
  await finds([])
  await says('#empty-text', /No path starts with “TABBY”/)
  await page.fill('#search', sha256(makeSvg({ seed: 2 })))
  await finds(['tabby-2.svg'])
  await page.selectOption('#search-how', 'contains')
  await page.fill('#search', '')
  await finds(['photo.png', 'tabby-1.svg', 'tabby-2.svg', 'tabby-3.svg'])
})

test('an image tells its story, is renamed, copied, restored, deleted and purged', async () => {
  await show('images')
  await page.click('.tile:has-text("tabby-1")')
  await says('#copies', /a\s+has it · verified[\s\S]*b\s+has it[\s\S]*c\s+does not have it/)
  await says('#history', /Added/)
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#detail-verify')
  await says('#detail-result', /^Whole/)
  await page.click('#detail-rename')
  await page.fill('#rename-to', 'cats/moved.svg')
  await page.click('#rename-move')
  await says('#fact-path', 'cats/moved.svg')
  await page.click('#detail-rename')
  await page.fill('#rename-to', 'cats/twin.svg')
  await page.click('#rename-copy')
  await says('#names', /cats\/moved\.svg\s+cats\/twin\.svg/)
  await put(mesh.url('a'), 'cats/moved.svg', makeSvg({ seed: 9 }))
  await page.click('#names button')
  await says('#fact-path', 'cats/twin.svg')
  await page.click('#detail-delete')
  await page.click('#detail-yes')
  await says('#notice-text', /^Deleted cats\/twin\.svg/)
  await page.click('#notice-undo')
  await says('#notice-text', /is back/)
  await page.click('#notice-close')
  await page.click('.tile:has-text("moved")')
  await page.click('#history button')
  await says('#detail-result', /restored/)
  await page.click('#detail-delete')
  await page.click('#detail-purge')
  await confirmIt()
  await says('#notice-text', /deleted for good/)
  await page.waitForSelector('.tile:has-text("moved")', { state: 'detached' })
  expect(desktop.errors).toEqual([])
}, 60_000)

test('the mesh is drawn and told, invited to, joined and left', async () => {
  await show('mesh')
  await says('#mesh-rows', /b[\s\S]*Up to date[\s\S]*c[\s\S]*Offline\s+Nothing listens at/)
  expect(await page.locator('#mesh-picture .spot').count()).toBe(3)
  expect(await page.locator('#mesh-picture .link-offline').count()).toBe(1)
  await page.click('#mesh-invite')
  await page.click('#invite-make')
  await page.waitForSelector('#invite-qr svg path')
  const line = await textOf('#invite-line')
  expect(line).toMatch(/^tumesh-invite:\S+$/)
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#invite-close')
  await eventually(async () => expect(await page.textContent('#invite-line')).toBe(''))
  await page.click('#mesh-invite')
  await page.click('#invite-revoke')
  await confirmIt()
  await says('#notice-text', 'Revoked invites: 1.')
  await page.click('#mesh-join')
  await page.fill('#join-address', 'tumesh-invite:nonsense')
  await page.click('#join-go')
  await says('#join-text', /invite/)
  await page.fill('#join-address', mesh.url('b'))
  await page.click('#join-go')
  await says('#join-text', /^b: Already connected/)
  await page.click('#join-close')
  await page.click('#mesh-sync')
  await page.click('#mesh-rows tr:has-text("Offline") button')
  await says('#confirm-title', /Remove c/)
  await confirmIt()
  await page.waitForSelector('#mesh-rows tr:has-text("Offline")', { state: 'detached' })
}, 60_000)

test('what happens is told as it happens', async () => {
  await show('activity')
  await says('#live', 'Live')
  await says('#events', /New image\s+cats\/tabby-1\.svg/)
  await put(mesh.url('b'), 'from/b.svg', makeSvg({ seed: 20 }))
  await says('#events', /New image\s+from\/b\.svg[\s\S]*from b/)
  await eventually(async () =>
    expect(await textOf('#charts')).toMatch(/received\s+\d[\d.]* K?B\/s/)
  )
  await page.click('#chart-range button:has-text("6 hours")')
  await page.click('#log-box summary')
  await eventually(async () =>
    expect(await page.inputValue('#log')).toMatch(/ entry path=from\/b\.svg/)
  )
  await page.click('#audit-box summary')
  await says('#audit', /Invited[\s\S]*Renamed[\s\S]*Added/)
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#events button:has-text("from/b.svg")')
  await says('#detail-name', 'b.svg')
  await page.click('#detail-close')
  // the gallery has heard of it too
  await show('images')
  await page.waitForSelector('.tile:has-text("b.svg")')
})

test('safety: images are read again, review and trash decided', async () => {
  await show('safety')
  await says('#safety-sum', /2 images wait/)
  await page.click('#verify-all')
  await says('#verify-text', /images are whole, 0 damaged, 0 missing/)
  await eventually(async () => {
    await page.click('#drain-check')
    await says('#drain-text', /safe to switch|only here/)
    expect(await textOf('#drain-text')).toMatch(/safe to switch this server off/)
  })
  await page.check('#review-list input[value="old/one.svg"]')
  await page.click('#review-restore')
  await says('#review-text', /^1 restored/)
  await says('#review-about', /^1 image may/)
  await page.click('#review-all')
  await page.click('#review-discard')
  await confirmIt()
  await says('#review-about', /^Nothing waits/)
  await send(`${mesh.url('a')}/images/cats/tabby-2.svg`, { method: 'DELETE' })
  await show('mesh')
  await show('safety')
  await page.click('#trash-list li:has-text("tabby-2") button:has-text("Restore")')
  await page.waitForSelector('#trash-list li:has-text("tabby-2")', { state: 'detached' })
  expect((await send(`${mesh.url('a')}/images/cats/tabby-2.svg`)).status).toBe(200)
  await page.click('#trash-list li:has-text("old/two.svg") button:has-text("for good")')
  await confirmIt()
  await says('#notice-text', /purged|for good|deleted/)
  await page.waitForSelector('#trash-list li:has-text("old/two.svg")', { state: 'detached' })
}, 60_000)

test('safety: bytes are blocked with a reason, and let in again', async () => {
  await show('images')
  await page.click('.tile:has-text("tabby-3")')
  await page.click('#detail-delete')
  await page.click('#detail-block')
  await page.fill('#block-reason', 'not ours to show')
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#block-form button[type="submit"]')
  await page.waitForSelector('.tile:has-text("tabby-3"):has-text("Blocked")')
  await show('safety')
  await says('#blocks', /tabby-3\.svg\s+not ours to show · on a/)
  await page.click('#blocks button')
  await page.waitForSelector('#blocks-card', { state: 'hidden' })
  await show('images')
  await page.waitForSelector('.tile:has-text("tabby-3"):not(:has-text("Blocked"))')
})

test('safety: a brake says what happened, and undoes it', async () => {
  const paths = Array.from({ length: 130 }, (_, n) => `many/${n}.svg`)
  await Promise.all(paths.map((path, n) => put(mesh.url('a'), path, makeSvg({ seed: 1000 + n }))))
  const { body } = await send(`${mesh.url('a')}/api/images`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ paths })
  })
  expect(body.task_id).toBeDefined()
  await show('safety')
  await says('#pill', 'Critical')
  await says('#brakes', /Very many changes at once[\s\S]*\d+ of \d+ images/)
  await says('#brakes', /deleted · many\/\d+\.svg[\s\S]*and \d+ more/)
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#brakes button:has-text("Undo it")')
  await confirmIt()
  await says('#notice-text', /comes back/)
  await page.waitForSelector('#brakes li', { state: 'detached' })
  await eventually(async () => {
    const { body: status } = await send(`${mesh.url('a')}/api/storage-status`)
    expect(status.total_files).toBeGreaterThanOrEqual(130)
  })
}, 60_000)

test('the settings say where they come from, and keys are made and revoked', async () => {
  await show('settings')
  await page.check('#config-set')
  await says('#config', /cluster\.name[\s\S]*test[\s\S]*command line\s+--cluster/)
  expect(await textOf('#config')).not.toContain('http.tls_port')
  await page.fill('#key-name', 'not a name')
  await page.click('#key-form button')
  await says('#keys-text', /letters, digits/)
  await page.fill('#key-name', 'crawler')
  await page.click('#key-form button')
  await says('#key-text', /^tumesh_\S+$/)
  await page.click('#key-done')
  expect(await page.textContent('#key-text')).toBe('')
  await page.click('#keys button')
  await confirmIt()
  await says('#keys-none', /No key/)
})

test('on another machine the page says what is missing, and works with a key', async () => {
  const { body } = await postJson(`${mesh.url('b')}/api/keys`, { name: 'far', scopes: ['admin'] })
  const far = await openPage(browser, {
    ...DESKTOP,
    extraHTTPHeaders: { 'X-Forwarded-For': '10.1.2.3' }
  })
  await far.page.goto(`${mesh.url('b')}/#/settings`)
  await far.page.waitForSelector('#access:visible')
  expect(await seriousFaults(far.page)).toEqual([])
  await far.page.fill('#access-key', body.key)
  await far.page.click('#access-form button[type="submit"]')
  await far.page.waitForSelector('#config table')
  await far.page.click('#views a[href="#/activity"]')
  await far.page.waitForSelector('#live[data-state="on"]')
  await far.page.context().close()
})

test('no view has complained', () => {
  expect(desktop.errors).toEqual([])
})
