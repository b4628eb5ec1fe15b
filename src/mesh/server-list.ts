// The other servers, by what each said of itself.

import type { Heard } from '../../protocols/hello/hello.ts'
import type { ServerStatus } from '../flows/status.ts'
import type { PeerReport } from '../index-sync/index-sync.ts'
import type { ConnectedPeer } from '../network/network.ts'

export function serverOf(
  peer: ConnectedPeer,
  hello: Heard | undefined,
  report: PeerReport | undefined
): ServerStatus {
  return {
    name: hello?.name ?? peer.id.slice(-8),
    peerId: peer.id,
    address: peer.address,
    httpPort: hello?.httpPort,
    addresses: hello?.addresses ?? [],
    connectedAtMs: peer.sinceMs,
    comparedAtMs: report?.atMs,
    equal: report?.equal ?? false,
    missingFiles: report?.status.wantsFiles,
    missingBytes: report?.status.wantsBytes,
    clockOffsetMs: hello === undefined ? undefined : Math.round(hello.clockOffsetMs)
  }
}
