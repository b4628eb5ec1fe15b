// How fast entries of another node are merged, batch by batch as an exchange brings them, and what
// they take on disk.

import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../../src/index/open-database.ts'
import { printTable, short } from '../support/figures.ts'
import { measure, memory } from '../support/machine.ts'
import { type Making, readEntries } from './made-entries.ts'
import { mergeAll, openAt } from './seed.ts'

/** Rows of the table for each run. */
const STEPS = 10

/** `file`: the entries, `bytes` of them. */
export async function ingest(file: string, bytes: number, making: Making): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-bench-')))
  const rows: (string | number)[][] = []
  try {
    const index = await openAt(join(folder, 'index'))
    const step = Math.ceil(making.count / STEPS)
    let stepBegun = performance.now()
    const begun = stepBegun
    let merged = 0
    const cpu = process.cpuUsage()
    const threadCpu = process.threadCpuUsage()
    const usage = await measure([], async () => {
      for (const raws of readEntries(file)) {
        const before = Math.floor(merged / step)
        await mergeAll(index, raws)
        merged += raws.length
        if (Math.floor(merged / step) === before) continue
        const now = performance.now()
        rows.push([
          merged,
          short((step * 1000) / (now - stepBegun)),
          short(memory(process.pid).nowMb)
        ])
        stepBegun = now
      }
    })
    const cpuUs = (used: NodeJS.CpuUsage) => short((used.user + used.system) / merged)
    const [all, own] = [cpuUs(process.cpuUsage(cpu)), cpuUs(process.threadCpuUsage(threadCpu))]
    const perSecond = (merged * 1000) / (performance.now() - begun)
    await index.close()
    await settleDisk(join(folder, 'index'))
    const disk = sizeOf(join(folder, 'index'))
    console.log(
      `${merged} entries, one each ${making.everyMs} ms, in batches: ${short(perSecond)} entries/s ` +
        `(foreign cores ${usage.foreignCores.toFixed(2)}); ` +
        `CPU us an entry ${all}, of which ${own} hold the event loop; on disk ${short(disk / merged)} bytes an entry, of which ` +
        `${short(bytes / merged)} are the entry itself\n`
    )
    printTable([['entries so far', 'entries/s since the row above', 'RSS MiB'], ...rows])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Opens the database once more, which writes its log out, and lets it tidy up. */
async function settleDisk(folder: string): Promise<void> {
  const database = await openDatabase(folder)
  const level = database as unknown as { compactRange(from: string, to: string): Promise<void> }
  await level.compactRange('', '~')
  await database.close()
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}
