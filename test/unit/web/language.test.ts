import { describe, expect, it } from 'vitest'

const web = new URL('../../../src/web/', import.meta.url)
const { createLanguage, fill, pickLanguage } = await import(new URL('language.js', web).href)
const { en } = await import(new URL('strings-en.js', web).href)
const { zh } = await import(new URL('strings-zh.js', web).href)

const holesOf = (sentence: string) => sentence.match(/\{\w+\}/g)?.toSorted() ?? []

describe('the two languages', () => {
  it('have the same keys', () => {
    expect(Object.keys(zh).toSorted()).toEqual(Object.keys(en).toSorted())
  })

  it.each(Object.keys(en))('say %s with the same values and some words', (key) => {
    expect(holesOf(zh[key])).toEqual(holesOf(en[key]))
    expect(en[key].trim()).not.toBe('')
    expect(zh[key].trim()).not.toBe('')
  })

  it('differ where there is something to translate', () => {
    const same = Object.keys(en).filter((key) => /[a-z]{3}/i.test(zh[key].replace(/\{\w+\}/g, '')))
    expect(same).toEqual([])
  })
})

describe('fill', () => {
  it('puts values in and leaves unknown holes alone', () => {
    expect(fill('{a} of {b}, {c}', { a: 1234, b: 'two' }, 'en')).toBe('1,234 of two, {c}')
  })

  it('has a word for one and a word for others', () => {
    const sentence = '{count} [image waits|images wait]'
    expect(fill(sentence, { count: 1 }, 'en')).toBe('1 image waits')
    expect(fill(sentence, { count: 0 }, 'en')).toBe('0 images wait')
    expect(fill(sentence, { count: 1200 }, 'en')).toBe('1,200 images wait')
    expect(fill('a [b] {count}', { count: '[x|y]' }, 'en')).toBe('a [b] [x|y]')
  })

  it('never looks into a value, nor at what every object inherits', () => {
    expect(fill('{a} {b}', { a: '{b}', b: '$&' }, 'en')).toBe('{b} $&')
    expect(fill('{constructor}', {}, 'en')).toBe('{constructor}')
  })
})

describe('pickLanguage', () => {
  it.each([
    [['zh-CN', 'en'], 'zh'],
    [['ZH-Hant-TW'], 'zh'],
    [['fr', 'de-AT', 'en-GB', 'zh'], 'en'],
    [['fr'], 'en'],
    [[], 'en']
  ])('of %j is %s', (preferred, name) => {
    expect(pickLanguage(preferred)).toBe(name)
  })
})

describe('createLanguage', () => {
  it('remembers the choice and tells who listens', () => {
    const kept = new Map<string, string>()
    const store = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value)
    }
    const language = createLanguage(['en'], store)
    const heard: string[] = []
    language.onChange(() => heard.push(language.say('close')))
    language.choose('zh')
    expect(heard).toEqual([zh.close])
    expect(createLanguage(['en'], store).name).toBe('zh')
  })
})
