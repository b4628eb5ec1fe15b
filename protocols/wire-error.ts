// The one error that parsing throws, whatever the bytes are. The same class tells of a stream whose
// bytes are not what the protocol says: then the stream is of no use any more.

export type WireFault =
  | 'BAD_HASH'
  | 'BAD_CID'
  | 'BAD_PATH'
  | 'BAD_VERSION'
  | 'BAD_ENTRY'
  | 'BAD_INVITE'
  | 'TOO_LARGE'
  /** The other side ended in the middle of something. */
  | 'TRUNCATED'
  /** A frame or a message that is not one of this protocol. */
  | 'BAD_MESSAGE'

/**
 * Text or bytes from outside that are not what the protocol says. `message` says what is wrong, for
 * a person.
 */
export class WireError extends Error {
  readonly fault: WireFault

  constructor(fault: WireFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'WireError'
    this.fault = fault
  }
}
