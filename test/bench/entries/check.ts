// What the check of an index against itself takes, with which each `verify` of everything begins.

import { printTable, short } from '../support/figures.ts'
import { measure } from '../support/machine.ts'
import { openAt } from './seed.ts'

/** The first meets code that is not compiled yet. */
const ROUNDS = 4

/** `folder`: of the index. */
export async function check(folder: string): Promise<void> {
  const index = await openAt(folder)
  const { images } = index.counts()
  const rows: (string | number)[][] = []
  for (let round = 1; round <= ROUNDS; round++) {
    const cpu = process.cpuUsage()
    const threadCpu = process.threadCpuUsage()
    let found = 0
    const { seconds, foreignCores } = await measure([], async () => {
      const { signal } = new AbortController()
      found = await index.selfCheck.everything({ signal, onFaults: console.error })
    })
    const perEntry = (used: NodeJS.CpuUsage) => short((used.user + used.system) / images)
    rows.push([
      ...[round, short(seconds), perEntry(process.cpuUsage(cpu))],
      ...[perEntry(process.threadCpuUsage(threadCpu)), found, foreignCores.toFixed(2)]
    ])
  }
  await index.close()
  console.log(`${images} images, all held\n`)
  const us = ['CPU us an image', 'of them hold the event loop']
  printTable([['round', 'seconds', ...us, 'faults', 'foreign cores'], ...rows])
}
