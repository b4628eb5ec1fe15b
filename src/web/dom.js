// @ts-check
// The few ways in which the page touches its document. Data becomes text, never markup.

/**
 * An element with properties and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]>} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}

const SVG = 'http://www.w3.org/2000/svg'

/**
 * An element of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {(Node | string)[]} children
 */
export function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value))
  node.append(...children)
  return node
}

/**
 * The element of page.html with this id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 * @returns {T}
 */
export function need(id, type) {
  const node = document.getElementById(id)
  if (!(node instanceof (type ?? HTMLElement))) throw new Error(`page.html has no such #${id}`)
  return /** @type {T} */ (node)
}

/**
 * Sets text only when it differs, so that screen readers don't repeat it.
 * @param {Element | string} place an element or its id
 * @param {string} text
 */
export function setText(place, text) {
  const node = typeof place === 'string' ? need(place) : place
  if (node.textContent !== text) node.textContent = text
}

/**
 * @param {string} id
 * @param {() => void} listener
 */
export function onClick(id, listener) {
  need(id).addEventListener('click', listener)
}

/**
 * A storage of the browser, or one that keeps nothing where the browser refuses.
 * @param {'localStorage' | 'sessionStorage'} name
 * @returns {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>}
 */
export function openStore(name) {
  try {
    return window[name]
  } catch {
    return { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  }
}

/**
 * Makes every button with `data-copies="id"` copy that element's `title`, else its text.
 * @param {import('./language.js').Language} language
 */
export function listenToCopyButtons({ say }) {
  document.addEventListener('click', async ({ target }) => {
    if (!(target instanceof HTMLButtonElement) || !target.dataset.copies) return
    const source = need(target.dataset.copies)
    if (!(await copy(source.title || (source.textContent ?? ''), target))) return
    setText(target, say('copied'))
    setText('announcer', say('copied'))
    setTimeout(() => {
      setText(target, say('copy'))
      setText('announcer', '')
    }, 1500)
  })
}

/**
 * @param {string} text
 * @param {HTMLElement} near
 */
async function copy(text, near) {
  // browsers give the clipboard only to https and loopback pages
  const written = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false
  )
  if (written) return true
  const field = make('textarea', { value: text, className: 'unseen' })
  near.after(field) // beside the button: outside an open dialog nothing can be selected
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  near.focus()
  return done
}
