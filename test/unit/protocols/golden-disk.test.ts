// The bytes of what a status says of the disk, which came after version 1.

import { expect, test } from 'vitest'
import { EntriesClient } from '../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../protocols/entries/serve.ts'
import { EMPTY_NODE } from '../../../protocols/time-tree-shape.ts'
import { MemoryEntries } from '../../support/memory-entries.ts'
import { never, servePair } from '../../support/serve-pair.ts'

test('entries: status with what the disk has room for', async () => {
  const disk = { state: 'low', sinceMs: 1_700_000_000_000 } as const
  const lacking = { wantsFiles: 0, wantsBytes: 0, wantRanges: [], horizon: 0 }
  const source = new MemoryEntries()
  source.status = () => ({ root: EMPTY_NODE, ...lacking, disk })
  const { stream, server } = servePair(entriesProtocol, source)
  expect(await new EntriesClient(stream).status(never)).toMatchObject({ disk })
  expect(server.sent().toString('hex')).toBe('0f0801420b0a0030023880d095ffbc31')
})
