// Writes messages, and reads them and their fields so that nothing but WireError comes of whatever
// bytes these are.

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from '@bufbuild/protobuf'
import { REASON_BYTES_MAX, STATUS, StatusError } from './status.ts'
import { WireError } from './wire-error.ts'

// Control characters, and the marks that turn a line's reading direction around.
const CONTROLS = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

export function encodeMessage<D extends DescMessage>(
  schema: D,
  fields: MessageInitShape<D>
): Uint8Array {
  return toBinary(schema, create(schema, fields))
}

/** Throws WireError BAD_MESSAGE. Byte fields of the result are views on `bytes`. */
export function parseMessage<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes)
  } catch (cause) {
    throw new WireError('BAD_MESSAGE', `the bytes are no ${schema.name}`, { cause })
  }
}

export function badMessage(what: string): WireError {
  return new WireError('BAD_MESSAGE', what)
}

/** Throws WireError TOO_LARGE if a list has more items than its limit. */
export function checkCount(what: string, count: number, countMax: number): void {
  if (count > countMax) {
    throw new WireError('TOO_LARGE', `${count} ${what}, where ${countMax} are the most`)
  }
}

/** One line of text of bounded length, that can be shown as it is. Throws WireError BAD_MESSAGE. */
export function checkText(what: string, text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) > bytesMax)
    throw badMessage(`${what} is longer than ${bytesMax} bytes`)
  if (text.search(CONTROLS) >= 0) throw badMessage(`${what} has a control character`)
  return text
}

/** A hash or a sum. Throws WireError BAD_MESSAGE. */
export function checkLength(what: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.byteLength !== length) {
    throw badMessage(`${what} has ${length} bytes, not ${bytes.byteLength}`)
  }
  return bytes
}

/** A count or a length. Throws WireError BAD_MESSAGE above 2^53. */
export function checkNumber(what: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badMessage(`${what} is impossibly large`)
  return Number(value)
}

/** The first fields of every answer. */
interface Head {
  readonly status: number
  /** For a person, where the status is not OK. */
  readonly reason: string
}

/**
 * The failure that an answer tells, or undefined if it is OK. Throws WireError BAD_MESSAGE if it is
 * no answer.
 */
export function failureOf({ status, reason }: Head): StatusError | undefined {
  if (status === STATUS.OK) return undefined
  if (status === 0) throw badMessage('an answer without a status')
  return new StatusError(status, checkText('the reason', reason, REASON_BYTES_MAX))
}

/** How a failure is told to the other side. */
export function headOf(error: StatusError | WireError): Head {
  return { status: statusOf(error), reason: shortened(error.message) }
}

function statusOf(error: StatusError | WireError): number {
  if (error instanceof StatusError) return error.status
  return error.fault === 'TOO_LARGE' ? STATUS.TOO_LARGE : STATUS.BAD_REQUEST
}

/** The text without what would move or change what stands around it where it is shown. */
export function plainLine(text: string): string {
  return text.replaceAll(CONTROLS, ' ')
}

/** One line of at most `bytesMax` bytes, which the other side takes. */
export function shortened(text: string, bytesMax = REASON_BYTES_MAX): string {
  // a character has at most 3 bytes for each of its UTF-16 units
  return plainLine(text)
    .slice(0, Math.floor(bytesMax / 3))
    .toWellFormed()
}
