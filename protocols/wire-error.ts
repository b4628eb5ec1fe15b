// The one error that parsing throws, whatever the bytes are.

export type WireFault =
  | 'BAD_HASH'
  | 'BAD_CID'
  | 'BAD_PATH'
  | 'BAD_VERSION'
  | 'BAD_ENTRY'
  | 'TOO_LARGE'

/** Text or bytes from outside that are not what the protocol says. `message` says what is wrong, for a person. */
export class WireError extends Error {
  readonly fault: WireFault

  constructor(fault: WireFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'WireError'
    this.fault = fault
  }
}
