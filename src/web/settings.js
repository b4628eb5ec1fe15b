// @ts-check
// The keys, to make and to revoke, and the configuration in force, to read.

import { ApiError } from './api.js'
import { make, need, onClick, setText } from './dom.js'
import { formatTime } from './format.js'
import { confirm } from './notice.js'
import { meanings, unsets } from './settings-zh.js'

/** @import { Language } from './language.js' */

/** @typedef {{ key: string, value: string | null, from: string, origin: string,
 *   meaning: string, unset: string | null }} Setting */

/**
 * By section, in the order in which they come; keys without one first.
 * @param {Setting[]} settings
 * @returns {Map<string, Setting[]>}
 */
export function bySection(settings) {
  /** @type {Map<string, Setting[]>} */
  const sections = new Map()
  for (const setting of settings) {
    const dot = setting.key.indexOf('.')
    const section = dot === -1 ? '' : setting.key.slice(0, dot)
    sections.set(section, [...(sections.get(section) ?? []), setting])
  }
  return sections
}

/**
 * Words of the node in the language of the page; as they are where it has none.
 * @param {string | null} words
 * @param {string | undefined} inChinese
 * @param {Pick<Language, 'name'>} language
 */
export function inWords(words, inChinese, { name }) {
  return (name === 'zh' ? inChinese : undefined) ?? words ?? '–'
}

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   notice: import('./notice.js').Notice }} parts
 */
export function createSettings({ api, language, notice }) {
  const { say } = language
  const onlySet = need('config-set', HTMLInputElement)
  /** @type {Setting[]} */
  let settings = []
  /** @type {Record<string, any>[]} */
  let keys = []
  let failure = ''
  let made = ''

  async function show() {
    try {
      const [config, list] = await Promise.all([
        api.call('GET', 'api/settings'),
        api.call('GET', 'api/keys')
      ])
      settings = config.settings
      keys = list.keys
      failure = ''
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = api.whyNot(error)
    }
    render()
  }

  function render() {
    need('keys').replaceChildren(...keys.map(keyLine))
    need('keys-none').hidden = keys.length > 0 && failure === ''
    setText('keys-none', failure || say('keys.none'))
    need('key-form').hidden = failure !== ''
    setText('key-made-text', made ? say('keys.made', { name: made }) : '')
    const shown = settings.filter(({ from }) => !onlySet.checked || from !== 'default')
    const tables = [...bySection(shown)].map(([section, list]) => table(section, list))
    need('config').replaceChildren(...tables)
    need('config-none').hidden = shown.length > 0
    setText('config-none', failure || say('config.none'))
  }

  /**
   * @param {string} section
   * @param {Setting[]} list
   */
  function table(section, list) {
    const title = section === '' ? say('config.general') : section
    const heads = [say('config.key'), say('config.value'), say('config.from')]
    return make(
      'table',
      { className: 'table settings' },
      make('caption', { textContent: title }),
      make(
        'thead',
        { className: 'unseen' },
        make('tr', {}, ...heads.map((textContent) => make('th', { scope: 'col', textContent })))
      ),
      make('tbody', {}, ...list.map(row))
    )
  }

  /** @param {Setting} setting */
  function row({ key, value, from, origin, meaning, unset }) {
    const shown =
      value === null
        ? make('span', {
            className: 'quiet',
            textContent: inWords(unset, unsets[unset ?? ''], language)
          })
        : make('code', { textContent: value === '' ? '""' : value })
    const words = say(/** @type {'from.file'} */ (`from.${from}`))
    const badge = make('span', { className: 'badge', textContent: words, title: origin })
    badge.dataset.from = from
    const where = make('td', {}, badge)
    if (from !== 'default') where.append(make('code', { className: 'quiet', textContent: origin }))
    return make(
      'tr',
      {},
      make(
        'th',
        { scope: 'row' },
        make('code', { textContent: key }),
        make('span', {
          className: 'quiet',
          textContent: inWords(meaning, meanings[key], language)
        })
      ),
      make('td', {}, shown),
      where
    )
  }

  /** @param {Record<string, any>} key */
  function keyLine({ id, name, scopes, created_at }) {
    const may = scopes
      .map((/** @type {string} */ one) => say(/** @type {'scope.read'} */ (`scope.${one}`)))
      .join(', ')
    const since = say('keys.since', { date: formatTime(created_at, language.name) })
    const revoke = make('button', { type: 'button', className: 'plain danger' }, say('keys.revoke'))
    revoke.ariaLabel = `${say('keys.revoke')} ${name}`
    revoke.onclick = () => take({ id, name })
    const what = make(
      'span',
      { className: 'what' },
      make('b', { textContent: name }),
      make('span', { className: 'quiet', textContent: `${may} · ${since}` })
    )
    return make('li', {}, what, revoke)
  }

  async function makeKey() {
    const input = need('key-name', HTMLInputElement)
    const name = input.value.trim()
    const scopes = [need('key-scope', HTMLSelectElement).value]
    if (name === '') return
    try {
      const answer = await api.call('POST', 'api/keys', { body: { name, scopes } })
      made = name
      setText('key-text', answer.key)
      setText('keys-text', '')
      need('key-made').hidden = false
      input.value = ''
      await show()
      need('key-done').focus()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('keys-text', error.message)
    }
  }

  function forget() {
    made = ''
    setText('key-text', '')
    need('key-made').hidden = true
  }

  /** @param {{ id: string, name: string }} key */
  async function take({ id, name }) {
    const title = say('keys.revoke.title', { name })
    const isSure = await confirm({
      ...{ title, text: say('keys.revoke.text'), yes: say('keys.revoke') }
    })
    if (!isSure) return
    try {
      notice.tell((await api.call('DELETE', `api/keys/${encodeURIComponent(id)}`)).message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      notice.tell(error.message)
    }
    await show()
  }

  need('key-form').addEventListener('submit', (event) => {
    event.preventDefault()
    makeKey()
  })
  onClick('key-done', () => {
    forget()
    need('key-name').focus()
  })
  onlySet.addEventListener('change', render)
  language.onChange(render)
  return { show, hide: forget }
}
