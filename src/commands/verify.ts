// tumesh verify: reads images again, with progress where there are many.

import type { AnswerOf } from '../client/plan-request.ts'
import { followTask } from './follow-task.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { counted, type Terminal } from './terminal.ts'

type Report = Exclude<
  AnswerOf<'POST /file-sync/api/file-sync/verify'>,
  { readonly status: 'accepted' }
>

/** Exit code 1 if something can't be repaired, or there is no image of a name. */
export async function runVerify(order: Order, terminal: Terminal): Promise<number> {
  const { words, options, target, isJson } = order
  const scope =
    options.prefix !== undefined
      ? { prefix: String(options.prefix) }
      : words.length > 0
        ? { paths: words }
        : {}
  const headers = { Prefer: 'respond-async' }
  const asked = { body: scope, headers }
  const answer = await callNode(target, 'POST /file-sync/api/file-sync/verify', asked)
  const report = await followTask(target, answer, terminal)
  if (isJson) terminal.out(`${JSON.stringify(report)}\n`)
  else terminal.out(textOf(report))
  const isNamedAbsent = words.length > 0 && badCount(report) > report.repaired_files.length
  return isNamedAbsent || report.unrepairable_files.length > 0 ? 1 : 0
}

function badCount({ corrupted_files, missing_files }: Report): number {
  return corrupted_files.length + missing_files.length
}

function textOf(report: Report): string {
  const { verified_files, corrupted_files, missing_files, repaired_files, duration } = report
  const { blocked_files = [] } = report as Partial<Report> // earlier versions do not tell of them
  const lines = [
    ...corrupted_files.map(({ path, action }) => `✗ ${path} was damaged: ${action}`),
    ...missing_files.map((path) => `✗ ${path} was missing`),
    ...blocked_files.map((path) => `- ${path} is blocked: nobody may have its bytes`),
    ...report.unrepairable_files.map((path) => `! ${path} can't be repaired: no server has it`)
  ]
  const bad = badCount(report)
  const blocked = blocked_files.length
  const but = blocked === 1 ? 'one that is blocked' : `${blocked} that are blocked`
  const right = blocked === 0 ? 'all right' : `all right, but for ${but}`
  const repaired =
    bad === 0 ? right : `${bad} were not right, ${repaired_files.length} of them repaired`
  const last = `${counted(verified_files, 'image')} read in ${duration.toFixed(1)} s: ${repaired}`
  return `${[...lines, last].join('\n')}\n`
}
