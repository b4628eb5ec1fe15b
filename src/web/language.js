// @ts-check
// The language of the page: which one, its words, and the elements of the HTML that carry them.

import { en } from './strings-en.js'
import { zh } from './strings-zh.js'

const WORDS = { en, zh }
const STORED = 'tumesh.language'

/** @typedef {keyof typeof en} Key */
/** @typedef {keyof typeof WORDS} LanguageName */
/** @typedef {ReturnType<typeof createLanguage>} Language */

/**
 * The first language of `preferred` that the page has; English if it has none.
 * @param {readonly string[]} preferred
 * @returns {LanguageName}
 */
export function pickLanguage(preferred) {
  for (const tag of preferred) {
    const name = tag.toLowerCase().split('-')[0]
    if (name === 'en' || name === 'zh') return name
  }
  return 'en'
}

/**
 * Puts values into a sentence: `{size}` becomes `values.size`, and `[image|images]` the word for a
 * `values.count` of one or of others. Values are never looked into again.
 * @param {string} sentence
 * @param {Readonly<Record<string, string | number>>} values
 * @param {string} locale
 */
export function fill(sentence, values, locale) {
  const isOne = values.count === 1 || values.count === '1'
  return sentence.replace(/\{(\w+)\}|\[([^[|]*)\|([^\]|]*)\]/g, (hole, name, one, many) => {
    if (name === undefined) return isOne ? one : many
    return Object.hasOwn(values, name) ? (values[name]?.toLocaleString(locale) ?? '') : hole
  })
}

/**
 * @param {readonly string[]} preferred the browser's languages, best first
 * @param {Pick<Storage, 'getItem' | 'setItem'>} store remembers the choice
 */
export function createLanguage(preferred, store) {
  let name = pickLanguage([store.getItem(STORED) ?? '', ...preferred])
  /** @type {(() => void)[]} */
  const listeners = []
  return {
    get name() {
      return name
    },
    /**
     * @param {Key} key
     * @param {Readonly<Record<string, string | number>>} [values] numbers get their separators
     */
    say: (key, values = {}) => fill(WORDS[name][key], values, name),
    /** @param {string} key whether there are words for it */
    has: (key) => Object.hasOwn(en, key),
    /** @param {LanguageName} next */
    choose(next) {
      name = next
      store.setItem(STORED, next)
      for (const listener of listeners) listener()
    },
    /** @param {() => void} listener runs after every change */
    onChange(listener) {
      listeners.push(listener)
    }
  }
}

/**
 * Writes the words into all elements that name one.
 * @param {Document} page
 * @param {Language} language
 */
export function translate(page, language) {
  page.documentElement.lang = language.name === 'zh' ? 'zh-CN' : 'en'
  for (const node of page.querySelectorAll(
    '[data-say], [data-say-label], [data-say-placeholder]'
  )) {
    if (!(node instanceof HTMLElement)) continue
    const { say, sayLabel, sayPlaceholder } = node.dataset
    if (say) node.textContent = language.say(/** @type {Key} */ (say))
    if (sayLabel) node.ariaLabel = language.say(/** @type {Key} */ (sayLabel))
    if (sayPlaceholder && node instanceof HTMLInputElement)
      node.placeholder = language.say(/** @type {Key} */ (sayPlaceholder))
  }
}
