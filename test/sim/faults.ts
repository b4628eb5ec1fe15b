// What must be true of all nodes once it is quiet.

import type { ImagePath } from '../../protocols/path.ts'
import { auditIndex } from '../support/audit-index.ts'
import type { SimNode } from './sim-node.ts'
import type { Writes } from './writes.ts'

/** Whether all nodes know the same. */
export function agree(nodes: readonly SimNode[]): boolean {
  return new Set(nodes.map(rootOf)).size <= 1
}

/** What nodes still have to do; undefined once all know the same and have it. */
export async function unrestOf(nodes: readonly SimNode[]): Promise<string | undefined> {
  if (!agree(nodes)) return 'not all know the same'
  for (const { id, life } of nodes) {
    const { wants } = life.flows.index.counts()
    if (wants > 0) return `${id} lacks ${wants} blobs`
    for await (const { step, subject } of life.flows.index.intents()) {
      return `${id} has not done: ${step} ${subject}`
    }
  }
  return undefined
}

/** Empty if all is well. */
export async function faultsOf(nodes: readonly SimNode[], writes: Writes): Promise<string[]> {
  const faults: string[] = []
  if (!agree(nodes)) faults.push('the nodes do not know the same')
  for (const node of nodes) {
    for (const fault of await faultsOfNode(node)) faults.push(`${node.id}: ${fault}`)
  }
  const [first] = nodes
  for (const path of writes.paths()) {
    const fault = writes.faultOf(path, first?.life.flows.index.get(path as ImagePath))
    if (fault !== undefined) faults.push(fault)
  }
  return faults
}

async function faultsOfNode({ life, disk }: SimNode): Promise<string[]> {
  const { index } = life.flows
  const faults = await auditIndex(life.node.database)
  if (index.fault !== undefined) faults.push(`its index takes nothing: ${index.fault.message}`)
  for await (const { step, subject } of index.intents()) faults.push(`left: ${step} ${subject}`)
  const shown = new Set<string>()
  for await (const { path, hash } of index.list()) {
    const row = index.blob(hash)
    if (row?.state !== 'held') faults.push(`the bytes of ${path} are ${row?.state}`)
    else if ((await disk.store.rehash(hash))?.hash !== hash) faults.push(`${path} is damaged`)
    const name = index.view(path)?.name ?? path
    shown.add(name)
    if (disk.view.at(name) !== hash) faults.push(`images/${name} shows ${disk.view.at(name)}`)
  }
  for (const name of disk.view.names()) {
    if (!shown.has(name)) faults.push(`images/${name} is nobody's`)
  }
  if (disk.store.leftovers().length > 0) faults.push('temporary files are left')
  return faults
}

function rootOf({ life }: SimNode): string {
  const { live, dead, liveSum, deadSum } = life.flows.index.root()
  return `${live} ${dead} ${liveSum} ${deadSum}`
}
