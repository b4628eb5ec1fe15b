// What may be the path of an image. Every node must agree on this, so it is part of the protocol.

import { WireError } from './wire-error.ts'

declare const imagePath: unique symbol
/** The name people use for an image: relative, `/`-separated, NFC. Only made by `parsePath`. */
export type ImagePath = string & { readonly [imagePath]: true }

/** Long enough for any crawler's scheme; short enough that an entry fits its limit. */
export const PATH_BYTES_MAX = 1024

// Names Windows gives to devices, whatever the extension.
const DEVICE_NAME = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i
// What nearly every path is, and surely one: names of letters and digits with dots between them.
const PLAIN = /^(?:[\w-]+(?:\.[\w-]+)*\/)*[\w-]+(?:\.[\w-]+)*$/
const PLAIN_DEVICE = /(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:[./]|$)/i
// Forbidden in names on Windows; a backslash would also be a separator there.
const FORBIDDEN = /[<>:"\\|?*]/
// Control characters, and the invisible marks that turn a name's reading direction around.
const INVISIBLE = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u

/**
 * Why `text` can't be a path, as the end of a sentence ("… has an empty part"), or undefined if it
 * can. The text must already be in NFC.
 */
export function pathFault(text: string): string | undefined {
  if (PLAIN.test(text) && !PLAIN_DEVICE.test(text) && text.length <= PATH_BYTES_MAX)
    return undefined
  return anyPathFault(text)
}

function anyPathFault(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (!text.isWellFormed()) return 'is not valid Unicode'
  if (Buffer.byteLength(text) > PATH_BYTES_MAX) return `is longer than ${PATH_BYTES_MAX} bytes`
  if (text.normalize('NFC') !== text) return 'is not in Unicode normal form C'
  if (text.startsWith('/')) return 'starts with "/": paths are relative'
  if (text.endsWith('/')) return 'ends with "/": that names a folder'
  if (INVISIBLE.test(text)) return 'has a control or direction character'
  const forbidden = FORBIDDEN.exec(text)
  if (forbidden !== null)
    return `has ${JSON.stringify(forbidden[0])}, which not every system can store`
  for (const part of text.split('/')) {
    const fault = partFault(part)
    if (fault !== undefined) return fault
  }
  return undefined
}

function partFault(part: string): string | undefined {
  if (part === '') return 'has an empty part ("//")'
  if (part === '.' || part === '..') return `has the part ${JSON.stringify(part)}`
  if (part.endsWith('.') || part.endsWith(' '))
    return `has a part that ends with a dot or a space: ${JSON.stringify(part)}`
  if (part.startsWith(' ')) return `has a part that starts with a space: ${JSON.stringify(part)}`
  if (DEVICE_NAME.test(part)) return `has ${JSON.stringify(part)}, a device name on Windows`
  return undefined
}

/** Text from a person or a program, brought into NFC. Throws WireError BAD_PATH with the reason. */
export function parsePath(text: string): ImagePath {
  const normal = text.isWellFormed() ? text.normalize('NFC') : text
  const fault = pathFault(normal)
  if (fault !== undefined) {
    throw new WireError('BAD_PATH', `the path ${JSON.stringify(text.slice(0, 200))} ${fault}`)
  }
  return normal as ImagePath
}

/** The extension without its dot, lower case; empty if there is none. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase()
}

/** The last part of a path. */
export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
