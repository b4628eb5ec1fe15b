// What all steps work with, and what several of them wait for.

import type { Account } from './account.ts'
import { comesTrue, NotSo } from './comes-true.ts'
import type { DemoNode, ListedFile } from './demo-node.ts'

export interface Stage {
  readonly account: Account
  readonly a: DemoNode
  readonly b: DemoNode
  readonly c: DemoNode
  /** Starts a node that knows where the others are. */
  readonly start: (node: DemoNode) => Promise<void>
}

const CONNECTED = ['online', 'syncing']
const MEET_MS_MAX = 20_000
const HEAL_MS_MAX = 60_000

/** Resolves when each of the nodes is connected with so many others. */
export function seesOthers(nodes: readonly DemoNode[], count: number): Promise<void> {
  return comesTrue({ withinMs: MEET_MS_MAX }, async () => {
    for (const node of nodes) {
      const { servers } = await node.status()
      const connected = servers.filter(({ status }) => CONNECTED.includes(status)).length
      if (connected !== count) return `${node.name} is connected with ${connected} others`
    }
    return undefined
  })
}

/** Resolves when the node lists `total` images and has the bytes of all. */
export function holdsAll(node: DemoNode, total: number): Promise<void> {
  return comesTrue({ withinMs: HEAL_MS_MAX }, async () => {
    const { total_files, local_files } = await node.status()
    if (total_files === total && local_files === total) return undefined
    return `${node.name} has ${local_files} of ${total} images`
  })
}

type Wanted = Pick<ListedFile, 'path' | 'sha256'>

/** Resolves when a reader gets the right bytes from the node. */
export function readable(node: DemoNode, { path, sha256 }: Wanted): Promise<void> {
  return comesTrue({ withinMs: HEAL_MS_MAX, everyMs: 2 }, async () => {
    const found = await node.read(path)
    if (found.status === 200 && found.sha256 === sha256) return undefined
    return `${node.name} answers ${found.status} for ${path}, SHA-256 ${found.sha256}`
  })
}

/** Reads once; throws NotSo unless the right bytes come. */
export async function expectRight(node: DemoNode, { path, sha256 }: Wanted): Promise<void> {
  const found = await node.read(path)
  if (found.status === 200 && found.sha256 === sha256) return
  throw new NotSo(
    `${node.name} answers ${found.status} for ${path} with SHA-256 ${found.sha256}, not ${sha256}`
  )
}
