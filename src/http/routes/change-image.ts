// Deleting, restoring, renaming and copying images.

import { z } from 'zod'
import { type ImageEntry, isImage } from '../../../protocols/entry.ts'
import { parseHash } from '../../../protocols/hash.ts'
import { extensionOf, parsePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import { invariant, NodeError } from '../../base/errors.ts'
import { booleanField } from '../../base/fields.ts'
import { isoTime } from '../../base/iso-time.ts'
import { acceptsKind, extensionOfKind, kindOfExtension, nameOfKind } from '../../content/kinds.ts'
import { checkExtension } from '../../flows/ingest.ts'
import { noImage, relocate } from '../../flows/relocate.ts'
import { type Removed, remove } from '../../flows/remove.ts'
import { restore } from '../../flows/restore.ts'
import { isAsExpected } from '../conditional.ts'
import { describedImageShape, describeImage, viewpointOf } from '../describe-image.ts'
import { kindOfMediaType } from '../media-kind.ts'
import type { Reach } from '../mesh-status-port.ts'
import { messageFor } from '../messages.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

/** How long a deletion waits for other servers to say that they have it. */
const REACH_MS_MAX = 1000
const answered = { status: z.literal('success'), message: z.string() }
const removedShape = z.object({
  ...answered,
  path: z.string(),
  deleted_servers: z.array(z.string()).describe('Those that have said so by now'),
  pending_servers: z.array(z.string()).describe('All others: each deletes it when it hears of it'),
  recoverable_until: z.iso.datetime().nullable().describe('Null if it can not be restored')
})
const imageShape = describedImageShape.extend(answered)
const purge = booleanField().optional().describe('Free the bytes at once, beyond restore')
const restoreBody = z.strictObject({
  path: z.string(),
  sha256: z.string().optional().describe('Of the version to bring back; else the newest')
})
const relocateBody = z.strictObject({ from: z.string(), to: z.string() })

export function changeImageRoutes(parts: HttpParts, options: ApiOptions): Route[] {
  return [
    deleteRoute(parts, options, '/images/*', 'images', z.strictObject({ purge })),
    deleteRoute(
      parts,
      options,
      '/file-sync/api/file-sync/file/*',
      'documented',
      z.object({ purge })
    ),
    {
      method: 'POST',
      url: '/api/restore',
      who: 'write',
      tag: 'images',
      summary: 'Bring back a deleted image, or an earlier version of one',
      body: restoreBody,
      answers: {
        200: { means: 'It is there again, or still', shape: imageShape },
        404: { means: 'No such version is kept' },
        503: { means: 'Its bytes are lost here' }
      },
      handle: (request) => bringBack(parts, request)
    },
    relocateRoute(parts, options, 'move'),
    relocateRoute(parts, options, 'copy')
  ]
}

function deleteRoute(
  parts: HttpParts,
  options: ApiOptions,
  url: string,
  tag: Route['tag'],
  query: z.ZodType
): Route {
  return {
    method: 'DELETE',
    url,
    who: 'write',
    tag,
    summary: 'Delete an image; it can be restored for a while',
    query,
    answers: {
      200: { means: 'Deleted', shape: removedShape },
      404: { means: 'There never was such an image' },
      410: { means: 'It was deleted before' },
      412: { means: 'If-Match, or another condition, does not hold' }
    },
    handle: (request) => take(parts, options, request)
  }
}

async function take(
  { flows, node, meshStatus }: HttpParts,
  options: ApiOptions,
  request: ApiRequest
): Promise<z.output<typeof removedShape>> {
  const path = parsePath((request.params as Record<'*', string>)['*'])
  const { purge } = request.query as { purge?: boolean }
  const watch = meshStatus?.watch(path)
  let removed: Removed
  let reach: Reach | undefined
  try {
    const isMeant = (image: ImageEntry | undefined) =>
      isAsExpected('DELETE', request.headers, image)
    removed = await remove(flows, options, path, { purge: purge ?? false, isMeant })
    // what was deleted before was told before
    const waitMs = removed.outcome === 'deleted' ? REACH_MS_MAX : 0
    const { version } = flows.index.get(path) ?? {}
    if (version !== undefined) reach = await watch?.reach(version, waitMs)
  } finally {
    watch?.end()
  }
  if (removed.outcome === 'unknown') {
    throw noImage(path)
  }
  if (removed.outcome === 'gone') {
    throw new NodeError('GONE', `${path} was deleted before.`, {
      path,
      ...saidAs('image_deleted', { path })
    })
  }
  if (removed.outcome === 'unexpected') {
    const sentence = `${path} is not as the request expects; it was not deleted.`
    throw new NodeError('PRECONDITION_FAILED', sentence, { path })
  }
  const until = removed.recoverableUntilMs
  return {
    status: 'success',
    message: removedMessage(request, removed, reach),
    path,
    deleted_servers: [node.name, ...(reach?.reached ?? [])],
    pending_servers: [...(reach?.pending ?? [])],
    recoverable_until: until === undefined ? null : isoTime(until)
  }
}

function removedMessage(
  request: ApiRequest,
  { path, recoverableUntilMs, isShared }: Removed,
  { reached, pending }: Reach = { reached: [], pending: [] }
): string {
  if (recoverableUntilMs !== undefined) {
    return messageFor(request, `${path} was deleted.`, `已删除 ${path}。`)
  }
  if (isShared) {
    return messageFor(
      request,
      `${path} was deleted. Its bytes stay: other images have the same.`,
      `已删除 ${path}；其他图片使用相同的数据，因此未释放其空间。`
    )
  }
  if (reached.length + pending.length === 0) {
    return messageFor(request, `${path} was deleted for good.`, `已彻底删除 ${path}。`)
  }
  return messageFor(
    request,
    `${path} was deleted, and its bytes are freed here. Other servers keep it in their trash for a while.`,
    `已删除 ${path}，本服务器已释放其空间；其他服务器仍会在回收区保留一段时间。`
  )
}

async function bringBack(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { flows } = parts
  const body = request.body as z.output<typeof restoreBody>
  const path = parsePath(body.path)
  const hash = body.sha256 === undefined ? undefined : parseHash(body.sha256)
  const { entry, outcome } = await restore(flows, path, hash)
  invariant(isImage(entry), 'what was restored is an image')
  const message =
    outcome === 'restored'
      ? messageFor(request, `${path} was restored.`, `已恢复 ${path}。`)
      : messageFor(request, `${path} is there as it was.`, `${path} 无需恢复。`)
  return {
    status: 'success',
    message,
    ...describeImage(entry, flows.index.blob(entry.hash), viewpointOf(parts))
  }
}

function relocateRoute(parts: HttpParts, options: ApiOptions, how: 'move' | 'copy'): Route {
  return {
    method: 'POST',
    url: `/api/${how}`,
    who: 'write',
    tag: 'images',
    summary: how === 'move' ? 'Rename an image' : 'Give an image one more path',
    body: relocateBody,
    answers: {
      200: { means: 'Done; no byte was moved', shape: imageShape },
      404: { means: 'There is no image at `from`' },
      409: { means: 'Another image is at `to`' },
      410: { means: 'The image at `from` was deleted' },
      415: { means: 'The extension is not allowed, or not one for this kind of image' }
    },
    handle: (request) => rename(parts, options, how, request)
  }
}

async function rename(
  parts: HttpParts,
  options: ApiOptions,
  how: 'move' | 'copy',
  request: ApiRequest
): Promise<unknown> {
  const { flows } = parts
  const body = request.body as z.output<typeof relocateBody>
  const from = parsePath(body.from)
  const to = parsePath(body.to)
  checkExtension(options.ingest, to)
  const source = flows.index.image(from)
  if (source !== undefined) checkKind(source.mediaType, from, to)
  const entry = await relocate(flows, from, to, how)
  invariant(isImage(entry), 'what was renamed is an image')
  const message =
    how === 'move'
      ? messageFor(request, `${from} is now ${to}.`, `已将 ${from} 重命名为 ${to}。`)
      : messageFor(request, `${to} shows the image of ${from}.`, `已将 ${from} 复制为 ${to}。`)
  return {
    status: 'success',
    message,
    ...describeImage(entry, flows.index.blob(entry.hash), viewpointOf(parts))
  }
}

/**
 * The same promise that an upload makes: an extension that says something says the truth. Throws
 * CONTENT_MISMATCH.
 */
function checkKind(mediaType: string, from: string, to: string): void {
  const expected = kindOfExtension(extensionOf(to))
  if (expected === undefined) return
  const kind = kindOfMediaType(mediaType)
  if (kind === undefined) {
    // Nobody knows what they are; under an extension that promises as much as before they may stay.
    if (kindOfExtension(extensionOf(from)) === expected) return
    const sentence = `${from} was not recognised as an image. Upload it again under the new name to have it looked at.`
    throw new NodeError('CONTENT_MISMATCH', sentence, saidAs('content_unrecognized', { from }))
  }
  if (acceptsKind(extensionOf(to), kind)) return
  throw new NodeError(
    'CONTENT_MISMATCH',
    `${from} holds ${nameOfKind(kind)}; name it .${extensionOfKind(kind)}.`,
    saidAs('content_misnamed', { name: from, found: kind, extension: extensionOfKind(kind) })
  )
}
