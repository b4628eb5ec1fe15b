// tumesh join: makes a node meet others, at once if it runs, else at its next start.

import { join } from 'node:path'
import { NodeError } from '../base/errors.ts'
import { START } from '../base/how-called.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import {
  JOIN_FILE,
  mayBeInvite,
  readJoinList,
  targetKind,
  writeJoinList
} from '../flows/join-targets.ts'
import { callNode, DATA_INITIAL, type NodeTarget, readLocalKey } from './node-client.ts'
import type { Order } from './order.ts'
import { failureOf, type Terminal } from './terminal.ts'

type Met = AnswerOf<'POST /api/peers'>

/** What became of the targets. */
interface Account {
  readonly joined: Met[]
  /** To be met at the next start: the node does not run. */
  readonly later: string[]
  readonly failed: object[]
}

/** Hears what became of each target as soon as it is known. */
interface Listener {
  readonly joined: (met: Met) => void
  readonly later: (targets: readonly string[]) => void
  readonly failed: (target: string, error: unknown) => void
}

/** Joins each target and says so in a line. Exit code 1 if one of them could not be. */
export async function runJoin(
  { words, target, isJson }: Order,
  { out, err }: Pick<Terminal, 'out' | 'err'>
): Promise<number> {
  const account: Account = { joined: [], later: [], failed: [] }
  await joinAll([...new Set(words)], target, {
    joined: (met) => {
      account.joined.push(met)
      if (!isJson) out(`✓ ${lineOf(met)}\n`)
    },
    later: (targets) => {
      account.later.push(...targets.map(shown))
      const names = account.later.join(', ')
      const sentence = `The node is not running (nothing listens at ${target.url}); it will join ${names} at its next start.`
      if (!isJson) out(`${sentence}\n`)
    },
    failed: (one, error) => {
      account.failed.push({ target: shown(one), ...failureOf(error) })
      if (!isJson) err(`✗ ${shown(one)}: ${failureOf(error).detail}\n`)
    }
  })
  if (isJson) out(`${JSON.stringify(account)}\n`)
  return account.failed.length > 0 ? 1 : 0
}

async function joinAll(targets: readonly string[], node: NodeTarget, told: Listener) {
  for (const [n, target] of targets.entries()) {
    try {
      targetKind(target)
      told.joined(await callNode(node, 'POST /api/peers', { body: { address: target } }))
    } catch (error) {
      if (isRefused(error)) return joinLater(targets.slice(n), node, told)
      told.failed(target, error)
    }
  }
}

function lineOf(met: Met): string {
  const name = met.name === null ? '' : ` (${met.name})`
  const [first = '', ...rest] = met.message.replace(/\.$/, '')
  return `${placeOf(met.address)}${name}: ${first.toLowerCase()}${rest.join('')}`
}

/** The node is not there: it finds the targets in its data folder when it starts. */
async function joinLater(
  targets: readonly string[],
  { url, data = DATA_INITIAL }: NodeTarget,
  told: Listener
): Promise<void> {
  if (readLocalKey(data) === undefined) {
    throw new NodeError(
      'NOT_FOUND',
      `Nothing listens at ${url}, and ${data} is no data folder of a node. Start the node first (${START.replace(/ --$/, '')}), or name its address with --url and its data folder with --data.`
    )
  }
  const wrong = targets.filter((target) => {
    try {
      targetKind(target)
      return false
    } catch (error) {
      told.failed(target, error)
      return true
    }
  })
  const right = targets.filter((target) => !wrong.includes(target))
  if (right.length > 0) {
    const file = join(data, 'metadata', JOIN_FILE)
    await writeJoinList(file, [...readJoinList(file), ...right])
    told.later(right)
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof NodeError && error.details.refused === true
}

/** An invite is a secret, and long. */
function shown(target: string): string {
  return mayBeInvite(target) ? 'the invite' : target
}

/** "10.0.0.2:4001" for /ip4/10.0.0.2/tcp/4001/p2p/…. */
function placeOf(address: string): string {
  const [, host, port] = /^\/(?:ip[46]|dns[46]?)\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
  if (host === undefined) return address
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
