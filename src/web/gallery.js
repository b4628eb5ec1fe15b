// @ts-check
// The latest images, newest first: a page at a time, by name or hash, kept current without moving
// under the hand of who looks.

import { ApiError } from './api.js'
import { make, need, onClick, setText } from './dom.js'
import { blobUrl, extensionLabel, formatSize, tileUrl } from './format.js'

/** @import { ImageList, ListedImage } from './api.js' */
/** @import { Language } from './language.js' */

const PAGE_IMAGES = 60
/** What is shown is asked again in one question up to here. */
const REFRESH_IMAGES_MAX = 300
/** What no small picture can be made of is loaded whole, up to here. */
const TILE_BYTES_MAX = 2_000_000
const TYPING_MS = 250
/** Pages of a search that find nothing are followed by the next, so many at once. */
const EMPTY_PAGES_MAX = 5

/**
 * What a person looks for: a hash is known by its form.
 * @param {string} text
 * @param {string} how contains or prefix
 * @returns {{ how: 'contains' | 'prefix' | 'hash' | undefined, text: string }}
 */
export function searchOf(text, how) {
  const wanted = text.trim()
  if (wanted === '') return { how: undefined, text: '' }
  if (/^([0-9a-f]{32}|[0-9a-f]{64}|bafkrei[a-z2-7]{52})$/i.test(wanted))
    return { how: 'hash', text: wanted }
  return { how: how === 'prefix' ? 'prefix' : 'contains', text: wanted }
}

/** @param {ListedImage | undefined} image */
const keyOf = (image) => `${image?.sha256} ${image?.state} ${image?.path}`

/**
 * One image as a picture, or a mark that says why there is none.
 * @param {Pick<ListedImage, 'filename' | 'size' | 'state'>} image
 * @param {{ urls: string[], bytesMax: number, alt: string }} options the first of `urls` that can
 *   be shown is; none of them is the whole image where it has more than `bytesMax`
 * @param {Language} language
 */
export function makePicture({ filename, size, state }, { urls, bytesMax, alt }, { say }) {
  const blank = (/** @type {string} */ why) => {
    const label = make('b', { textContent: extensionLabel(filename) })
    return make('span', { className: 'blank' }, label, make('span', { textContent: why }))
  }
  if (state === 'blocked') return blank(say('picture.blocked'))
  const large = () => say('picture.large', { size: formatSize(bytesMax) })
  const picture = make('img', { alt, loading: 'lazy', decoding: 'async' })
  const left = [...urls]
  const next = () => {
    const url = left.shift()
    if (url !== undefined) picture.src = url
    else picture.replaceWith(blank(size > bytesMax ? large() : say('picture.broken')))
  }
  picture.onerror = next
  next()
  return picture
}

/** @param {ImageList} answer */
function isPartOfNothing({ images, next_cursor }) {
  return images.length === 0 && next_cursor !== null
}

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   onOpen: (image: ListedImage) => void }} parts
 */
