// Keys: make one, list them, revoke one.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { createKey, KEY_SCOPES, type KeyFacts, listKeys, revokeKey } from '../../flows/keys.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const keyBody = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9._-]{1,63}$/,
      'must have 1 to 63 letters, digits, dots, hyphens, underscores'
    ),
  scopes: z.array(z.enum(KEY_SCOPES)).min(1).max(KEY_SCOPES.length)
})
const keyShape = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(KEY_SCOPES)),
  created_at: z.iso.datetime()
})
const answered = { status: z.literal('success'), message: z.string() }
const listShape = z.object({ status: z.literal('success'), keys: z.array(keyShape) })
const madeShape = keyShape.extend({ ...answered, key: z.string() })
const keyParams = z.strictObject({ id: z.string().max(64) })

export function keyRoutes({ flows, seal }: HttpParts): Route[] {
  const { index } = flows
  return [
    {
      method: 'GET',
      url: '/api/keys',
      who: 'admin',
      tag: 'operations',
      summary: 'List the keys; never what could be used as one',
      answers: { 200: { means: 'The keys', shape: listShape } },
      handle: async () => ({ status: 'success', keys: (await listKeys(index)).map(describeKey) })
    },
    {
      method: 'POST',
      url: '/api/keys',
      who: 'admin',
      tag: 'operations',
      summary: 'Make a key; its text is in this answer and never shown again',
      body: keyBody,
      answers: {
        200: { means: 'The key', shape: madeShape },
        422: { means: 'The name or the scopes are not valid' }
      },
      handle: async (request) => {
        const { name, scopes } = request.body as z.output<typeof keyBody>
        const { facts, key } = await createKey({ ...flows, seal }, name, [...new Set(scopes)])
        return {
          status: 'success',
          message: messageFor(
            request,
            `Key ${name} was made. Keep it: it is shown this once.`,
            `已创建密钥 ${name}。请妥善保存，它只显示这一次。`
          ),
          key,
          ...describeKey(facts)
        }
      }
    },
    {
      method: 'DELETE',
      url: '/api/keys/:id',
      who: 'admin',
      tag: 'operations',
      summary: 'Revoke a key at once',
      params: keyParams,
      answers: {
        200: { means: 'It opens nothing any more', shape: z.object(answered) },
        404: { means: 'There is no such key' }
      },
      handle: (request) => revoke(request)
    }
  ]

  async function revoke(request: ApiRequest): Promise<unknown> {
    const { id } = request.params as z.output<typeof keyParams>
    if (!(await revokeKey(index, id))) {
      throw new NodeError('NOT_FOUND', `There is no key ${id}. GET /api/keys lists them.`, {
        id,
        ...saidAs('key_absent')
      })
    }
    return {
      status: 'success',
      message: messageFor(request, `Key ${id} was revoked.`, `密钥 ${id} 已吊销。`)
    }
  }
}

function describeKey({ id, name, scopes, createdMs }: KeyFacts) {
  return { id, name, scopes, created_at: new Date(createdMs).toISOString() }
}
