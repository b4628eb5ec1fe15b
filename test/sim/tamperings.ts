// What a node does, switched off: made by parts in place of its own.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { type Request, RequestSchema } from '../../protocols/entries/messages_pb.ts'
import type { Entry } from '../../protocols/entry.ts'
import { frameOf } from '../../protocols/frame.ts'
import { ENTRIES_ID } from '../../protocols/ids.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Transaction } from '../../src/index/transaction.ts'
import type { Network } from '../../src/network/network.ts'
import { withMethod } from '../support/memory-node.ts'
import type { Tampering } from './sim-node.ts'

/** Nodes do not compare what they have. */
export const noExchange: Tampering = {
  network: (network) =>
    withRequests(network, (request) => {
      if (request.kind.case !== 'push') throw new Error('nothing is compared')
    })
}

/** Nobody passes on what it heard by a push: each claims that all have heard it. */
export function noForwarding(everybody: readonly string[]): Tampering {
  return {
    network: (network) =>
      withRequests(network, (request) => {
        if (request.kind.case !== 'push') throw new Error('nothing is compared')
        request.kind.value.sentTo = [...everybody]
      })
  }
}

/** Each of these must be noticed in random worlds. */
export const SWITCHED_OFF: Readonly<Record<string, Tampering>> = {
  'the exchange': noExchange,
  'tombstones of others': withMerge((_tx, { deleted }) => !deleted),
  'newer versions of others': withMerge((tx, { path }) => tx.get(path as ImagePath) === undefined),
  'the sync of what is written': {
    index: (index) =>
      withMethod(index, { change: (plan) => index.change(plan, { durable: false }) })
  },
  'the end of what a crash broke off': { recover: async () => {} },
  'views of what others wrote': {
    flows: (flows) => ({
      ...flows,
      settler: withMethod(flows.settler, { settleAll: async () => 0 })
    })
  },
  'dials after the first': {
    network: (network) => {
      const dialled = new Set<string>()
      const dial: Network['dial'] = async (addresses, signal) => {
        const peer = addresses.join(' ')
        if (dialled.has(peer)) throw new Error('dialled before')
        const connected = await network.dial(addresses, signal)
        dialled.add(peer)
        return connected
      }
      return withMethod(network, { dial })
    }
  },
  'fetching of blobs': { fetchAll: false }
}

/** Entries of others for which `takes` is false are not merged. */
function withMerge(takes: (tx: Transaction, entry: Entry) => boolean): Tampering {
  return {
    index: (index) =>
      withMethod(index, {
        change: (plan, options) =>
          index.change((tx) => {
            const receive: Transaction['receive'] = (entry, from) =>
              takes(tx, entry) ? tx.receive(entry, from) : 'known'
            return plan(withMethod(tx, { receive }))
          }, options)
      })
  }
}

/** Calls `look` with each request for entries, which it may change or refuse. */
export function withRequests(network: Network, look: (request: Request) => void): Network {
  const open: Network['open'] = async (peerId, protocolId, signal) => {
    const stream = await network.open(peerId, protocolId, signal)
    return protocolId === ENTRIES_ID ? changed(stream, look) : stream
  }
  return withMethod(network, { open })
}

/** Each write is one frame: its length in bytes of 7 bits, then the request. */
function changed(stream: ByteStream, look: (request: Request) => void): ByteStream {
  return withMethod(stream, {
    async write(bytes) {
      const start = bytes.findIndex((byte) => byte < 0x80) + 1
      const request = fromBinary(RequestSchema, bytes.subarray(start))
      look(request)
      await stream.write(frameOf(toBinary(RequestSchema, request)))
    }
  })
}
