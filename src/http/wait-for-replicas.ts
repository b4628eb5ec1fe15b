// An upload that waits until so many servers have it: `?wait=replicas:N&timeout=`.

import { z } from 'zod'
import { parseHash } from '../../protocols/hash.ts'
import { saidAs } from '../base/cause.ts'
import type { Uploaded } from './describe-upload.ts'
import { messageFor } from './messages.ts'
import type { HttpParts } from './ports.ts'
import type { ApiRequest } from './route.ts'

const REPLICAS_MAX = 1000
const WAIT_S_MAX = 60

export const waitFields = {
  wait: z
    .string()
    .regex(/^replicas:[1-9]\d{0,3}$/, 'must be replicas:N')
    .transform((text) => Number(text.slice('replicas:'.length)))
    .refine((count) => count <= REPLICAS_MAX, {
      error: `must be at most ${REPLICAS_MAX} replicas`,
      params: saidAs('field_replicas', { max: REPLICAS_MAX })
    })
    .optional()
    .describe('replicas:N answers when N nodes, this one included, have the image durably'),
  timeout: z.coerce
    .number()
    .min(0)
    .max(WAIT_S_MAX)
    .default(10)
    .describe('How many seconds to wait for the replicas')
}

interface Wait {
  readonly wait?: number | undefined
  readonly timeout: number
}

/**
 * The answer to an upload that is durable here, once as many servers hold it as the request asks
 * for, all there are, or when the time is over; `accepted` if they are too few. Each of them has
 * said so itself, now. Without `wait` nothing is waited for.
 */
export async function whenReplicated(
  { meshStatus, node }: Pick<HttpParts, 'meshStatus' | 'node'>,
  request: Pick<ApiRequest, 'headers' | 'signal'>,
  { wait, timeout }: Wait,
  answer: Uploaded
): Promise<Uploaded> {
  if (wait === undefined) return answer
  const hash = parseHash(answer.sha256)
  const others = await meshStatus?.whenHeld(hash, wait - 1, timeout * 1000, request.signal)
  const servers = [node.name, ...(others ?? [])]
  const proved = { ...answer, servers, replicas: servers.length }
  if (servers.length >= wait) return proved
  const message = messageFor(
    request,
    `${answer.file_path} is stored on ${servers.length} of ${wait} servers so far: ${servers.join(', ')}.`,
    `${answer.file_path} 目前已保存到 ${servers.length} 台服务器，要求 ${wait} 台：${servers.join('、')}。`
  )
  return { ...proved, status: 'accepted', message }
}
