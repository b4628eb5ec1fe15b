// Running the node: health checks, the page and its files, the API page, the export of the index.

import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import {
  DOCS_CONTENT_SECURITY_POLICY,
  loadDocsFile,
  loadPackageFile,
  PAGE_CONTENT_SECURITY_POLICY,
  type StaticFile
} from '../../web/static-files.ts'
import { planConditional } from '../conditional.ts'
import { messageFor } from '../messages.ts'
import type { Metrics } from '../metrics.ts'
import { describeApi } from '../openapi.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const exportShape = z.object({
  status: z.literal('success'),
  message: z.string(),
  file: z.string(),
  entries: z.int()
})

type OperationParts = HttpParts & { readonly metrics: Metrics }

/** `allRoutes` is asked when the API page is: these routes are among them. */
export function operationRoutes(parts: OperationParts, allRoutes: () => readonly Route[]): Route[] {
  let apiPage: object | undefined
  return [
    {
      method: 'GET',
      url: '/healthz',
      who: 'anyone',
      tag: 'operations',
      summary: 'Whether the process lives',
      answers: { 200: { means: 'It does', shape: z.object({ status: z.literal('ok') }) } },
      handle: async () => ({ status: 'ok' })
    },
    {
      method: 'GET',
      url: '/readyz',
      who: 'anyone',
      tag: 'operations',
      summary: 'Whether the node can do its work; never depends on other nodes',
      answers: {
        200: { means: 'It can', shape: z.object({ status: z.literal('ready') }) },
        503: { means: 'It can not; the sentence says why' }
      },
      async handle() {
        const { health, reasons } = parts.status()
        if (health !== 'critical') return { status: 'ready' }
        throw new NodeError('NOT_AVAILABLE', reasons.join(' '), saidAs('not_ready'))
      }
    },
    {
      method: 'GET',
      url: '/openapi.json',
      who: 'anyone',
      tag: 'operations',
      summary: 'This description',
      answers: { 200: { means: 'OpenAPI 3.1' } },
      async handle() {
        apiPage ??= describeApi(allRoutes(), parts.node.version)
        return apiPage
      }
    },
    {
      method: 'POST',
      url: '/api/export-index',
      who: 'admin',
      tag: 'operations',
      summary: 'Write metadata/file_index.json, a readable copy of the index, now',
      answers: { 200: { means: 'Written', shape: exportShape } },
      handle: (request) => exportNow(parts, request)
    },
    metricsRoute(parts),
    pageRoute('/', 'The page of this node', ownPage(parts)),
    pageRoute('/web/*', 'Files of the page', ownPage(parts)),
    pageRoute('/docs', 'This description, to read and to try out', docsPage),
    docsFilesRoute()
  ]
}

function metricsRoute({ metrics }: OperationParts): Route {
  return {
    method: 'GET',
    url: '/metrics',
    who: 'read',
    tag: 'operations',
    summary: 'Figures for monitors, in the text format of Prometheus',
    answers: { 200: { means: 'All of them' } },
    async handle(_request, reply) {
      reply.header('Cache-Control', 'no-store').type(metrics.contentType)
      return metrics.text()
    }
  }
}

async function exportNow(
  parts: HttpParts,
  request: ApiRequest
): Promise<z.output<typeof exportShape>> {
  const { file, entries } = await parts.exportIndex()
  return {
    status: 'success',
    message: messageFor(
      request,
      `${entries} entries were written to ${file}.`,
      `已将 ${entries} 条记录写入 ${file}。`
    ),
    file,
    entries
  }
}

interface Page {
  readonly policy: string
  fileAt(url: string): Promise<StaticFile | undefined>
}

function ownPage({ page }: HttpParts): Page {
  return {
    policy: PAGE_CONTENT_SECURITY_POLICY,
    fileAt: async (url) => page.get(url) ?? loadPackageFile(url)
  }
}

const docsPage: Page = { policy: DOCS_CONTENT_SECURITY_POLICY, fileAt: loadDocsFile }

/** The page names its files as seen from `/docs`. */
function docsFilesRoute(): Route {
  const files = pageRoute('/docs/*', 'Files of that page', docsPage)
  return {
    ...files,
    answers: { ...files.answers, 308: { means: 'Without a file: the page is at /docs' } },
    async handle(request, reply) {
      const { '*': name } = request.params as Partial<Record<string, string>>
      if (name !== '') return files.handle(request, reply)
      reply.redirect('../docs', 308)
      return undefined
    }
  }
}

function pageRoute(url: string, summary: string, { policy, fileAt }: Page): Route {
  return {
    method: 'GET',
    url,
    who: 'anyone',
    tag: 'operations',
    summary,
    answers: {
      200: { means: 'The file' },
      304: { means: 'The client has it already' },
      404: { means: 'There is no such file' }
    },
    async handle(request, reply) {
      const { '*': rest = '' } = request.params as Partial<Record<string, string>>
      const file = await fileAt(url.replace('*', rest))
      if (file === undefined) {
        const said = saidAs('page_file_absent')
        throw new NodeError('NOT_FOUND', 'The page has no such file.', said)
      }
      sendFile(request, reply, file, policy)
      return undefined
    }
  }
}

function sendFile(
  request: ApiRequest,
  reply: FastifyReply,
  { body, mediaType, etag }: StaticFile,
  policy: string
): void {
  const { method = 'GET' } = request.raw
  const { answer } = planConditional(method, request.headers, { etag, modifiedMs: 0 })
  reply.headers({
    ETag: etag,
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer'
  })
  if (answer === 'not-modified') reply.code(304).send()
  else reply.type(mediaType).send(body)
}
