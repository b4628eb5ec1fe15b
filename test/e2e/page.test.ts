// The page of a node in a real browser, over a small real mesh: every view and what can be done
// there.

import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { makeImage, makeSvg } from '../fixtures/make-images.ts'
import { DESKTOP, openPage, PHONE, seriousFaults } from '../support/browser.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { postJson, put, send } from '../support/http-client.ts'
import { PageBench, testOnPage as test } from '../support/page-bench.ts'
import { VIEWS } from '../support/page-visit.ts'
import { putToReview } from '../support/put-to-review.ts'
import { RealMesh } from '../support/real-mesh.ts'

const at = new PageBench()
const mesh = new RealMesh(at.bench)

beforeAll(
  () =>
    at.open(async (bench) => {
      await mesh.start('a')
      await putToReview(bench, mesh.node('a'), ['old/one.svg', 'old/two.svg'])
      await mesh.start('a')
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
      for (const n of [1, 2, 3]) {
        await put(mesh.url('a'), `cats/tabby-${n}.svg`, makeSvg({ seed: n }))
      }
      await put(mesh.url('a'), 'photo.png', await makeImage('png', { width: 640, height: 480 }))
      return mesh.url('a')
    }),
  90_000
)
afterAll(() => at.close())
beforeEach(() => at.closeBoxes())

