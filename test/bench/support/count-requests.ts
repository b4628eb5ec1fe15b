// Loaded into a node ahead of the node itself: counts the requests that it sends to others. At
// SIGUSR2 it writes them to the file that BENCH_COUNTS names.

import { renameSync, writeFileSync } from 'node:fs'
import { BlobsClient } from '../../../protocols/blobs/request.ts'
import { EntriesClient } from '../../../protocols/entries/request.ts'
import { RequestStream } from '../../../protocols/request-stream.ts'

type Method = (this: unknown, ...given: unknown[]) => unknown

const counts = {
  /** Of all protocols. */
  requests: 0,
  pushes: 0,
  pushedEntries: 0,
  /** Of peers, what they lack. */
  reports: 0,
  blobRequests: 0,
  blobsAsked: 0
}
export type RequestCounts = typeof counts

const file = process.env.BENCH_COUNTS ?? ''

before(RequestStream.prototype, 'ask', () => {
  counts.requests++
})
before(EntriesClient.prototype, 'push', (entries) => {
  counts.pushes++
  counts.pushedEntries += (entries as readonly unknown[]).length
})
before(EntriesClient.prototype, 'status', () => {
  counts.reports++
})
before(BlobsClient.prototype, 'fetch', (items) => {
  counts.blobRequests++
  counts.blobsAsked += (items as readonly unknown[]).length
})
process.on('SIGUSR2', () => {
  writeFileSync(`${file}.new`, JSON.stringify(counts))
  renameSync(`${file}.new`, file)
})

function before(prototype: object, name: string, note: (first: unknown) => void): void {
  const methods = prototype as Record<string, Method>
  const original = methods[name] as Method
  methods[name] = function (...given) {
    note(given[0])
    return original.apply(this, given)
  }
}