export function createGallery({ api, language, onOpen }) {
  const { say } = language
  const grid = need('grid')
  const search = need('search', HTMLInputElement)
  const how = need('search-how', HTMLSelectElement)
  const wanted = () => searchOf(search.value, how.value)
  /** @type {Map<string, HTMLLIElement>} kept by hash and path while they are the same */
  let tiles = new Map()
  /** @type {ImageList | undefined} */
  let list
  /** @type {string | undefined} */
  let failure
  let questions = 0
  let isLoading = false
  /** A person waits for what is new, also where a later question has overtaken theirs. */
  let isAwaited = false

  /**
   * Asks for images; undefined if that failed or a later question overtook it.
   * @param {number} limit
   * @param {string | null} [cursor]
   * @returns {Promise<ImageList | undefined>}
   */
  async function ask(limit, cursor) {
    const question = ++questions
    const { how, text } = wanted()
    const query = new URLSearchParams({ limit: String(limit), ...(how && { [how]: text }) })
    if (cursor) query.set('cursor', cursor)
    try {
      let answer = await api.call('GET', `api/images?${query}`)
      for (let page = 1; page < EMPTY_PAGES_MAX && isPartOfNothing(answer); page++) {
        if (question !== questions) return undefined
        query.set('cursor', answer.next_cursor)
        answer = await api.call('GET', `api/images?${query}`)
      }
      if (question !== questions) return undefined
      failure = undefined
      return answer
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (question === questions) failure = api.whyNot(error)
      return undefined
    }
  }

  /**
   * Asks again for as many images as are shown, and shows what changed.
   * @param {boolean} [isWanted] by the person who looks; else nothing moves under their hand
   */
  async function refresh(isWanted = false) {
    isAwaited ||= isWanted
    // such a search goes through many images, so a person decides when
    if (wanted().how === 'contains' && !isAwaited) {
      need('fresh').hidden = false
      return
    }
    const shown = list?.images ?? []
    const count = Math.min(Math.max(PAGE_IMAGES, shown.length), REFRESH_IMAGES_MAX)
    const answer = isLoading ? undefined : await ask(count)
    const isInUse = grid.matches(':hover, :focus-within') || need('detail').matches('[open]')
    const isSame = answer?.images.every((image, at) => keyOf(image) === keyOf(shown[at]))
    const isHeld = isLoading || (answer !== undefined && isInUse && !isAwaited)
    if (answer && !isHeld) isAwaited = false
    if (answer && !isHeld && !(isSame && answer.total === list?.total)) list = answer
    need('fresh').hidden = !isHeld || isSame === true
    render()
  }

  /** Starts anew: another search, or another key. */
  async function reload() {
    need('fresh').hidden = true
    isAwaited = false
    const answer = await ask(PAGE_IMAGES)
    if (answer || failure) list = answer
    render()
  }

  async function loadMore() {
    const shown = list?.images ?? []
    isLoading = true
    const answer = await ask(PAGE_IMAGES, list?.next_cursor)
    isLoading = false
    if (answer) list = { ...answer, images: [...shown, ...answer.images] }
    render()
    grid.children[shown.length]?.querySelector('button')?.focus({ preventScroll: true })
  }

  function render() {
    const before = tiles
    tiles = new Map()
    for (const image of list?.images ?? []) {
      const key = keyOf(image)
      tiles.set(key, before.get(key) ?? makeTile(image))
    }
    const nodes = [...tiles.values()]
    // a tile that is taken out and put back loses the focus
    const isSame = nodes.length === grid.childElementCount
    if (!isSame || nodes.some((node, at) => node !== grid.children[at]))
      grid.replaceChildren(...nodes)
    need('more').hidden = !list?.next_cursor
    setText('more', say(wanted().how === 'contains' ? 'gallery.further' : 'gallery.more'))
    const count = list?.total
      ? say('gallery.count', { shown: tiles.size, total: list.total })
      : tiles.size.toLocaleString(language.name)
    setText('gallery-count', tiles.size > 0 ? count : '')

    need('empty').hidden = failure === undefined && list?.images.length !== 0
    need('gallery-retry').hidden = failure === undefined
    need('first').hidden = failure !== undefined || wanted().how !== undefined
    setText('empty-text', failure ?? wordsOfNone())
  }

  function wordsOfNone() {
    const { how, text } = wanted()
    if (how === undefined) return say('gallery.none')
    return say(list?.next_cursor ? 'gallery.nothing.yet' : `gallery.nothing.${how}`, { text })
  }

  /** @param {ListedImage} image */
  function makeTile(image) {
    const { filename, path, size, width, height } = image
    const whole = size > TILE_BYTES_MAX ? [] : [blobUrl(image.sha256)]
    const options = { urls: [tileUrl(image), ...whole], bytesMax: TILE_BYTES_MAX, alt: '' }
    const picture = makePicture(image, options, language)
    const facts = formatSize(size) + (width && height ? ` · ${width} × ${height}` : '')
    const button = make(
      'button',
      { type: 'button', className: 'tile' },
      make('span', { className: 'frame' }, picture),
      make('span', { className: 'name', textContent: filename, title: path }),
      make('span', { className: 'quiet', textContent: facts })
    )
    button.onclick = () => onOpen(image)
    return make('li', {}, button)
  }

  let typing = 0
  search.addEventListener('input', () => {
    clearTimeout(typing)
    typing = window.setTimeout(reload, TYPING_MS)
  })
  how.addEventListener('change', () => {
    if (wanted().how !== undefined) reload()
  })
  onClick('more', loadMore)
  onClick('gallery-retry', reload)
  onClick('fresh', () => {
    refresh(true)
    need('images').focus({ preventScroll: true })
  })
  language.onChange(() => {
    tiles.clear()
    render()
  })
  const url = new URL('file-sync/api/file-sync/upload', document.baseURI)
  setText('command', `curl -F file=@photo.jpg ${url}`)
  return { reload, refresh }
}
