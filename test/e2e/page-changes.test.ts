// What a person changes on the page of a real node besides looking: uploads by dropping, links that
// end, and a server that is to be switched off.

import { afterAll, beforeAll, expect } from 'vitest'
import { checkSigned } from '../../src/http/signed-url.ts'
import { makeSvg } from '../fixtures/make-images.ts'
import { seriousFaults } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { PageBench, testOnPage as test } from '../support/page-bench.ts'
import { RealMesh } from '../support/real-mesh.ts'

const at = new PageBench()
const mesh = new RealMesh(at.bench)

beforeAll(
  () =>
    at.open(async () => {
      await mesh.start('a', { env: { TUMESH_HTTP_SIGNED_URLS: 'true' } })
      // it keeps only what somebody reads there
      await mesh.start('b', { env: { TUMESH_FILE_STORAGE_SYNC_ENABLED: 'false' } })
      await mesh.connected()
      await put(mesh.url('a'), 'cats/tabby-2.svg', makeSvg({ seed: 2 }))
      return mesh.url('a')
    }),
  90_000
)
afterAll(() => at.close())

test('a link that ends is made, and opens the image for who has no key', async () => {
  await at.show('images')
  await at.page.click('.tile:has-text("tabby-2")')
  await at.page.click('#detail-share')
  await at.page.selectOption('#share-valid', '3600')
  expect(await seriousFaults(at.page)).toEqual([])
  await at.page.click('#share-make')
  await at.says('#share-text', /^It opens the image until /)
  const link = await at.textOf('#share-line')
  const url = new URL(link)
  expect([url.origin, url.pathname]).toEqual([mesh.url('a'), '/images/cats/tabby-2.svg'])
  const left = Number(url.searchParams.get('expires')) - Date.now() / 1000
  expect(left).toBeGreaterThan(3000)
  expect(left).toBeLessThanOrEqual(3600)
  const { body } = await send(`${mesh.url('a')}/api/signing-key`)
  const by = { signingKeys: [body.key], keys: { maySign: () => true } }
  expect(checkSigned(url.pathname + url.search, by, Date.now())).toBe('valid')
  expect((await bytesAt(link)).bytes).toEqual(makeSvg({ seed: 2 }))
  await at.page.click('#detail-close')
  await eventually(async () => expect(await at.page.textContent('#share-line')).toBe(''))
})

test('what is dropped anywhere on the page is uploaded, or refused in words', async () => {
  await at.show('images')
  const dropped = await at.page.evaluateHandle((svg) => {
    const data = new DataTransfer()
    data.items.add(new File([svg], 'dropped.svg', { type: 'image/svg+xml' }))
    data.items.add(new File(['<html></html>'], 'page.jpg', { type: 'image/jpeg' }))
    return data
  }, makeSvg({ seed: 77 }).toString())
  await at.page.dispatchEvent('body', 'dragover', { dataTransfer: dropped })
  await at.page.waitForSelector('body.dropping')
  await at.page.dispatchEvent('body', 'drop', { dataTransfer: dropped })
  await at.page.waitForSelector('body:not(.dropping)')
  for (const row of [
    '[data-state="stored"]:has-text("Stored as dropped_")',
    '[data-state="failed"]:has-text("page.jpg holds HTML")'
  ]) {
    await at.page.waitForSelector(`#uploads li${row}`, { state: 'attached' })
  }
  await at.says('#upload-summary', '1 stored · 1 not stored')
  await at.page.waitForSelector('.tile:has-text("dropped")')
  await at.page.click('#upload-clear')
  expect(await seriousFaults(at.page)).toEqual([])
})

test('what a person asked for is shown, though a later look overtakes it', async () => {
  await at.show('images')
  await at.page.hover('.tile')
  await put(mesh.url('a'), 'held.svg', makeSvg({ seed: 78 }))
  await at.page.waitForSelector('#fresh:not([hidden])')
  const asked = Promise.withResolvers<void>()
  let looks = 0
  await at.page.route('**/api/images?*', async (route) => {
    if (looks++ === 0) await asked.promise
    await route.continue()
  })
  await at.page.click('#fresh')
  await at.page.hover('.tile')
  await put(mesh.url('a'), 'later.svg', makeSvg({ seed: 79 }))
  await eventually(() => expect(looks).toBeGreaterThan(1))
  asked.resolve()
  for (const name of ['held', 'later']) {
    await at.page.waitForSelector(`.tile:has-text("${name}")`)
  }
  await at.page.unroute('**/api/images?*')
})

test('safety: what only this server has is handed over, and it is said to be away', async () => {
  await put(mesh.url('a'), 'only/here.svg', makeSvg({ seed: 88 }))
  await at.show('safety')
  await eventually(
    async () => {
      await at.page.click('#drain-check')
      await at.says('#drain-text', /^\d+ images? (is|are) only here: wait/)
    },
    { withinMs: 30_000 }
  )
  await at.says('#drain-list', 'only/here.svg')
  await at.page.click('#drain-start')
  await at.page.waitForSelector('#drain-bar:visible')
  const { body } = await send(`${mesh.url('a')}/api/images`)
  for (const { path } of body.images) {
    expect((await bytesAt(`${mesh.url('b')}/images/${path}`)).status).toBe(200)
  }
  await at.says('#drain-text', /safe to switch this server off/)
  await at.page.waitForSelector('#drain-bar', { state: 'hidden' })
  await at.page.selectOption('#away-for', '8h')
  await at.page.click('#away-say')
  await at.says('#away-text', /^The others know that this server may be off until /)
  const saidTo = async () => {
    const { body: away } = await send(`${mesh.url('a')}/api/away`)
    return away.away_until
  }
  expect(Date.parse(await saidTo()) - Date.now()).toBeGreaterThan(7 * 3_600_000)
  await at.show('images')
  await at.show('safety')
  await at.says('#away-text', /may be off until/)
  await at.page.click('#away-back')
  await at.says('#away-text', /^$/)
  expect(await saidTo()).toBeNull()
  expect(await seriousFaults(at.page)).toEqual([])
}, 90_000)

test('the page has not complained', () => {
  expect(at.errors).toEqual([])
})