test('each view is whole on both sizes, in both languages and schemes', async () => {
  const phone = await openPage(at.browser, PHONE)
  for (const { page: on, errors } of [at, phone]) {
    for (const view of VIEWS) {
      await at.show(view, on)
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
  expect(await at.textOf('#views', phone.page)).toContain('设置')
  expect(await at.textOf('#brief', phone.page)).toMatch(/4 张图片 · 服务器 1 \/ 2/)
  expect(await phone.page.title()).toBe('设置 · a · Tumesh')
  await at.show('mesh', phone.page)
  expect(await at.textOf('#mesh-rows', phone.page)).toMatch(/处没有监听（连接被拒绝）。/)
  await phone.page.context().close()
}, 60_000)

test('the views have addresses, and the keyboard reaches them', async () => {
  await at.show('images')
  await at.show('mesh')
  await at.page.goBack()
  await at.page.waitForSelector('#images:visible')
  await at.page.focus('#skip')
  await at.page.keyboard.press('Enter')
  expect(await at.page.evaluate(() => document.activeElement?.id)).toBe('images')
  await at.page.focus('#views a')
  await at.page.keyboard.press('Tab')
  await at.page.keyboard.press('Enter')
  await at.page.waitForSelector('#mesh:visible')
  expect(await at.page.getAttribute('#views a[href="#/mesh"]', 'aria-current')).toBe('page')
})

test('images are found by a part of their name, a beginning and a hash', async () => {
  await at.show('images')
  const shown = () => at.page.locator('#grid .tile .name').allInnerTexts()
  const finds = (names: string[]) =>
    eventually(async () => expect((await shown()).toSorted()).toEqual(names))
  await at.page.fill('#search', 'TABBY')
  await finds(['tabby-1.svg', 'tabby-2.svg', 'tabby-3.svg'])
  await at.page.selectOption('#search-how', 'prefix')
  await finds([])
  await at.says('#empty-text', /No path starts with “TABBY”/)
  await at.page.fill('#search', sha256(makeSvg({ seed: 2 })))
  await finds(['tabby-2.svg'])
  await at.page.selectOption('#search-how', 'contains')
  await at.page.fill('#search', '')
  await finds(['photo.png', 'tabby-1.svg', 'tabby-2.svg', 'tabby-3.svg'])
})

test('an image tells its story, is renamed, copied, restored, deleted and purged', async () => {
  await at.show('images')
  await at.page.click('.tile:has-text("tabby-1")')
  await at.says('#copies', /a\s+has it · verified[\s\S]*b\s+has it[\s\S]*c\s+does not have it/)
  await at.says('#history', /Added/)
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.click('#detail-verify')
  await at.says('#detail-result', /^Whole/)
  await at.page.click('#detail-rename')
  await at.page.fill('#rename-to', 'cats/moved.svg')
  await at.page.click('#rename-move')
  await at.says('#fact-path', 'cats/moved.svg')
  await at.page.click('#detail-rename')
  await at.page.fill('#rename-to', 'cats/twin.svg')
  await at.page.click('#rename-copy')
  await at.says('#names', /cats\/moved\.svg\s+cats\/twin\.svg/)
  await put(mesh.url('a'), 'cats/moved.svg', makeSvg({ seed: 9 }))
  await at.page.click('#names button')
  await at.says('#fact-path', 'cats/twin.svg')
  await at.page.click('#detail-delete')
  await at.page.click('#detail-yes')
  await at.says('#notice-text', /^Deleted cats\/twin\.svg/)
  await at.page.click('#notice-undo')
  await at.says('#notice-text', /is back/)
  await at.page.click('#notice-close')
  await at.page.click('.tile:has-text("moved")')
  await at.page.click('#history button')
  await at.says('#detail-result', /restored/)
  await at.page.click('#detail-delete')
  await at.page.click('#detail-purge')
  await at.confirm()
  await at.says('#notice-text', /was deleted. Its bytes stay: other images have the same/)
  await at.page.waitForSelector('.tile:has-text("moved")', { state: 'detached' })
  expect(at.errors).toEqual([])
}, 60_000)

test('the mesh is drawn and told, invited to, joined and left', async () => {
  await at.show('mesh')
  await at.says('#mesh-rows', /b[\s\S]*Up to date[\s\S]*c[\s\S]*Offline\s+Nothing listens at/)
  expect(await at.page.locator('#mesh-picture .spot').count()).toBe(3)
  expect(await at.page.locator('#mesh-picture .link-offline').count()).toBe(1)
  await at.page.click('#mesh-invite')
  await at.page.click('#invite-make')
  await at.page.waitForSelector('#invite-qr svg path')
  const line = await at.textOf('#invite-line')
  expect(line).toMatch(/^tumesh-invite:\S+$/)
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.click('#invite-close')
  await eventually(async () => expect(await at.page.textContent('#invite-line')).toBe(''))
  await at.page.click('#mesh-invite')
  await at.page.click('#invite-revoke')
  await at.confirm()
  await at.says('#notice-text', 'Revoked invites: 1.')
  await at.page.click('#mesh-join')
  await at.page.fill('#join-address', 'tumesh-invite:nonsense')
  await at.page.click('#join-go')
  await at.says('#join-text', /invite/)
  await at.page.fill('#join-address', mesh.url('b'))
  await at.page.click('#join-go')
  await at.says('#join-text', /^b: Already connected/)
  await at.page.click('#join-close')
  await at.page.click('#mesh-sync')
  await at.page.click('#mesh-rows tr:has-text("Offline") button')
  await at.says('#confirm-title', /Remove c/)
  await at.confirm()
  await at.page.waitForSelector('#mesh-rows tr:has-text("Offline")', { state: 'detached' })
}, 60_000)

test('what happens is told as it happens', async () => {
  await at.show('activity')
  await at.says('#live', 'Live')
  await at.says('#events', /New image\s+cats\/tabby-1\.svg/)
  await put(mesh.url('b'), 'from/b.svg', makeSvg({ seed: 20 }))
  await at.says('#events', /New image\s+from\/b\.svg[\s\S]*from b/)
  await eventually(async () =>
    expect(await at.textOf('#charts')).toMatch(/received\s+\d[\d.]* K?B\/s/)
  )
  await at.page.click('#chart-range button:has-text("6 hours")')
  await at.page.click('#log-box summary')
  await eventually(async () =>
    expect(await at.page.inputValue('#log')).toMatch(/ entry path=from\/b\.svg/)
  )
  await at.page.click('#audit-box summary')
  await at.says('#audit', /Invited[\s\S]*Renamed[\s\S]*Added/)
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.click('#events button:has-text("from/b.svg")')
  await at.says('#detail-name', 'b.svg')
  await at.page.click('#detail-close')
  // the gallery has heard of it too
  await at.show('images')
  await at.page.waitForSelector('.tile:has-text("b.svg")')
})

test('safety: images are read again, review and trash decided', async () => {
  await at.show('safety')
  await at.says('#safety-sum', /2 images wait/)
  await at.page.click('#verify-all')
  await at.says('#verify-text', /images are whole, 0 damaged, 0 missing/)
  await eventually(async () => {
    await at.page.click('#drain-check')
    await at.says('#drain-text', /safe to switch|only here/)
    expect(await at.textOf('#drain-text')).toMatch(/safe to switch this server off/)
  })
  await at.page.check('#review-list input[value="old/one.svg"]')
  await at.page.click('#review-restore')
  await at.says('#review-text', /^1 restored/)
  await at.says('#review-about', /^1 image may/)
  await at.page.click('#review-all')
  await at.page.click('#review-discard')
  await at.confirm()
  await at.says('#review-about', /^Nothing waits/)
  await send(`${mesh.url('a')}/images/cats/tabby-2.svg`, { method: 'DELETE' })
  await at.show('mesh')
  await at.show('safety')
  await at.page.click('#trash-list li:has-text("tabby-2") button:has-text("Restore")')
  await at.page.waitForSelector('#trash-list li:has-text("tabby-2")', { state: 'detached' })
  expect((await send(`${mesh.url('a')}/images/cats/tabby-2.svg`)).status).toBe(200)
  await at.page.click('#trash-list li:has-text("old/two.svg") button:has-text("for good")')
  await at.confirm()
  await at.says('#notice-text', /purged|for good|deleted/)
  await at.page.waitForSelector('#trash-list li:has-text("old/two.svg")', { state: 'detached' })
}, 60_000)

test('safety: bytes are blocked with a reason, and let in again', async () => {
  await at.show('images')
  await at.page.click('.tile:has-text("tabby-3")')
  await at.page.click('#detail-delete')
  await at.page.click('#detail-block')
  await at.page.fill('#block-reason', 'not ours to show')
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.click('#block-form button[type="submit"]')
  await at.page.waitForSelector('.tile:has-text("tabby-3"):has-text("Blocked")')
  await at.show('safety')
  await at.says('#blocks', /tabby-3\.svg\s+not ours to show · on a/)
  await at.page.click('#blocks button')
  await at.page.waitForSelector('#blocks-card', { state: 'hidden' })
  await at.show('images')
  await at.page.waitForSelector('.tile:has-text("tabby-3"):not(:has-text("Blocked"))')
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
  await at.show('safety')
  await at.says('#pill', 'Critical')
  await at.says('#brakes', /Very many changes at once[\s\S]*\d+ of \d+ images/)
  await at.says('#brakes', /deleted · many\/\d+\.svg[\s\S]*and \d+ more/)
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.click('#brakes button:has-text("Undo it")')
  await at.confirm()
  await at.says('#notice-text', /comes back/)
  await at.page.waitForSelector('#brakes li', { state: 'detached' })
  await eventually(async () => {
    const { body: status } = await send(`${mesh.url('a')}/api/storage-status`)
    expect(status.total_files).toBeGreaterThanOrEqual(130)
  })
}, 60_000)

test('the settings say where they come from, and keys are made and revoked', async () => {
  await at.show('settings')
  await at.page.check('#config-set')
  await at.says('#config', /cluster\.name[\s\S]*test[\s\S]*command line\s+--cluster/)
  expect(await at.textOf('#config')).not.toContain('http.tls_port')
  await at.page.fill('#key-name', 'not a name')
  await at.page.click('#key-form button')
  await at.says('#keys-text', /letters, digits/)
  await at.page.fill('#key-name', 'crawler')
  await at.page.click('#key-form button')
  await at.says('#key-text', /^tumesh_\S+$/)
  await at.page.click('#key-done')
  expect(await at.page.textContent('#key-text')).toBe('')
  await at.page.click('#keys button')
  await at.confirm()
  await at.says('#keys-none', /No key/)
})

test('on another machine the page says what is missing, and works with a key', async () => {
  const { body } = await postJson(`${mesh.url('b')}/api/keys`, { name: 'far', scopes: ['admin'] })
  const far = await openPage(at.browser, {
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
  expect(at.errors).toEqual([])
})
