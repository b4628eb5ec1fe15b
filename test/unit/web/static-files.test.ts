import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadStaticFiles } from '../../../src/web/static-files.ts'

const web = new URL('../../../src/web/', import.meta.url)
const files = await loadStaticFiles()
const text = (url: string) => files.get(url)?.body.toString() ?? ''
const page = text('/')
const scripts = [...files.keys()].filter((url) => url.endsWith('.js'))
const { en } = await import(new URL('strings-en.js', web).href)

describe('loadStaticFiles', () => {
  it('serves every file of the page and nothing else', () => {
    const isOfPage = (name: string) => /\.(html|css|js)$/.test(name) && !name.startsWith('docs.')
    const names = readdirSync(web).filter(isOfPage)
    const urls = names.map((name) => (name === 'page.html' ? '/' : `/web/${name}`))
    expect([...files.keys()].toSorted()).toEqual(urls.toSorted())
  })

  it('gives media types and strong, distinct tags', () => {
    expect(files.get('/')?.mediaType).toBe('text/html; charset=utf-8')
    expect(files.get('/web/page.js')?.mediaType).toBe('text/javascript; charset=utf-8')
    expect(files.get('/web/page.css')?.mediaType).toBe('text/css; charset=utf-8')
    const tags = [...files.values()].map(({ etag }) => etag)
    expect(new Set(tags).size).toBe(files.size)
    for (const tag of tags) expect(tag).toMatch(/^"[0-9a-f]{64}"$/)
  })
})

describe('the page', () => {
  it.each(scripts)('%s builds nodes, never markup or code from text', (url) => {
    expect(text(url)).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|eval\(|new Function|setAttribute\('(style|on)/
    )
  })

  it('has nothing inline that its content security policy forbids', () => {
    expect(page).not.toMatch(/\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)|javascript:/)
  })

  it('asks no other host', () => {
    for (const url of files.keys()) {
      const hosts = text(url).match(/https?:\/\/[^'"`\s$]+/g) ?? []
      const foreign = hosts.filter(
        (host) => !/^http:\/\/(127\.0\.0\.1|host:8000|www\.w3\.org\/2000\/svg)/.test(host)
      )
      expect(foreign).toEqual([])
    }
  })

  it('has every element that a script needs', () => {
    const ids = new Set([...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))
    const needed = scripts.flatMap((url) =>
      [...text(url).matchAll(/(?:need|setText|onClick)\(\s*'([^']+)'/g)].map(([, id]) => id)
    )
    expect(needed.length).toBeGreaterThan(40)
    expect(needed.filter((id) => !ids.has(id))).toEqual([])
    const copied = [...page.matchAll(/data-copies="([^"]+)"/g)].map(([, id]) => id)
    expect(copied.filter((id) => !ids.has(id))).toEqual([])
  })

  it('has the English words where it names them', () => {
    const named = [...page.matchAll(/data-say="([^"]+)"[^>]*>([^<]*)</g)]
    expect(named.length).toBeGreaterThan(30)
    for (const [, key, words] of named) expect(words).toBe(en[key ?? ''])
    for (const [, key] of page.matchAll(/data-say-(?:label|placeholder)="([^"]+)"/g))
      expect(Object.hasOwn(en, key ?? '')).toBe(true)
  })

  it('uses every word it has', () => {
    const used =
      page +
      scripts
        .filter((url) => !url.includes('strings'))
        .map(text)
        .join('\n')
    const computed = [
      /^(status|servers|count|view|live|task|event|did|happened|scope|from|lost|why|gallery\.nothing)\./,
      /^(disk\.(ok|low|full)|(trash|stopped)\.(deleted|replaced|blocked)|brake\.(confirm\.)?(loss|changes))$/,
      /^(secret\.(none|file|mesh)$|limit\.)/,
      /^upload\.(sum\.|stored|duplicate)/
    ]
    const unused = Object.keys(en).filter(
      (key) => !computed.some((one) => one.test(key)) && !used.includes(key)
    )
    expect(unused).toEqual([])
  })
})
