// tumesh join: makes a node meet others, at once if it runs, else at its next start.

import { join } from 'node:path'
import { NodeError } from '../base/errors.ts'
import { START } from '../base/how-called.ts'
import {
  JOIN_FILE,
  mayBeInvite,
  readJoinList,
  targetKind,
  writeJoinList
} from '../flows/join-targets.ts'
import { callNode, DATA_INITIAL, type NodeTarget, readLocalKey } from './node-client.ts'

/** Where the lines go: what worked, and what did not. */
export interface JoinOutput {
  readonly done: (line: string) => void
  readonly failed: (line: string) => void
}

/** Joins each target and says so in a line. False if one of them could not be. */
export async function runJoin(
  targets: readonly string[],
  node: NodeTarget,
  output: JoinOutput
): Promise<boolean> {
  const once = [...new Set(targets)]
  let allDone = true
  for (const [n, target] of once.entries()) {
    try {
      targetKind(target)
      output.done(`✓ ${await meet(target, node)}`)
    } catch (error) {
      if (isRefused(error)) return (await joinLater(once.slice(n), node, output)) && allDone
      output.failed(failure(target, error))
      allDone = false
    }
  }
  return allDone
}

async function meet(address: string, node: NodeTarget): Promise<string> {
  const met = await callNode(node, 'POST /api/peers', { body: { address } })
  const name = met.name === null ? '' : ` (${met.name})`
  const [first = '', ...rest] = met.message.replace(/\.$/, '')
  return `${placeOf(met.address)}${name}: ${first.toLowerCase()}${rest.join('')}`
}

/** The node is not there: it finds the targets in its data folder when it starts. */
async function joinLater(
  targets: readonly string[],
  { url, data = DATA_INITIAL }: NodeTarget,
  output: JoinOutput
): Promise<boolean> {
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
      output.failed(failure(target, error))
      return true
    }
  })
  const right = targets.filter((target) => !wrong.includes(target))
  if (right.length > 0) {
    const file = join(data, 'metadata', JOIN_FILE)
    await writeJoinList(file, [...readJoinList(file), ...right])
    const names = right.map(shown).join(', ')
    output.done(
      `The node is not running (nothing listens at ${url}); it will join ${names} at its next start.`
    )
  }
  return wrong.length === 0
}

function isRefused(error: unknown): boolean {
  return error instanceof NodeError && error.details.refused === true
}

function failure(target: string, error: unknown): string {
  return `✗ ${shown(target)}: ${error instanceof Error ? error.message : error}`
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
