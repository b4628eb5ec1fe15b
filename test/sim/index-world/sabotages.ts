// What protects an index, one protection at a time switched off: by parts in place of a node's own.

import type { Entry } from '../../../protocols/entry.ts'
import { EMPTY_NODE, type TreeNode } from '../../../protocols/time-tree-shape.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import type { SharedPast } from '../../../src/index/shared-past.ts'
import type { Transaction } from '../../../src/index/transaction.ts'
import { withMethod } from '../../support/memory-node.ts'
import { withRequests } from '../tamperings.ts'
import type { Sabotage } from './index-node.ts'

/** More nodes than any world has. */
const EVERYBODY = Array.from({ length: 100 }, (_, n) => `n${n}`)

export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  exchange: {
    network: (network) =>
      withRequests(network, ({ kind }) => {
        if (kind.case !== 'push') throw new Error('nothing is compared')
      })
  },
  forwarding: {
    network: (network) =>
      withRequests(network, ({ kind }) => {
        if (kind.case === 'push') kind.value.sentTo = EVERYBODY
      })
  },
  'tombstones of others': receiving((_tx, { deleted }) => !deleted),
  'newer versions of others': receiving((tx, entry) => !isImageKnown(tx, entry)),
  'tie by writer': receiving((tx, entry) => tx.get(entry.path as never)?.version !== entry.version),
  'tie by hash': receiving((tx, { path, version, writer }) => {
    const have = tx.get(path as never)
    return have?.version !== version || have.writer !== writer
  }),
  'sync before an answer': {
    index: (index) =>
      withMethod(index, { change: (plan) => index.change(plan, { durable: false }) })
  },
  'lowering of watermarks': transacting((tx) => {
    const receive: Transaction['receive'] = (entry, from) => {
      const before = tx.shared.watermarks
      const outcome = tx.receive(entry, from)
      for (const [member, watermark] of Object.entries(before)) tx.shared.note(member, watermark)
      return outcome
    }
    return { receive }
  }),
  'comparison in a proof': sharing(() => ({ sums: async () => EMPTY_NODE })),
  'second look of who asks for a proof': { index: withoutSecondLook },
  'watermarks, collecting by age alone': sharing(() => ({
    commonUntil: () => Number.POSITIVE_INFINITY
  })),
  'database of a watermark': sharing((shared) => ({
    commonUntil: (members) => {
      const known = [...members.keys()].map((id) => [id, shared.watermarks[id]?.database] as const)
      return shared.commonUntil(new Map(known))
    }
  })),
  'limit of what is vouched for': sharing((shared) => ({
    trust: (vouches, limits) => shared.trust(vouches, { ...limits, until: 2 ** 32 - 1 })
  })),
  'database of who is vouched for': sharing((shared) => ({
    trust: (vouches, { until }) => {
      const databases = new Map(vouches.map(({ member, database }) => [member, database] as const))
      shared.trust(vouches, { until, databases })
    }
  })),
  vouching: sharing(() => ({ trust: () => {} })),
  floor: sharing(() => ({ raiseFloor: () => {} })),
  'horizon taken over with a proof': sharing((shared) => {
    let isProof = false
    return {
      note: (member, watermark) => {
        isProof = true
        shared.note(member, watermark)
      },
      raiseHorizon: (bucket) => {
        if (!isProof) shared.raiseHorizon(bucket)
      }
    }
  }),
  'horizon in an exchange': {
    index: (index) => withMethod(index, { beyond: () => index.tree })
  },
  'horizon in a proof': sharing((shared) => ({ sums: (cut) => shared.sums(cut, 0) })),
  collection: transacting(() => ({ forgetTombstones: async () => undefined })),
  review: transacting((tx) => ({
    receive: (entry, from) => {
      const outcome = tx.receive(entry, from)
      if (outcome !== 'review') return outcome
      return tx.merge(entry, from) ? 'merged' : 'known'
    }
  })),
  'review in place of writing anew': transacting((tx) => ({
    putToReview: (image) => tx.writeAnew(image)
  })),
  'giving back what is not taken in': transacting((tx) => ({
    receive: (entry, from) => {
      const outcome = tx.receive(entry, from)
      return outcome === 'review' ? 'known' : outcome
    }
  })),
  'keeping of what was put to review': transacting((tx) => ({
    putToReview: (image, from) => {
      tx.putToReview(image, from)
      tx.discardReviewed(image.path)
    }
  }))
}

function isImageKnown(tx: Transaction, { path }: Entry): boolean {
  return tx.get(path as never) !== undefined
}

/** Changes of the index get these methods in place of their own. */
function transacting(methods: (tx: Transaction) => Partial<Transaction>): Sabotage {
  const index = (own: ImageIndex): ImageIndex =>
    withMethod(own, {
      change: (plan, options) => own.change((tx) => plan(withMethod(tx, methods(tx))), options)
    })
  return { index }
}

/** The same for what is known of the past that is shared. */
function sharing(methods: (shared: SharedPast) => Partial<SharedPast>): Sabotage {
  return transacting((tx) => ({ shared: withMethod(tx.shared, methods(tx.shared)) }))
}

/** Entries of others for which `takes` is false are not merged. */
function receiving(takes: (tx: Transaction, entry: Entry) => boolean): Sabotage {
  return transacting((tx) => ({
    receive: (entry, from) => (takes(tx, entry) ? tx.receive(entry, from) : 'known')
  }))
}

/** Who asks for a proof takes for granted that nothing came meanwhile; in an unsynced change. */
function withoutSecondLook(index: ImageIndex): ImageIndex {
  const told = new Map<string, TreeNode>()
  const sums = (shared: SharedPast, isSecond: boolean): SharedPast['sums'] => {
    return async (cut, horizon) => {
      const key = `${cut} ${horizon}`
      const before = isSecond ? told.get(key) : undefined
      const found = before ?? (await shared.sums(cut, horizon))
      told.set(key, found)
      return found
    }
  }
  return withMethod(index, {
    change: (plan, options) =>
      index.change((tx) => {
        const isSecond = options?.durable === false
        const shared = withMethod(tx.shared, { sums: sums(tx.shared, isSecond) })
        return plan(withMethod(tx, { shared }))
      }, options)
  })
}
