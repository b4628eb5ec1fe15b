// POST /file-sync/api/file-sync/verify: read images again and say which of them are whole.

import { z } from 'zod'
import { parseMd5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import type { StartedTask, TaskControl } from '../../base/task-board.ts'
import { recordScan } from '../../flows/last-scan.ts'
import { type VerifyReport, type VerifyScope, verify } from '../../flows/verify.ts'
import { acceptedShape, resultWithin } from '../describe-task.ts'
import { prefixField } from '../list-query.ts'
import { messageFor } from '../messages.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

export const VERIFY_TASK = 'verify'
/** Longer than this nobody waits at a prompt, and proxies give up. */
export const VERIFY_WAIT_MS = 30_000
const PATHS_MAX = 10_000

const MD5_HEX = /^[0-9a-f]{32}$/i

const bodyShape = z
  .object({
    paths: z.array(z.string()).max(PATHS_MAX).nullish(),
    prefix: prefixField.nullish(),
    path: z.string().nullish(),
    hash: z.string().regex(MD5_HEX, 'must be an MD5: 32 hex digits').nullish(),
    repair: z.boolean().nullish()
  })
  .refine(
    ({ paths, prefix, path }) => [paths, prefix, path].filter((one) => one != null).length <= 1,
    {
      error: 'give one of paths, prefix and path; none of them means everything',
      params: saidAs('field_verify_one')
    }
  )
  .refine(({ path, hash }) => hash == null || path != null, {
    error: 'goes with a path',
    path: ['hash'],
    params: saidAs('field_hash_alone')
  })
  .nullish()

type Body = NonNullable<z.output<typeof bodyShape>>

const shape = z.object({
  status: z.literal('success'),
  message: z.string(),
  total_files: z.int(),
  verified_files: z.int(),
  valid_files: z.int(),
  corrupted_files: z.array(
    z.object({
      path: z.string(),
      expected: z.string().describe('MD5'),
      actual: z.string().nullable().describe('Null where the bytes could not be read'),
      expected_sha256: z.string(),
      actual_sha256: z.string().nullable(),
      action: z.string()
    })
  ),
  missing_files: z.array(z.string()),
  blocked_files: z.array(z.string()).describe("By somebody's order nobody may have their bytes"),
  repaired_files: z.array(z.string()),
  unrepairable_files: z.array(z.string()),
  duration: z.number().describe('Seconds')
})

type Answer = z.output<typeof shape>

export function verifyRoutes(parts: HttpParts, _options: ApiOptions): Route[] {
  let everything: StartedTask<Answer> | undefined

  /** There is one verification of everything at a time; whoever asks again joins it. */
  function startOrJoin(request: ApiRequest, body: Body): StartedTask<Answer> {
    const scope = scopeOf(body)
    if (!('all' in scope)) return start(parts, request, scope, body.repair ?? true)
    if (everything?.task.status !== 'running') {
      everything = start(parts, request, scope, body.repair ?? true)
    }
    return everything
  }

  return [
    {
      method: 'POST',
      url: '/file-sync/api/file-sync/verify',
      who: 'admin',
      tag: 'documented',
      summary: 'Read images again and compare them with their hashes',
      body: bodyShape,
      answers: {
        200: {
          means: `What was found; or the task, if it takes longer than ${VERIFY_WAIT_MS / 1000} s`,
          shape: z.union([shape, acceptedShape])
        },
        202: { means: 'The task, for "Prefer: respond-async"', shape: acceptedShape }
      },
      async handle(request, reply) {
        const started = startOrJoin(request, (request.body as Body | null | undefined) ?? {})
        if (isAsyncPreferred(request)) {
          reply.code(202).header('Preference-Applied', 'respond-async')
          return accepted(request, started)
        }
        const answer = await resultWithin(parts.clock, started, VERIFY_WAIT_MS)
        return answer ?? accepted(request, started)
      }
    }
  ]
}

function scopeOf({ paths, prefix, path, hash }: Body): VerifyScope {
  if (paths != null) return { paths: paths.map(parsePath) }
  if (path != null && hash != null) return { path: parsePath(path), md5: parseMd5(hash) }
  if (path != null) return { paths: [parsePath(path)] }
  return prefix == null || prefix === '' ? { all: true } : { prefix }
}

/** `Prefer: respond-async`, alone or among others. */
function isAsyncPreferred({ headers }: ApiRequest): boolean {
  const prefer = [headers.prefer ?? []].flat().join(',')
  return prefer.split(',').some((one) => /^\s*respond-async\s*(?:;|$)/i.test(one))
}

function accepted(
  request: ApiRequest,
  { task }: StartedTask<Answer>
): z.output<typeof acceptedShape> {
  return {
    status: 'accepted',
    message: messageFor(
      request,
      `It goes on in the background: GET /file-sync/api/file-sync/tasks/${task.id} tells how far it is.`,
      `校验在后台继续进行：用 GET /file-sync/api/file-sync/tasks/${task.id} 查看进度。`
    ),
    task_id: task.id,
    background: true
  }
}

function start(
  parts: HttpParts,
  request: ApiRequest,
  scope: VerifyScope,
  repair: boolean
): StartedTask<Answer> {
  const { flows, tasks, clock } = parts
  const startMs = clock.monotonicMs()
  return tasks.start(VERIFY_TASK, async (control) => {
    const report = await verify(flows, scope, progressOf(control))
    if ('all' in scope) await remember(parts, report)
    const duration = Math.round(clock.monotonicMs() - startMs) / 1000
    return answerOf(report, { request, repair, duration })
  })
}

function progressOf(control: TaskControl): Parameters<typeof verify>[2] {
  return {
    signal: control.signal,
    onFile({ totalFiles, verifiedFiles }) {
      control.total(totalFiles)
      control.processed(verifiedFiles)
    }
  }
}

function remember({ flows, clock }: HttpParts, report: VerifyReport): Promise<void> {
  return recordScan(flows, {
    atMs: clock.now(),
    scannedFiles: report.verifiedFiles,
    corruptedFiles: report.corruptedFiles.length,
    repairedFiles: report.repairedFiles.length,
    unrepairableFiles: report.unrepairableFiles.length
  })
}

function answerOf(
  report: VerifyReport,
  { request, repair, duration }: { request: ApiRequest; repair: boolean; duration: number }
): Answer {
  const lost = new Set(report.unrepairableFiles)
  return {
    status: 'success',
    message: messageOf(request, report),
    total_files: report.totalFiles,
    verified_files: report.verifiedFiles,
    valid_files: report.validFiles,
    corrupted_files: report.corruptedFiles.map((one) => ({
      path: one.path,
      expected: one.expected,
      actual: one.actual ?? null,
      expected_sha256: one.expectedSha256,
      actual_sha256: one.actualSha256 ?? null,
      action:
        repair && lost.has(one.path) ? 'unrepairable: no other server has this image' : one.action
    })),
    missing_files: report.missingFiles,
    blocked_files: report.blockedFiles,
    repaired_files: report.repairedFiles,
    unrepairable_files: report.unrepairableFiles,
    duration
  }
}

function messageOf(request: ApiRequest, report: VerifyReport): string {
  const { verifiedFiles: all, validFiles: whole, unlisted } = report
  const damaged = report.corruptedFiles.length
  const missing = report.missingFiles.length
  const blocked = report.blockedFiles.length
  const [andBlocked, andBlockedZh] =
    blocked === 0 ? ['', ''] : [`, ${blocked} blocked`, `，${blocked} 张被屏蔽`]
  const en = `${whole} of ${all} images are whole, ${damaged} damaged, ${missing} missing${andBlocked}.`
  const zh = `已校验 ${all} 张图片：${whole} 张完好，${damaged} 张损坏，${missing} 张缺失${andBlockedZh}。`
  if (unlisted === 0) return messageFor(request, en, zh)
  return messageFor(
    request,
    `${en} The lists are cut: ${unlisted} more lines are not shown.`,
    `${zh}列表已截断，另有 ${unlisted} 行未显示。`
  )
}
