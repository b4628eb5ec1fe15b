// What is wrong once all is quiet: on each node's own word, and on its disk.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AnswerOf, AskedArguments, Operation } from '../../src/client/plan-request.ts'
import { type Sent, sendRequest } from '../../src/client/send-request.ts'
import type { Fleet, TortureNode } from './fleet.ts'
import { blobFile, isWhole } from './harms.ts'
import type { Model } from './model.ts'

const QUIET_MS_MAX = 240_000
const ASK_MS_MAX = 120_000
const SETTLED_MS_MAX = 90_000

export interface Listed {
  readonly path: string
  readonly sha256: string
  readonly state: string
}

/** Heals all and waits until the nodes are the same; what is wrong then. */
export async function verdictOf(fleet: Fleet, model: Model): Promise<readonly string[]> {
  for (const node of fleet.nodes) {
    if (node.isStopped) fleet.resume(node)
    fleet.plug(node, true)
    fleet.disturb(node, false)
    if (node.process === undefined) await fleet.start(node)
  }
  const unrest = await untilQuiet(fleet)
  // silent damage is found by who reads everything
  for (const node of fleet.nodes) await verify(fleet, node)
  const stillUnrest = await untilQuiet(fleet)
  const faults = [...(unrest ? [`before verifying: ${unrest}`] : [])]
  if (stillUnrest) faults.push(stillUnrest)
  return [...faults, ...(await lastFaults(fleet, model))]
}

/** What a node could not do on its disk it tries again within a minute. */
async function lastFaults(fleet: Fleet, model: Model): Promise<readonly string[]> {
  const endMs = Date.now() + SETTLED_MS_MAX
  for (;;) {
    const faults: string[] = []
    for (const node of fleet.nodes) {
      faults.push(...faultsOf(node, await listOf(fleet, node), model))
    }
    if (faults.length === 0 || Date.now() > endMs) return faults
    await sleep(5000)
  }
}

async function untilQuiet(fleet: Fleet): Promise<string | undefined> {
  const endMs = Date.now() + QUIET_MS_MAX
  let unrest: string | undefined
  do {
    await Promise.all(fleet.nodes.map((node) => ask(fleet, node, 'POST /api/force-file-sync')))
    await sleep(2000)
    unrest = await unrestOf(fleet)
  } while (unrest !== undefined && Date.now() < endMs)
  return unrest
}

async function unrestOf(fleet: Fleet): Promise<string | undefined> {
  const told: string[] = []
  const totals = new Set<string>()
  for (const node of fleet.nodes) {
    const status = await ask(fleet, node, 'GET /api/storage-status')
    if (status === undefined) return `${node.name} does not answer`
    if (!status.distributed_storage) return `${node.name} stands alone`
    const { missing_files, corrupted_files, sync_queue_size, review_files, servers } = status
    totals.add(`${status.total_files} ${status.total_size}`)
    if (missing_files + corrupted_files + sync_queue_size + review_files > 0) {
      told.push(`${node.name}: ${JSON.stringify(status.status_reasons)} ${missing_files} missing`)
    }
    const connected = servers.filter(({ connected_at }) => connected_at)
    if (connected.length < fleet.nodes.length - 1) {
      told.push(`${node.name} is connected with ${connected.length} others`)
    }
  }
  if (totals.size > 1) told.push(`different totals: ${[...totals].join(' | ')}`)
  return told.length === 0 ? undefined : told.join('; ')
}

async function verify(fleet: Fleet, node: TortureNode): Promise<void> {
  const started = await ask(fleet, node, 'POST /file-sync/api/file-sync/verify')
  const id = started !== undefined && 'task_id' in started ? started.task_id : undefined
  const endMs = Date.now() + ASK_MS_MAX
  while (id !== undefined && Date.now() < endMs) {
    const path = { id }
    const task = await ask(fleet, node, 'GET /file-sync/api/file-sync/tasks/{id}', { path })
    if (task?.status !== 'running') return
    await sleep(500)
  }
}

async function listOf(fleet: Fleet, node: TortureNode): Promise<readonly Listed[]> {
  const answer = await ask(fleet, node, 'GET /file-sync/api/file-sync/files')
  return answer?.files ?? []
}

/** By what a node lists, and by what its folder holds. */
export function faultsOf(
  node: Pick<TortureNode, 'name' | 'folder'>,
  list: readonly Listed[],
  model: Model
): string[] {
  const faults: string[] = []
  const held = new Map(list.map(({ path, sha256 }) => [path, sha256]))
  for (const path of model.paths()) {
    const holds = held.get(path) ?? 'deleted'
    if (model.allows(path, holds)) continue
    const found = holds.slice(0, 8)
    faults.push(`${node.name}: ${path} is ${found}, and should be ${model.describe(path)}`)
  }
  for (const { path, sha256, state } of list) {
    if (state !== 'ok') faults.push(`${node.name}: ${path} is ${state}`)
    if (!isWhole(blobFile(node, sha256), sha256)) faults.push(`${node.name}: no bytes of ${path}`)
    const shown = join(node.folder, 'images', path)
    if (!existsSync(shown) || hashOf(shown) !== sha256) {
      faults.push(`${node.name}: images/${path} is not what it should be`)
    }
  }
  const named = new Set(list.map(({ sha256 }) => sha256))
  const blobs = join(node.folder, 'blobs')
  for (const folder of readdirSync(blobs)) {
    for (const hash of readdirSync(join(blobs, folder))) {
      if (!named.has(hash)) faults.push(`${node.name}: blobs/ has ${hash}, which nothing names`)
    }
  }
  return faults
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

async function ask<Name extends Operation>(
  { headers }: Fleet,
  { url }: TortureNode,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<AnswerOf<Name> | undefined> {
  try {
    const site = { url, headers, signal: AbortSignal.timeout(ASK_MS_MAX) }
    return (await (await sendRequest(site, operation, ...asked)).json()) as AnswerOf<Name>
  } catch {
    return undefined
  }
}
