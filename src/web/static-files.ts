// The page's files, read once at start: what a browser gets at `/` and under `/web/`.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

export interface StaticFile {
  readonly body: Buffer
  /** Value of the Content-Type header. */
  readonly mediaType: string
  /** Strong, quoted, made from the content. */
  readonly etag: string
}

/** The page needs nothing but its own files and its own node, so it may have nothing else. */
export const PAGE_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

const MEDIA_TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8'
} as const

// A list, not the folder: a file that strays into it is not published.
const FILES = [
  'page.html',
  'page.css',
  'views.css',
  'page.js',
  'access.js',
  'activity.js',
  'api.js',
  'audit.js',
  'away.js',
  'blocks.js',
  'causes-zh.js',
  'charts.js',
  'detail.js',
  'dom.js',
  'events.js',
  'format.js',
  'gallery.js',
  'join.js',
  'language.js',
  'mesh-picture.js',
  'limits.js',
  'mesh.js',
  'notice.js',
  'plan-mesh.js',
  'review.js',
  'reasons.js',
  'refusals-zh.js',
  'router.js',
  'safety.js',
  'secret.js',
  'settings.js',
  'settings-zh.js',
  'share.js',
  'status.js',
  'story.js',
  'strings-en-reasons.js',
  'strings-en-views.js',
  'strings-en.js',
  'strings-zh-reasons.js',
  'strings-zh-views.js',
  'strings-zh.js',
  'trash.js',
  'uploads.js'
]

/**
 * The page by URL path: `/` is page.html, every other file is `/web/<name>`.
 * Throws the system's error if a file can't be read: the installation is broken.
 */
export async function loadStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const pairs = FILES.map(async (name): Promise<[string, StaticFile]> => {
    const url = name === 'page.html' ? '/' : `/web/${name}`
    return [url, await load(new URL(name, import.meta.url))]
  })
  return new Map(await Promise.all(pairs))
}

/** Of packages that the page uses, read when one of its views asks. */
const PACKAGE_FILES: Readonly<Record<string, () => string>> = {
  '/web/uplot.js': () => import.meta.resolve('uplot/dist/uPlot.esm.js'),
  '/web/uplot.css': () => import.meta.resolve('uplot/dist/uPlot.min.css'),
  '/web/uqr.js': () => import.meta.resolve('uqr')
}

/** A file of a package that the page uses; undefined if it uses no such file. */
export function loadPackageFile(url: string): Promise<StaticFile | undefined> {
  return loadListed(PACKAGE_FILES, url)
}

/** Swagger UI styles elements as it makes them. */
export const DOCS_CONTENT_SECURITY_POLICY = PAGE_CONTENT_SECURITY_POLICY.replace(
  "style-src 'self'",
  "style-src 'self' 'unsafe-inline'"
)

/** Of the API page, by the URL path: few read it, and it is large, so it is read when asked for. */
const DOCS_FILES: Readonly<Record<string, () => string>> = {
  '/docs': () => import.meta.resolve('./docs.html'),
  '/docs/docs.js': () => import.meta.resolve('./docs.js'),
  '/docs/swagger-ui.css': () => import.meta.resolve(`${SWAGGER_UI}/swagger-ui.css`),
  '/docs/swagger-ui-bundle.js': () => import.meta.resolve(`${SWAGGER_UI}/swagger-ui-bundle.js`)
}
const SWAGGER_UI = '@fastify/swagger-ui/static'

/** A file of the API page; undefined if it has no such file. */
export function loadDocsFile(url: string): Promise<StaticFile | undefined> {
  return loadListed(DOCS_FILES, url)
}

async function loadListed(
  files: Readonly<Record<string, () => string>>,
  url: string
): Promise<StaticFile | undefined> {
  const find = Object.hasOwn(files, url) ? files[url] : undefined
  return find === undefined ? undefined : load(new URL(find()))
}

async function load(file: URL): Promise<StaticFile> {
  const body = await readFile(file)
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`
  const extension = file.pathname.slice(file.pathname.lastIndexOf('.') + 1)
  return { body, mediaType: MEDIA_TYPES[extension as keyof typeof MEDIA_TYPES], etag }
}
