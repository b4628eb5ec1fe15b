// Starts a node on what a power cut has left, and says what is wrong with it.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../support/digests.ts'
import { bytesAt, postJson, send } from '../support/http-client.ts'
import { type RealNodeOptions, spawnNode } from '../support/real-node.ts'
import { isWhole } from '../torture/harms.ts'
import type { Model } from '../torture/model.ts'
import { faultsOf, type Listed } from '../torture/verdict.ts'

const API = '/file-sync/api/file-sync'
const START_MS_MAX = 120_000
/** What a start has left to do is done by then. */
const SETTLED_MS_MAX = 20_000

/** `folder` has the node's data under `name`. */
export async function faultsOfCut(
  folder: string,
  name: string,
  model: Model,
  options: RealNodeOptions
): Promise<readonly string[]> {
  const node = spawnNode({ ...options, folder, name })
  try {
    await node.started(START_MS_MAX)
    const where = { name, folder: join(folder, name), url: node.url }
    const found = await settledFaults(where, model)
    const { code } = await node.end('SIGTERM')
    return code === 0 ? found : [...found, `it ended with ${code}`]
  } catch (error) {
    return [String(error)]
  } finally {
    await node.end('SIGKILL')
  }
}

interface Where {
  readonly name: string
  readonly folder: string
  readonly url: string
}

async function settledFaults(where: Where, model: Model): Promise<readonly string[]> {
  const endMs = Date.now() + SETTLED_MS_MAX
  for (;;) {
    const faults = await faultsNow(where, model)
    if (faults.length === 0 || Date.now() > endMs) return faults
    await sleep(200)
  }
}

async function faultsNow(where: Where, model: Model): Promise<readonly string[]> {
  const { body } = await send(`${where.url}${API}/files`)
  const files = body.files as readonly Listed[]
  const faults = faultsOf(where, files, model)
  for (const { path, sha256: hash } of files) {
    const { status, bytes } = await bytesAt(`${where.url}/images/${path}`)
    if (status !== 200) faults.push(`${path} is answered with ${status}`)
    else if (sha256(bytes) !== hash) faults.push(`${path} is served with other bytes`)
  }
  return [...faults, ...faultsOfFolders(where.folder), ...(await faultsItFinds(where.url))]
}

function faultsOfFolders(folder: string): readonly string[] {
  const faults: string[] = []
  const trash = join(folder, 'trash')
  for (const part of readdirSync(trash)) {
    for (const hash of readdirSync(join(trash, part))) {
      if (!isWhole(join(trash, part, hash), hash)) faults.push(`trash/ has ${hash}, not whole`)
    }
  }
  // the empty file that notes of running uploads are links of stays
  const left = readdirSync(join(folder, 'temp')).filter((name) => name !== '.note')
  if (left.length > 0) faults.push(`temp/ has ${left}`)
  // a file in images/ of which the node does not know any more that it made it, is set aside
  const set = readdirSync(join(folder, 'quarantine')).filter((name) => !/^foreign-/.test(name))
  if (set.length > 0) faults.push(`quarantine/ has ${set}`)
  return faults
}

/** By its own word, once it has read everything, its index included. */
async function faultsItFinds(url: string): Promise<readonly string[]> {
  const { body: report } = await postJson(`${url}${API}/verify`, {})
  const { body: status } = await send(`${url}/api/storage-status`)
  const bad = [...report.corrupted_files, ...report.missing_files]
  return [
    ...(bad.length > 0 ? [`verify finds ${JSON.stringify(bad).slice(0, 300)}`] : []),
    ...(status.status === 'healthy' ? [] : [`it is ${status.status}: ${status.status_reasons}`])
  ]
}
