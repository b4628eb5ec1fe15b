// tumesh doctor: looks at a node and its machine for what will be trouble.

import { PRODUCT_VERSION } from '../base/product-version.ts'
import { lookAtMachine } from './machine.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { type Finding, planDoctor } from './plan-doctor.ts'
import { counted, type Terminal } from './terminal.ts'

const SIGNS = { ok: '✓', warn: '!', bad: '✗' } as const

/** Exit code 1 if anything is not well. */
export async function runDoctor({ target, isJson }: Order, { out }: Terminal): Promise<number> {
  const storage = await callNode(target, 'GET /api/storage-status')
  const isHere = /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(target.url).hostname)
  const machine = isHere
    ? lookAtMachine({ pid: storage.node.pid, data: target.data ?? './data' })
    : undefined
  const findings = planDoctor(storage, machine, PRODUCT_VERSION)
  out(isJson ? `${JSON.stringify(findings)}\n` : textOf(findings))
  return findings.some(({ state }) => state !== 'ok') ? 1 : 0
}

function textOf(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ state, what, advice }) => [
    `${SIGNS[state]} ${what}`,
    ...(advice === undefined ? [] : [`  → ${advice}`])
  ])
  const open = findings.filter(({ state }) => state !== 'ok').length
  const last = open === 0 ? 'All is well.' : `${counted(open, 'thing')} to look at.`
  return `${[...lines, '', last].join('\n')}\n`
}
