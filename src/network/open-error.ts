// Says in words why a stream to a connected peer could not be opened.

import { NodeError } from '../base/errors.ts'
import { TooManyStreams } from './peer-link.ts'

/** BUSY if too many streams of the protocol are open, else PEER_UNREACHABLE. */
export function openError(error: unknown, peerId: string, protocolId: string): NodeError {
  if (error instanceof NodeError) return error
  const name = error instanceof Error ? error.name : ''
  const details = { peer: peerId, protocol: protocolId, error: String(error) }
  if (error instanceof TooManyStreams) {
    const sentence = `Too many streams of ${protocolId} to node ${peerId} are open. Wait for one to end.`
    return new NodeError('BUSY', sentence, details, { cause: error })
  }
  const sentence =
    name === 'UnsupportedProtocolError'
      ? `Node ${peerId} does not speak ${protocolId}. Run the same version on both.`
      : `Node ${peerId} can't be reached: there is no connection, or it broke.`
  return new NodeError('PEER_UNREACHABLE', sentence, details, { cause: error })
}
