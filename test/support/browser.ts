// The system's Chromium, driven by tests, and what it says while a page is open.

import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
/** Generous: processes of other tests run beside it. */
const WAIT_MS = 20_000

/**
 * That the node refuses what a test asks for, the page says itself; and an image may go while its
 * picture is being asked for.
 */
const EXPECTED = / status of (4\d\d .*\/api\/|410 .*\/(thumbnails|blobs)\/)/

export const hasBrowser = existsSync(CHROMIUM)

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}

export const DESKTOP: BrowserContextOptions = {
  viewport: { width: 1280, height: 900 },
  locale: 'en',
  reducedMotion: 'reduce'
}
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  locale: 'zh-CN',
  colorScheme: 'dark',
  reducedMotion: 'reduce'
}

export interface Watched {
  readonly page: Page
  /** Errors of scripts, and what the console was told as an error. */
  readonly errors: string[]
}

export async function openPage(browser: Browser, options: BrowserContextOptions): Promise<Watched> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(WAIT_MS)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)))
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`
    if (message.type() === 'error' && !EXPECTED.test(text)) errors.push(text)
  })
  return { page, errors }
}

/** What axe finds on the page that is serious or worse, as lines for people. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run()
    const isSerious = (impact: unknown) => impact === 'serious' || impact === 'critical'
    return violations
      .filter(({ impact }) => isSerious(impact))
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
  })
}
