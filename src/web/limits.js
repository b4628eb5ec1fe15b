// @ts-check
// How much may pass between this node and others: the limits that hold, to change while it runs.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { onAction } from './notice.js'

/** @typedef {import('./language.js').Key} Key */

/** As the node takes them: decimal units, and binary ones with an i. */
const UNITS = /** @type {const} */ ({
  ...{ GiB: 2 ** 30, GB: 1e9, MiB: 2 ** 20, MB: 1e6, KiB: 1024, KB: 1000, B: 1 }
})
const LIMIT_MIN = 64 * 1024

/**
 * A rate so that nothing of it is lost: "5MB", "500KiB", "1234567B".
 * @param {number} bytes
 */
export function writeRate(bytes) {
  const [unit, size] = Object.entries(UNITS).find(([, one]) => bytes % one === 0) ?? ['B', 1]
  return `${bytes / size}${unit}`
}

/**
 * Bytes a second; null for no limit, undefined for what is none.
 * @param {string} text
 * @returns {number | null | undefined}
 */
export function readRate(text) {
  const words = text.trim()
  if (words === '') return null
  const [, number = '', unit = 'B'] = /^(\d+(?:\.\d+)?)\s*([KMG]i?B|B)?(?:\/s)?$/i.exec(words) ?? []
  const [, size = 1] =
    Object.entries(UNITS).find(([one]) => one.toLowerCase() === unit.toLowerCase()) ?? []
  const bytes = Math.round(Number(number) * size)
  return number !== '' && bytes >= LIMIT_MIN ? bytes : undefined
}

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language }} parts
 */
export function createLimits({ api, language }) {
  const { say } = language
  /** @type {Record<string, number | null>} what the node has said */
  let limits = {}
  let isSaved = false
  let fault = ''
  /** @type {HTMLInputElement | undefined} */
  let faulty

  async function show() {
    isSaved = false
    fault = ''
    faulty = undefined
    try {
      limits = (await api.call('GET', 'api/limits')).limits
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      limits = {}
      fault = api.whyNot(error)
    }
    render()
  }

  function render() {
    need('limits').replaceChildren(...Object.entries(limits).map(row))
    need('limits-form').hidden = Object.keys(limits).length === 0
    tell()
  }

  function tell() {
    const text = faulty === undefined ? fault : say('limits.bad', { text: faulty.value })
    setText('limits-text', text || (isSaved ? say('limits.saved') : ''))
    // that they can't be shown from here is no fault
    need('limits-text').classList.toggle('trouble', text !== '' && inputs().length > 0)
    need('limits-text').classList.toggle('good', text === '' && isSaved)
    for (const input of inputs()) input.ariaInvalid = input === faulty ? 'true' : null
  }

  function inputs() {
    return [...need('limits').querySelectorAll('input')]
  }

  /** @param {[name: string, bytes: number | null]} limit */
  function row([name, bytes]) {
    const id = `limit-${name}`
    const input = make('input', {
      ...{ id, name, autocomplete: 'off', spellcheck: false, maxLength: 20 },
      ...{ value: bytes === null ? '' : writeRate(bytes), placeholder: say('limits.none') }
    })
    input.setAttribute('aria-describedby', 'limits-text')
    const label = make('label', { htmlFor: id }, say(/** @type {Key} */ (`limit.${name}`)))
    return make('div', {}, label, input)
  }

  async function save() {
    faulty = inputs().find(({ value }) => readRate(value) === undefined)
    isSaved = false
    fault = ''
    if (faulty !== undefined) {
      tell()
      faulty.focus()
      return
    }
    const wishes = inputs().map(({ name, value }) => [name, readRate(value) ?? null])
    const changed = wishes.filter(([name, bytes]) => limits[String(name)] !== bytes)
    try {
      const body = Object.fromEntries(changed)
      limits = (await api.call('PUT', 'api/limits', { body })).limits
      isSaved = true
      render()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      fault = error.message
      tell()
    }
  }

  need('limits-form').addEventListener('submit', (event) => event.preventDefault())
  onAction('limits-save', save)
  language.onChange(render)
  return { show }
}
