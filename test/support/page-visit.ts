// A person at the page of a node: goes to a view, and reads what it says.

import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { eventually } from './eventually.ts'

/** What stands for itself, in each view, once it has been asked for. */
const LOADED = {
  images: '#grid .tile',
  mesh: '#mesh-rows tr',
  activity: '#charts .chart canvas',
  safety: '#ladder tr',
  settings: '#config table'
} as const

export type View = keyof typeof LOADED
export const VIEWS = Object.keys(LOADED) as View[]

export class PageVisit {
  readonly #page: Page
  readonly #url: string

  constructor(page: Page, url: string) {
    this.#page = page
    this.#url = url
  }

  async show(view: View): Promise<void> {
    const page = this.#page
    if (!page.url().startsWith(this.#url)) await page.goto(this.#url)
    await page.click(`#views a[href="#/${view}"]`)
    await page.waitForSelector(`#${view}:visible`)
    await page.waitForSelector(LOADED[view])
  }

  textOf(selector: string): Promise<string> {
    // biome-ignore lint/performance/useDomNodeTextContent: what is hidden is not said
    return this.#page.locator(selector).innerText()
  }

  says(selector: string, words: string | RegExp): Promise<void> {
    const look = async () => expect(await this.textOf(selector)).toMatch(words)
    return eventually(look, { withinMs: 20_000 })
  }
}
