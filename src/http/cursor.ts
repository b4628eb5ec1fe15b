// Where a list goes on: a place in an order that additions and deletions do not move. Opaque to
// clients.

import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'

/** The order that a cursor is a place in. */
export type CursorOrder = 'path' | 'version' | 'want' | 'trash' | 'change'
/** Keys of the last item that was looked at. */
export type Place = readonly string[]

/** A path of 1,024 bytes and the key of a want, as JSON in base64, with room. */
export const CURSOR_LENGTH_MAX = 4096

export function encodeCursor(order: CursorOrder, place: Place): string {
  return Buffer.from(JSON.stringify([order, ...place])).toString('base64url')
}

/** Throws VALIDATION unless it is a cursor of this order. */
export function parseCursor(order: CursorOrder, cursor: string): Place {
  const fields = fieldsOf(cursor)
  if (fields === undefined || fields[0] !== order || fields.length < 2) {
    throw new NodeError(
      'VALIDATION',
      'This cursor is not of this list: begin without one, and keep the other parameters as they are.',
      { place: 'query', ...saidAs('cursor_foreign') }
    )
  }
  return fields.slice(1)
}

function fieldsOf(cursor: string): string[] | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (!Array.isArray(fields)) return undefined
    return fields.every((field) => typeof field === 'string') ? fields : undefined
  } catch {
    return undefined
  }
}
