// tumesh review, brakes: what waits for a person's word.

import { formatSize } from '../base/units.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import type { Order } from './catalog.ts'
import { followTask } from './follow-task.ts'
import { callNode } from './node-client.ts'
import { columns, counted, type Terminal } from './terminal.ts'

const PAGE = 1000
/** As many are shown without --json. */
const SHOWN_MAX = 200

type Reviewed = AnswerOf<'GET /api/review'>['files'][number]

/** Lists, or decides on what is named, or on all. Exit code 1 if a decision failed. */
export async function runReview(order: Order, terminal: Terminal): Promise<number> {
  const { words, options, target, isJson } = order
  const { out, err } = terminal
  const action = options.restore === true ? 'restore' : options.discard === true ? 'discard' : ''
  if (action === '') return listReview(order, terminal)
  if (words.length === 0 && options.all !== true) {
    err('Name the paths that are meant, or say --all.\n')
    return 2
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

/** Lists, confirms or undoes. Exit code 1 while one is engaged. */
export async function runBrakes(order: Order, terminal: Terminal): Promise<number> {
  const { options, target, isJson } = order
  const { out } = terminal
  const { brakes } = await callNode(target, 'GET /api/brakes')
  const wish = options.confirm ?? options.undo
  if (wish === undefined) {
    if (isJson) out(`${JSON.stringify(brakes)}\n`)
    else if (brakes.length === 0) out('Nothing has stopped.\n')
    else for (const brake of brakes) out(brakeText(brake))
    return brakes.length > 0 ? 1 : 0
  }
  const action = options.undo === undefined ? 'confirm' : 'undo'
  const body = { token: String(wish), action } as const
  const answer = await callNode(target, 'POST /api/brakes', { body })
  await followTask(target, answer, terminal)
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
  return 0
}

function brakeText({ kind, token, since, reason }: Brake): string {
  const undo = kind === 'changes' ? `, or take it back with --undo ${token}` : ''
  return `${kind}, since ${since}: ${reason}\n  Was it meant? Say so with --confirm ${token}${undo}.\n`
}
