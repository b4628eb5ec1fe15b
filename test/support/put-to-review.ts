// Images that wait for review on a real node, as after it came back with an outdated past.

import type { ImageEntry } from '../../protocols/entry.ts'
import { parsePath } from '../../protocols/path.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import { makeSvg } from '../fixtures/make-images.ts'
import { put } from './http-client.ts'
import { ManualClock } from './manual-clock.ts'
import { openIndexOver } from './open-index.ts'
import type { RealNode, Workbench } from './real-node.ts'

/** Stops node `a`, whose index says so from its next start on. */
export async function putToReview(bench: Workbench, node: RealNode, paths: readonly string[]) {
  for (const [n, path] of paths.entries()) await put(node.url, path, makeSvg({ seed: 100 + n }))
  await node.end('SIGTERM')
  const database = await openDatabase(bench.path('a', 'metadata', 'index'))
  const { index, close } = await openIndexOver(database, { clock: new ManualClock(Date.now()) })
  await index.change((tx) => {
    for (const path of paths) tx.putToReview(tx.get(parsePath(path)) as ImageEntry, 'peer-x')
  })
  await close()
}
