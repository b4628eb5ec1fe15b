// @ts-check
// Where the servers stand in the picture of the mesh. Pure: a width and a number in, places out.

/** A server is a card of this size, in pixels. */
export const CARD = { width: 168, height: 60 }
/** Around this node up to here; more are hung in columns below it. */
const RING_MAX = 8
export const DRAWN_MAX = 40
const RING_WIDTH_MIN = 620
const ROW = CARD.height + 16
const COLUMN_MIN = CARD.width + 64
const MARGIN = 8

/**
 * @typedef {{ x: number, y: number }} Point the middle of a card
 * @typedef {{ shape: 'ring' | 'rail', height: number, self: Point, others: Point[] }} MeshPlan
 */

/**
 * @param {number} width of the picture
 * @param {number} count of other servers, at most DRAWN_MAX
 * @returns {MeshPlan}
 */
export function planMesh(width, count) {
  if (width >= RING_WIDTH_MIN && count <= RING_MAX) return ring(width, count)
  return rail(width, count)
}

/**
 * @param {number} width
 * @param {number} count
 * @returns {MeshPlan}
 */
function ring(width, count) {
  const reachX = Math.min((width - CARD.width) / 2 - 2, 400)
  const reachY = count <= 2 ? 0 : count <= 4 ? 112 : 150
  const self = { x: width / 2, y: 0 }
  // as symmetric as it goes: a pair stands left and right, an odd one on top
  const first = count === 1 ? 0 : -90 + (count % 2 === 0 ? 180 / count : 0)
  const others = Array.from({ length: count }, (_, at) => {
    const angle = ((first + (360 * at) / count) * Math.PI) / 180
    return { x: self.x + reachX * Math.cos(angle), y: self.y + reachY * Math.sin(angle) }
  })
  if (count === 1) {
    // the two of them in the middle
    self.x -= reachX / 2
    for (const other of others) other.x -= reachX / 2
  }
  const all = [self, ...others]
  const top = Math.min(...all.map(({ y }) => y)) - CARD.height / 2 - MARGIN
  for (const point of all) point.y -= top
  const height = Math.max(...all.map(({ y }) => y)) + CARD.height / 2 + MARGIN
  return { shape: 'ring', height, self, others }
}

/**
 * Below this node in columns, each with a rail on its left.
 * @param {number} width
 * @param {number} count
 * @returns {MeshPlan}
 */
function rail(width, count) {
  const columns = Math.max(1, Math.min(Math.floor(width / COLUMN_MIN), Math.ceil(count / 4)))
  const rows = Math.ceil(count / columns)
  const left = (width - columns * COLUMN_MIN) / 2
  const top = CARD.height + 40
  const others = Array.from({ length: count }, (_, at) => ({
    x: Math.max(left, 0) + (at % columns) * COLUMN_MIN + 56 + CARD.width / 2,
    y: top + Math.floor(at / columns) * ROW + CARD.height / 2
  }))
  const self = { x: width / 2, y: CARD.height / 2 + 4 }
  return { shape: 'rail', height: top + Math.max(rows, 0) * ROW, self, others }
}
