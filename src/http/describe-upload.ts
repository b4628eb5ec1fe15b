// What a client is told about an image that it sent.

import { z } from 'zod'
import { isImage } from '../../protocols/entry.ts'
import { invariant } from '../base/errors.ts'
import type { Ingested } from '../flows/ingest.ts'
import { describedImageShape, describeImage, viewpointOf } from './describe-image.ts'
import { messageFor } from './messages.ts'
import type { HttpParts } from './ports.ts'
import type { ApiRequest } from './route.ts'

export const uploadedShape = describedImageShape
  .pick({
    filename: true,
    size: true,
    hash: true,
    sha256: true,
    cid: true,
    mime_type: true,
    recognized: true,
    width: true,
    height: true,
    url: true,
    replicas: true,
    servers: true
  })
  .extend({
    status: z.enum(['success', 'accepted']),
    message: z.string(),
    file_path: z.string(),
    duplicate: z.boolean().describe('The bytes were here already, and no new image was made'),
    duplicate_of: z.string().nullable().describe('The path under which they are')
  })

export type Uploaded = z.output<typeof uploadedShape>

export function describeUpload(
  parts: Pick<HttpParts, 'flows' | 'node' | 'meshStatus'>,
  request: Pick<ApiRequest, 'headers'>,
  { entry, outcome }: Ingested
): Uploaded {
  invariant(isImage(entry), 'what was taken in is an image')
  const facts = describeImage(entry, parts.flows.index.blob(entry.hash), viewpointOf(parts))
  return {
    status: 'success',
    message: sentenceOf(request, outcome, entry.path),
    file_path: facts.path,
    filename: facts.filename,
    size: facts.size,
    hash: facts.hash,
    sha256: facts.sha256,
    cid: facts.cid,
    mime_type: facts.mime_type,
    recognized: facts.recognized,
    width: facts.width,
    height: facts.height,
    url: facts.url,
    duplicate: outcome === 'duplicate',
    duplicate_of: outcome === 'duplicate' ? facts.path : null,
    replicas: facts.replicas,
    servers: facts.servers
  }
}

/** 201 for what is new here, 200 where nothing had to be done. */
export function uploadStatus({ outcome }: Pick<Ingested, 'outcome'>): 200 | 201 {
  return outcome === 'created' || outcome === 'replaced' ? 201 : 200
}

function sentenceOf(
  request: Pick<ApiRequest, 'headers'>,
  outcome: Ingested['outcome'],
  path: string
): string {
  switch (outcome) {
    case 'created':
      return messageFor(request, `${path} was stored.`, `已保存 ${path}。`)
    case 'replaced':
      return messageFor(
        request,
        `${path} was replaced. The version before it can be restored for a while.`,
        `已替换 ${path}，旧版本在一段时间内可以恢复。`
      )
    case 'unchanged':
      return messageFor(
        request,
        `${path} holds these bytes already.`,
        `${path} 的内容相同，无需更改。`
      )
    case 'duplicate':
      return messageFor(
        request,
        `These bytes are here already, as ${path}.`,
        `相同的图片已存在：${path}。`
      )
    default:
      return outcome satisfies never
  }
}
