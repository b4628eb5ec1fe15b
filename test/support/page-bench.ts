// Real nodes with a browser at the page of one of them, for the tests of a file.

import type { Browser, Page } from 'playwright-core'
import { test as vitest } from 'vitest'
import { DESKTOP, hasBrowser, launchBrowser, openPage, type Watched } from './browser.ts'
import { PageVisit, type View } from './page-visit.ts'
import { Workbench } from './real-node.ts'

/** Skipped where there is no browser, with the reason. */
export const testOnPage = hasBrowser
  ? vitest
  : (name: string, _: () => unknown) =>
      vitest.skip(`${name}: Chromium is not installed (scripts/install-test-packages.sh)`)

export class PageBench {
  readonly bench = new Workbench()
  #browser: Browser | undefined
  #desktop: Watched | undefined
  #url = ''

  /** `start` resolves to the address of the node whose page is looked at. */
  async open(start: (bench: Workbench) => Promise<string>): Promise<void> {
    if (!hasBrowser) return
    const launching = launchBrowser().then((launched) => {
      this.#browser = launched
      return launched
    })
    this.#url = await start(this.bench)
    this.#desktop = await openPage(await launching, DESKTOP)
  }

  async close(): Promise<void> {
    await this.#browser?.close()
    await this.bench.cleanUp()
  }

  get url(): string {
    return this.#url
  }

  get browser(): Browser {
    return known(this.#browser)
  }

  get page(): Page {
    return known(this.#desktop).page
  }

  /** What the page has complained of. */
  get errors(): readonly string[] {
    return known(this.#desktop).errors
  }

  /** A test that fails leaves no box open for the next. */
  closeBoxes(): Promise<void> | undefined {
    return this.#desktop?.page.keyboard.press('Escape')
  }

  show(view: View, on = this.page): Promise<void> {
    return new PageVisit(on, this.#url).show(view)
  }

  textOf(selector: string, on = this.page): Promise<string> {
    return new PageVisit(on, this.#url).textOf(selector)
  }

  says(selector: string, words: string | RegExp, on = this.page): Promise<void> {
    return new PageVisit(on, this.#url).says(selector, words)
  }

  confirm(): Promise<void> {
    return this.page.click('#confirm-yes')
  }
}

function known<T>(one: T | undefined): T {
  if (one === undefined) throw new Error('the page was not opened')
  return one
}
