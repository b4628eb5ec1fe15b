// What a person changes on the page of a real node besides looking: uploads by dropping, links that
// end, and a server that is to be switched off.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test as vitest } from 'vitest'
import { checkSigned } from '../../src/http/signed-url.ts'
import { makeSvg } from '../fixtures/make-images.ts'
import {
  DESKTOP,
  hasBrowser,
  launchBrowser,
  openPage,
  seriousFaults,
  type Watched
} from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { PageVisit, type View } from '../support/page-visit.ts'
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
  const signing = { env: { TUMESH_HTTP_SIGNED_URLS: 'true' } }
  const launching = launchBrowser()
  await mesh.start('a', signing)
  // it keeps only what somebody reads there
  await mesh.start('b', { env: { TUMESH_FILE_STORAGE_SYNC_ENABLED: 'false' } })
  await mesh.connected()
  await put(mesh.url('a'), 'cats/tabby-2.svg', makeSvg({ seed: 2 }))
  browser = await launching
  desktop = await openPage(browser, DESKTOP)
  page = desktop.page
}, 90_000)

afterAll(async () => {
  await browser?.close()
  await bench?.cleanUp()
})

const show = (view: View) => new PageVisit(page, mesh.url('a')).show(view)
const textOf = (selector: string) => new PageVisit(page, mesh.url('a')).textOf(selector)
const says = (selector: string, words: string | RegExp) =>
  new PageVisit(page, mesh.url('a')).says(selector, words)

test('a link that ends is made, and opens the image for who has no key', async () => {
  await show('images')
  await page.click('.tile:has-text("tabby-2")')
  await page.click('#detail-share')
  await page.selectOption('#share-valid', '3600')
  expect(await seriousFaults(page)).toEqual([])
  await page.click('#share-make')
  await says('#share-text', /^It opens the image until /)
  const link = await textOf('#share-line')
  const url = new URL(link)
  expect([url.origin, url.pathname]).toEqual([mesh.url('a'), '/images/cats/tabby-2.svg'])
  const left = Number(url.searchParams.get('expires')) - Date.now() / 1000
  expect(left).toBeGreaterThan(3000)
  expect(left).toBeLessThanOrEqual(3600)
  const { body } = await send(`${mesh.url('a')}/api/signing-key`)
  const by = { signingKeys: [body.key], keys: { maySign: () => true } }
  expect(checkSigned(url.pathname + url.search, by, Date.now())).toBe('valid')
  expect((await bytesAt(link)).bytes).toEqual(makeSvg({ seed: 2 }))
  await page.click('#detail-close')
  await eventually(async () => expect(await page.textContent('#share-line')).toBe(''))
})

test('what is dropped anywhere on the page is uploaded, or refused in words', async () => {
  await show('images')
  const dropped = await page.evaluateHandle((svg) => {
    const data = new DataTransfer()
    data.items.add(new File([svg], 'dropped.svg', { type: 'image/svg+xml' }))
    data.items.add(new File(['<html></html>'], 'page.jpg', { type: 'image/jpeg' }))
    return data
  }, makeSvg({ seed: 77 }).toString())
  await page.dispatchEvent('body', 'dragover', { dataTransfer: dropped })
  await page.waitForSelector('body.dropping')
  await page.dispatchEvent('body', 'drop', { dataTransfer: dropped })
  await page.waitForSelector('body:not(.dropping)')
  for (const row of [
    '[data-state="stored"]:has-text("Stored as dropped_")',
    '[data-state="failed"]:has-text("page.jpg holds HTML")'
  ]) {
    await page.waitForSelector(`#uploads li${row}`, { state: 'attached' })
  }
  await says('#upload-summary', '1 stored · 1 not stored')
  await page.waitForSelector('.tile:has-text("dropped")')
  await page.click('#upload-clear')
  expect(await seriousFaults(page)).toEqual([])
})

test('safety: what only this server has is handed over, and it is said to be away', async () => {
  await put(mesh.url('a'), 'only/here.svg', makeSvg({ seed: 88 }))
  await show('safety')
  await eventually(
    async () => {
      await page.click('#drain-check')
      await says('#drain-text', /^\d+ images? (is|are) only here: wait/)
    },
    { withinMs: 30_000 }
  )
  await says('#drain-list', 'only/here.svg')
  await page.click('#drain-start')
  await page.waitForSelector('#drain-bar:visible')
  const { body } = await send(`${mesh.url('a')}/api/images`)
  for (const { path } of body.images) {
    expect((await bytesAt(`${mesh.url('b')}/images/${path}`)).status).toBe(200)
  }
  await says('#drain-text', /safe to switch this server off/)
  await page.waitForSelector('#drain-bar', { state: 'hidden' })
  await page.selectOption('#away-for', '8h')
  await page.click('#away-say')
  await says('#away-text', /^The others know that this server may be off until /)
  const saidTo = async () => {
    const { body: away } = await send(`${mesh.url('a')}/api/away`)
    return away.away_until
  }
  expect(Date.parse(await saidTo()) - Date.now()).toBeGreaterThan(7 * 3_600_000)
  await show('images')
  await show('safety')
  await says('#away-text', /may be off until/)
  await page.click('#away-back')
  await says('#away-text', /^$/)
  expect(await saidTo()).toBeNull()
  expect(await seriousFaults(page)).toEqual([])
}, 90_000)

test('the page has not complained', () => {
  expect(desktop.errors).toEqual([])
})
