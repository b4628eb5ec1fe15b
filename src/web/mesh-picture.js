// @ts-check
// The mesh as a drawing: this node, the servers around it, and the links between them.

import { draw, make, need } from './dom.js'
import { formatLatency, formatSize } from './format.js'
import { CARD, DRAWN_MAX, planMesh } from './plan-mesh.js'

/** @import { Language } from './language.js' */
/** @import { MeshPlan, Point } from './plan-mesh.js' */

const NAME_CHARACTERS_MAX = 17

/**
 * @param {Record<string, any>} server
 * @param {Language['say']} say
 */
export function behindOf({ missing_files, missing_bytes }, say) {
  if (!(missing_files > 0)) return ''
  return `${say('mesh.files', { count: missing_files })} · ${formatSize(missing_bytes)}`
}

/**
 * Draws the mesh into its place. It can't be read aloud: the table says the same.
 * @param {{ node: Record<string, any>, servers: Record<string, any>[], behind: string,
 *   state: string }} mesh `behind` and `state` are of this node
 * @param {Language} language
 */
export function drawMesh({ node, servers, behind, state }, language) {
  const place = need('mesh-picture')
  const style = getComputedStyle(place)
  const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight)
  const width = place.clientWidth - padding
  if (width <= 0) return
  const drawn = servers.slice(0, DRAWN_MAX)
  const plan = planMesh(width, drawn.length)
  const links = drawn.map((server, at) => link(plan, at, server, language))
  const picture = draw(
    'svg',
    { viewBox: `0 0 ${width} ${plan.height}`, height: plan.height, role: 'img' },
    ...trunk(plan),
    ...links,
    card(plan.self, { name: node.name ?? '', facts: behind || language.say('mesh.here') }, state),
    ...drawn.map((server, at) => {
      const words = language.say(/** @type {'servers.online'} */ (`servers.${server.status}`))
      const facts = behindOf(server, language.say) || words
      const spot = /** @type {Point} */ (plan.others[at])
      return card(spot, { name: server.name, facts }, server.status)
    })
  )
  picture.setAttribute('aria-label', language.say('mesh.picture'))
  const left = servers.length - drawn.length
  const more =
    left > 0 ? [make('p', { className: 'quiet' }, language.say('mesh.more', { count: left }))] : []
  place.replaceChildren(picture, ...more)
}

/**
 * The line that links of one column share.
 * @param {Point} point of a server in it
 */
const railOf = ({ x }) => x - CARD.width / 2 - 32

/**
 * From this node to the last server of each column.
 * @param {MeshPlan} plan
 */
function trunk({ shape, self, others }) {
  if (shape === 'ring') return []
  const ends = new Map(others.map((point) => [railOf(point), point.y]))
  const bus = self.y + CARD.height / 2 + 18
  const lines = [...ends].map(([rail, y]) => `M${self.x} ${self.y}V${bus}H${rail}V${y}`)
  return [draw('path', { class: 'trunk', d: lines.join('') })]
}

/**
 * @param {MeshPlan} plan
 * @param {number} at
 * @param {Record<string, any>} server
 * @param {Language} language
 */
function link({ shape, self, others }, at, server, language) {
  const to = /** @type {Point} */ (others[at])
  const from = shape === 'ring' ? self : { x: railOf(to), y: to.y }
  const path = `M${from.x} ${from.y}L${to.x} ${to.y}`
  const group = draw('g', { class: `link link-${server.status}` }, draw('path', { d: path }))
  if (server.latency_ms === null || server.latency_ms === undefined) return group
  if (server.connected_at === null || shape === 'rail') return group
  const middle = { x: (self.x + to.x) / 2, y: (self.y + to.y) / 2 }
  const words = formatLatency(server.latency_ms, language.name)
  group.append(
    draw('rect', { x: middle.x - 32, y: middle.y - 11, width: 64, height: 22, rx: 11 }),
    draw('text', { x: middle.x, y: middle.y + 4, class: 'small', 'text-anchor': 'middle' }, words)
  )
  return group
}

/**
 * @param {Point} middle
 * @param {{ name: string, facts: string }} words
 * @param {string} state
 */
function card({ x, y }, { name, facts }, state) {
  const [left, top] = [x - CARD.width / 2, y - CARD.height / 2]
  const short =
    name.length > NAME_CHARACTERS_MAX ? `${name.slice(0, NAME_CHARACTERS_MAX - 1)}…` : name
  return draw(
    'g',
    { class: `spot spot-${state}` },
    draw('rect', { x: left, y: top, width: CARD.width, height: CARD.height, rx: 12 }),
    draw('circle', { cx: left + 18, cy: top + 21, r: 5 }),
    draw('text', { x: left + 32, y: top + 26, class: 'strong' }, short),
    draw('text', { x: left + 14, y: top + 47, class: 'small' }, facts)
  )
}
