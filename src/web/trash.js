// @ts-check
// What was deleted or replaced lately, to bring back or to let go.

import { ApiError } from './api.js'
import { make, need, onClick, setText } from './dom.js'
import { formatAgo, formatSize, formatTime, imageUrl } from './format.js'
import { confirm } from './notice.js'

/** @import { Language } from './language.js' */

const PAGE = 20

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   notice: import('./notice.js').Notice, onOpen: (path: string) => void,
 *   onChange: () => void }} parts
 */
export function createTrash({ api, language, notice, onOpen, onChange }) {
  const { say } = language
  /** @type {Record<string, any>[]} */
  let files = []
  /** @type {string | null} */
  let next = null
  let size = 0
  let failure = ''

  /** @param {string | null} [cursor] */
  async function load(cursor) {
    try {
      const query = new URLSearchParams({ limit: String(PAGE), ...(cursor && { cursor }) })
      const answer = await api.call('GET', `api/trash?${query}`)
      files = cursor ? [...files, ...answer.files] : answer.files
      next = answer.next_cursor
      size = answer.size
      failure = ''
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = api.whyNot(error)
    }
    paint()
  }

  function paint() {
    need('trash-list').hidden = files.length === 0
    need('trash-list').replaceChildren(...files.map(line))
    need('trash-more').hidden = next === null
    need('trash-none').hidden = files.length > 0 && failure === ''
    setText('trash-none', failure || say('trash.none'))
    setText('trash-sum', files.length > 0 ? say('trash.sum', { size: formatSize(size) }) : '')
  }

  /** @param {Record<string, any>} file */
  function line(file) {
    const { path, why, since, recoverable_until: until, sha256 } = file
    const { name } = language
    const words = [
      formatSize(file.size),
      say(/** @type {'trash.deleted'} */ (`trash.${why}`), { time: formatAgo(since, name) }),
      say('trash.until', { date: formatTime(until, name) })
    ]
    const link = make('button', { type: 'button', className: 'link name', textContent: path })
    link.title = path
    link.onclick = () => onOpen(path)
    const back = make('button', { type: 'button', className: 'plain' }, say('trash.restore'))
    back.ariaLabel = `${say('trash.restore')} ${path}`
    back.onclick = () => act('POST', 'api/restore', { path, sha256 })
    const actions = make('span', { className: 'actions' }, back)
    // to purge a path that is another image now would take that one too
    if (why === 'deleted') {
      const purge = make(
        'button',
        { type: 'button', className: 'plain danger' },
        say('trash.purge')
      )
      purge.ariaLabel = `${say('trash.purge')} ${path}`
      purge.onclick = () => letGo(path, file.filename)
      actions.append(purge)
    }
    const facts = make('span', { className: 'quiet', textContent: words.join(' · ') })
    return make('li', {}, make('span', { className: 'what' }, link, facts), actions)
  }

  /**
   * @param {string} path
   * @param {string} name
   */
  async function letGo(path, name) {
    const title = say('trash.purge.title', { name })
    const isSure = await confirm({
      ...{ title, text: say('trash.purge.text'), yes: say('trash.purge') }
    })
    if (isSure) await act('DELETE', `${imageUrl(path)}?purge=true`)
  }

  /**
   * @param {'POST' | 'DELETE'} method
   * @param {string} url
   * @param {unknown} [body]
   */
  async function act(method, url, body) {
    try {
      notice.tell((await api.call(method, url, { body })).message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      notice.tell(error.message)
    }
    await load()
    onChange()
  }

  onClick('trash-more', () => load(next))
  language.onChange(paint)
  return { show: () => load() }
}
