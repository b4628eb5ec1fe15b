// The other servers: list them, meet one, forget one.

import { z } from 'zod'
import { INVITE_CHARACTERS_MAX } from '../../../protocols/invite.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { START } from '../../base/how-called.ts'
import { formatSize } from '../../base/units.ts'
import { removeMember } from '../../flows/members.ts'
import { describeServers, serverShape } from '../describe-status.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts, Met } from '../ports.ts'
import { requireMesh } from '../require-mesh.ts'
import type { ApiRequest, Route } from '../route.ts'

const peerBody = z.strictObject({
  address: z
    .string()
    .min(1)
    .max(INVITE_CHARACTERS_MAX + 1024) // a chat may have broken it into lines
    .describe('A multiaddr, http://host:8000 or an invite')
})
const answered = { status: z.literal('success'), message: z.string() }
const listShape = z.object({ status: z.literal('success'), peers: z.array(serverShape) })
const metShape = z.object({
  ...answered,
  peer_id: z.string(),
  name: z.string().nullable(),
  address: z.string(),
  already_connected: z.boolean(),
  took_ms: z.int(),
  clock_offset_ms: z.number().nullable(),
  missing_files: z.int(),
  missing_bytes: z.int()
})
const peerParams = z.strictObject({ id: z.string().min(1).max(128) })

export function peerRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/peers',
      who: 'read',
      tag: 'operations',
      summary: 'All members of the mesh, and which of them are connected',
      answers: { 200: { means: 'The members', shape: listShape } },
      handle: ({ access }) => list(parts, access)
    },
    {
      method: 'POST',
      url: '/api/peers',
      who: 'admin',
      tag: 'operations',
      summary: 'Meet another server, by its multiaddr, http://host:8000 or an invite',
      body: peerBody,
      answers: {
        200: { means: 'It is connected, and what is to be fetched', shape: metShape },
        400: { means: 'The address is none, or this node itself; or the invite is not whole' },
        503: { means: 'It can not be reached; the sentence says why' }
      },
      handle: (request) => meet(parts, request)
    },
    {
      method: 'DELETE',
      url: '/api/peers/:id',
      who: 'admin',
      tag: 'operations',
      summary: 'Forget a member that is gone for good, and admit it no more',
      params: peerParams,
      answers: {
        200: { means: 'It is removed', shape: z.object(answered) },
        400: { means: 'It is this node itself' },
        404: { means: 'There is no such member' }
      },
      handle: (request) => remove(parts, request)
    }
  ]
}

async function list(parts: HttpParts, access: ApiRequest['access']): Promise<unknown> {
  return { status: 'success', peers: describeServers(parts, access) }
}

async function meet(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { address } = request.body as z.output<typeof peerBody>
  const { clock } = parts
  const mesh = requireMesh(parts)
  const [begunAtMs, begun] = [clock.now(), clock.monotonicMs()]
  const met = await mesh.meet(address, request.signal)
  const wholeMs = Math.round(clock.monotonicMs() - begun)
  const server = mesh.servers().find(({ peerId }) => peerId === met.id)
  const connectedMs = (server?.connectedAtMs ?? clock.now()) - begunAtMs
  const already = connectedMs < 0
  const tookMs = already ? 0 : Math.min(connectedMs, wholeMs)
  return {
    status: 'success',
    message: messageFor(request, english(met, already, tookMs), chinese(met, already, tookMs)),
    peer_id: met.id,
    name: met.name ?? null,
    address: listeningAddress(met.address, server?.addresses ?? []),
    already_connected: already,
    took_ms: tookMs,
    clock_offset_ms: met.clockOffsetMs ?? null,
    missing_files: met.wantsFiles,
    missing_bytes: met.wantsBytes
  }
}

function english({ clockOffsetMs, wantsFiles, wantsBytes }: Met, already: boolean, tookMs: number) {
  const connected = already ? 'Already connected' : `Connected in ${tookMs} ms`
  const clocks = clockOffsetMs === undefined ? '' : `, clocks ${apart(clockOffsetMs)} s apart`
  const images = wantsFiles === 1 ? '1 image' : `${wantsFiles} images`
  const fetch = wantsFiles === 0 ? 'nothing' : `${images} (${formatSize(wantsBytes)})`
  return `${connected}${clocks}, ${fetch} to fetch.`
}

function chinese({ clockOffsetMs, wantsFiles, wantsBytes }: Met, already: boolean, tookMs: number) {
  const connected = already ? '早已连接' : `已连接，用时 ${tookMs} 毫秒`
  const clocks = clockOffsetMs === undefined ? '' : `，时钟相差 ${apart(clockOffsetMs)} 秒`
  const fetch =
    wantsFiles === 0
      ? '没有要取回的图片'
      : `待取回 ${wantsFiles} 张图片（${formatSize(wantsBytes)}）`
  return `${connected}${clocks}，${fetch}。`
}

function apart(clockOffsetMs: number): string {
  return (Math.abs(clockOffsetMs) / 1000).toFixed(1)
}

/** If the other side dialled, its connection comes from a port at which it does not listen. */
function listeningAddress(ofConnection: string, addresses: readonly string[]): string {
  const host = ofConnection.split('/tcp/', 1)[0]
  return (
    addresses.find((one) => one === ofConnection) ??
    addresses.find((one) => one.startsWith(`${host}/tcp/`)) ??
    ofConnection
  )
}

async function remove(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { id } = request.params as z.output<typeof peerParams>
  const { mesh, flows } = parts
  if (!(await (mesh?.remove(id) ?? removeMember(flows.index, id)))) {
    throw new NodeError('NOT_FOUND', `There is no member ${id}. GET /api/peers lists them.`, {
      id,
      ...saidAs('member_absent')
    })
  }
  return {
    status: 'success',
    message: messageFor(
      request,
      `${id} is removed and admitted no more. To take it back, join its address from here.${knows(mesh).english}`,
      `已移除 ${id}，今后不再接纳。若要让其回来，请在此处加入它的地址。${knows(mesh).chinese}`
    )
  }
}

/** Whoever was a member has the secret of the mesh. */
function knows(mesh: HttpParts['mesh']): { readonly english: string; readonly chinese: string } {
  const origin = mesh?.secretState().origin ?? 'none'
  if (origin === 'none') return { english: '', chinese: '' }
  const how = origin === 'file' ? '' : `: ${START} secret rotate --window 0s`
  return {
    english: ` It still knows the secret of the mesh; if it is in foreign hands, exchange that${how}.`,
    chinese: `它仍知道网络密钥；若它落入他人之手，请更换密钥${how}。`
  }
}
