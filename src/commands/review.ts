// tumesh review, brakes: what waits for a person's word.

import { formatSize } from '../base/units.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import type { Undone } from '../flows/undo-changes.ts'
import { followTask } from './follow-task.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, counted, type Terminal, UsageError } from './terminal.ts'

const PAGE = 1000
/** As many are shown without --json. */
const SHOWN_MAX = 200
const STOPPED_SHOWN = 20

type Reviewed = AnswerOf<'GET /api/review'>['files'][number]

/** Lists, or decides on what is named, or on all. Exit code 1 if a decision failed. */
export async function runReview(order: Order, terminal: Terminal): Promise<number> {
  const { words, options, target, isJson } = order
  const { out } = terminal
  const action = options.restore === true ? 'restore' : options.discard === true ? 'discard' : ''
  if (action === '') return listReview(order, terminal)
  if (words.length === 0 && options.all !== true) {
    throw new UsageError('Name the paths that are meant, or say --all.')
  }
  const which = options.all === true ? { all: true as const } : { paths: words }
  const answer = await callNode(target, 'POST /api/review', { body: { action, ...which } })
  const done = await followTask(target, answer, terminal)
  if (isJson) out(`${JSON.stringify(done)}\n`)
  else {
    for (const { path, detail } of done.failed) out(`✗ ${path}: ${detail}\n`)
    const { restored, discarded, not_found } = done
    const missed = not_found > 0 ? `, ${not_found} were not there` : ''
    out(`${restored} restored, ${discarded} discarded${missed}\n`)
  }
  return done.failed.length + done.not_found > 0 ? 1 : 0
}

async function listReview({ target, isJson }: Order, { out }: Terminal): Promise<number> {
  const files: Reviewed[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await callNode(target, 'GET /api/review', { query: { limit: PAGE, cursor } })
    files.push(...page.files)
    cursor = page.next_cursor ?? undefined
    if (cursor === undefined || (!isJson && files.length >= SHOWN_MAX)) {
      out(isJson ? `${JSON.stringify(files)}\n` : reviewText(files, page.total))
      return 0
    }
  }
}

function reviewText(files: readonly Reviewed[], total: number): string {
  if (total === 0) return 'Nothing waits for review.\n'
  const rows = files.slice(0, SHOWN_MAX).map(({ path, size, since, refused_by }) => {
    return [path, formatSize(size), since, `${refused_by} may have deleted it`]
  })
  return (
    `${counted(total, 'image')} to review: they may have been deleted elsewhere, long ago.\n` +
    `${columns(rows)}Decide with --restore or --discard, and paths or --all.\n`
  )
}

type Brake = AnswerOf<'GET /api/brakes'>['brakes'][number]
type Stopped = AnswerOf<'GET /api/brakes/{token}'>

/** Lists, confirms or undoes. Exit code 1 while one is engaged, or what could not be undone. */
export async function runBrakes(order: Order, terminal: Terminal): Promise<number> {
  const { options, target, isJson } = order
  const { out } = terminal
  const wish = options.confirm ?? options.undo
  if (wish === undefined) return listBrakes(order, terminal)
  const action = options.undo === undefined ? 'confirm' : 'undo'
  const body = { token: String(wish), action } as const
  const answer = await callNode(target, 'POST /api/brakes', { body })
  const done = (await followTask(target, answer, terminal)) as Partial<Undone>
  if (isJson) out(`${JSON.stringify(done === answer ? answer : { ...answer, ...done })}\n`)
  else out(`${answer.message}\n`)
  if (answer.task_id === undefined) return 0
  const { restored = 0, failed = 0 } = done
  const lost = failed > 0 ? `, ${failed} could not be had: task ${answer.task_id} names them` : ''
  if (!isJson) out(`${restored} restored${lost}.\n`)
  return failed > 0 ? 1 : 0
}

async function listBrakes({ target, options, isJson }: Order, { out }: Terminal): Promise<number> {
  const { brakes } = await callNode(target, 'GET /api/brakes')
  const limit = options.all === true ? PAGE : STOPPED_SHOWN
  const shown: (Brake & { stopped?: Stopped })[] = []
  for (const brake of brakes) {
    const stopped = brake.kind === 'changes' && (await stoppedBy(target, brake.token, limit))
    shown.push({ ...brake, ...(stopped && { stopped }) })
  }
  if (isJson) out(`${JSON.stringify(shown)}\n`)
  else if (brakes.length === 0) out('Nothing has stopped.\n')
  else for (const brake of shown) out(brakeText(brake))
  return brakes.length > 0 ? 1 : 0
}

/** The first of what it would take back, or all of it where pages are asked for whole. */
async function stoppedBy(target: Order['target'], token: string, limit: number): Promise<Stopped> {
  const about = { path: { token } }
  const first = await callNode(target, 'GET /api/brakes/{token}', { ...about, query: { limit } })
  const changes = [...first.changes]
  // a node of an earlier version gives none
  let cursor = limit === PAGE ? first.next_cursor : null
  while (cursor) {
    const query = { limit, cursor }
    const page = await callNode(target, 'GET /api/brakes/{token}', { ...about, query })
    changes.push(...page.changes)
    cursor = page.next_cursor
  }
  return { ...first, changes }
}

function brakeText({ kind, token, since, reason, stopped }: Brake & { stopped?: Stopped }): string {
  const undo = kind === 'changes' ? `, or take it back with --undo ${token}` : ''
  const list = stopped === undefined ? '' : stoppedText(stopped)
  return `${kind}, since ${since}: ${reason}\n${list}  Was it meant? Say so with --confirm ${token}${undo}.\n`
}

function stoppedText({ images, missing, uncounted, blocks, changes }: Stopped): string {
  const lost = missing ? ` (of ${missing} the bytes are not here: others may have them)` : ''
  const also = blocks > 0 ? `, and ${counted(blocks, 'block')} would be taken back everywhere` : ''
  const rows = changes.map(({ what, path, sha256, by, at, held, reason }) => {
    const why = [held && 'held', reason].filter(Boolean).join(': ')
    return [`  ${what}`, path ?? sha256, at, `by ${by}`, why]
  })
  const least = uncounted ? 'at least ' : ''
  const rest = (images ?? 0) + blocks - changes.length
  const more = rest > 0 ? `  and ${least}${rest} more: --all\n` : ''
  const all = `${least}${counted(images ?? 0, 'image')}`
  return `  An undo brings back ${all}${lost}${also}:\n${columns(rows)}${more}`
}
