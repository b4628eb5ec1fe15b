// The secret of the mesh: who has it, and a new one in its place.

import { z } from 'zod'
import { isoTime } from '../../base/iso-time.ts'
import { keepKeys } from '../../flows/keep-keys.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts, SecretState } from '../ports.ts'
import { requireMesh } from '../require-mesh.ts'
import type { ApiRequest, Route } from '../route.ts'

const WINDOW_SECONDS = 86_400
/** As long as a timer of the platform can be, with room. */
const WINDOW_SECONDS_MAX = 14 * 86_400

const bodyShape = z
  .strictObject({
    window: z
      .int()
      .min(0)
      .max(WINDOW_SECONDS_MAX)
      .default(WINDOW_SECONDS)
      .describe('Seconds for which members may still come by the secret of before; 0: not at all')
  })
  .default({ window: WINDOW_SECONDS })
const stateShape = z.object({
  status: z.literal('success'),
  message: z.string(),
  origin: z
    .enum(['none', 'file', 'mesh'])
    .describe('mesh: the nodes keep it themselves, and can exchange it'),
  decided_at: z.iso.datetime().nullable(),
  former_until: z.iso
    .datetime()
    .nullable()
    .describe('Until then members may still come by the secret of before'),
  servers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      has_it: z
        .boolean()
        .describe('Whether it is known here, since that was made or this node began, to have it')
    })
  )
})

export function secretRoutes(parts: HttpParts): Route[] {
  const outcomes = { 503: { means: 'This node stands alone' } }
  return [
    {
      method: 'GET',
      url: '/api/secret',
      who: 'admin',
      tag: 'operations',
      summary: 'Which servers have the secret of the mesh; never the secret itself',
      answers: { 200: { means: 'All other members', shape: stateShape }, ...outcomes },
      async handle(request) {
        return describe(request, requireMesh(parts).secretState())
      }
    },
    {
      method: 'POST',
      url: '/api/secret',
      who: 'admin',
      tag: 'operations',
      summary: 'Put a new secret in the place of the one that holds, and hand it to all members',
      body: bodyShape,
      answers: {
        200: { means: 'It holds now, and who got it', shape: stateShape },
        400: { means: 'There is none yet, or it comes from a file' },
        ...outcomes
      },
      handle: (request) => rotate(parts, request)
    }
  ]
}

async function rotate(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { window } = request.body as z.output<typeof bodyShape>
  const { flows, seal } = parts
  const mesh = requireMesh(parts)
  const state = await keepKeys(flows.index, seal, () => mesh.rotate(window * 1000))
  const answer = describe(request, state)
  return { ...answer, message: `${answer.message} ${addressesNote(request, state)}` }
}

/** Whoever gave addresses away for longer would not hear of it otherwise. */
function addressesNote(request: ApiRequest, { formerUntilMs }: SecretState): string {
  if (formerUntilMs === undefined) {
    return messageFor(
      request,
      'Addresses that were signed before are not good any more: sign them again.',
      '此前签名的地址已失效，请重新签名。'
    )
  }
  const until = isoTime(formerUntilMs)
  return messageFor(
    request,
    `Addresses that were signed before end at ${until}, if not earlier: sign those again that shall be good for longer.`,
    `此前签名的地址最迟在 ${until} 失效，需要更久的请重新签名。`
  )
}

function describe(request: ApiRequest, state: SecretState): z.output<typeof stateShape> {
  const { origin, decidedMs, formerUntilMs, servers } = state
  return {
    status: 'success',
    message: messageFor(request, english(state), chinese(state)),
    origin,
    decided_at: decidedMs === undefined ? null : isoTime(decidedMs),
    former_until: formerUntilMs === undefined ? null : isoTime(formerUntilMs),
    servers: servers.map(({ id, name, hasIt }) => ({ id, name, has_it: hasIt }))
  }
}

function english({ origin, formerUntilMs, servers }: SecretState): string {
  if (origin === 'none') return 'The mesh has no secret: everybody on the local network may join.'
  if (servers.length === 0) return 'The mesh has a secret, and no other server yet.'
  const [have, lack] = namesOf(servers)
  const who = have.length === 0 ? 'No other server is' : `${have.join(', ')} ${are(have)}`
  const first = `${who} known to have the secret.`
  if (lack.length === 0) return first
  const others = `${lack.join(', ')} ${are(lack)} not, so far.`
  const remedy =
    formerUntilMs === undefined
      ? 'Whoever does not have it joins again with an invite.'
      : `Until ${isoTime(formerUntilMs)} they get it when they come; later, or if they have missed the one before it as well, they join again with an invite.`
  return origin === 'file' ? `${first} ${others}` : `${first} ${others} ${remedy}`
}

function chinese({ origin, formerUntilMs, servers }: SecretState): string {
  if (origin === 'none') return '此网络没有密钥：本地网络中的任何节点都可加入。'
  if (servers.length === 0) return '此网络已有密钥，还没有其他服务器。'
  const [have, lack] = namesOf(servers)
  const first =
    have.length === 0 ? '尚无其他服务器确认持有密钥。' : `已持有密钥：${have.join('、')}。`
  if (lack.length === 0) return first
  const remedy =
    formerUntilMs === undefined
      ? '没有密钥的服务器需用邀请重新加入。'
      : `在 ${isoTime(formerUntilMs)} 之前它们一连接就会得到密钥，之后需用邀请重新加入。`
  return `${first}尚未确认：${lack.join('、')}。${origin === 'file' ? '' : remedy}`
}

function namesOf(servers: SecretState['servers']): [have: string[], lack: string[]] {
  const named = (hasIt: boolean) =>
    servers.filter((server) => server.hasIt === hasIt).map(({ name }) => name)
  return [named(true), named(false)]
}

function are(names: readonly string[]): string {
  return names.length === 1 ? 'is' : 'are'
}
