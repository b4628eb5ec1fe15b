// The YAML file: its keys as settings with line numbers, and everything that is wrong with it.

import { readFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument } from 'yaml'
import { systemCodeOf } from '../src/base/errors.ts'
import { SECTIONS } from './schema.ts'
import { badConfig, isKey, type Setting, type Source, showValue, unknownKey } from './settings.ts'

export const CONFIG_FILE_NAME = 'tumesh.yaml'
/** A configuration is a page long; more is some other file. */
const FILE_CHARACTERS_MAX = 1024 * 1024

/** Reads a file that somebody named; it must exist. BAD_CONFIG if it can't be read. */
export function readNamedFile(file: string, namedBy: string, folder: string): Source {
  const source = readConfigFile(file, folder)
  if (source !== undefined) return source
  throw badConfig([`there is no file ${file} (named by ${namedBy}); check its name`])
}

/** Undefined if there is no such file. BAD_CONFIG if it can't be read. */
export function readConfigFile(file: string, folder: string): Source | undefined {
  const absolute = isAbsolute(file) ? file : join(folder, file)
  try {
    return parseConfig(readFileSync(absolute, 'utf8'), relativeName(absolute, folder))
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === undefined) throw error
    throw badConfig([`the file ${file} can't be read (${code}); check that it is a readable file`])
  }
}

/** `name` stands in origins and messages. */
export function parseConfig(text: string, name: string): Source {
  if (text.length > FILE_CHARACTERS_MAX) {
    return { settings: [], faults: [`${name} is too large to be a configuration`] }
  }
  try {
    return readDocument(text, name)
  } catch (error) {
    // nesting deeper than the stack, aliases that multiply
    const reason = error instanceof Error ? error.message : String(error)
    return { settings: [], faults: [`${name} can't be read as YAML: ${reason}`] }
  }
}

function readDocument(text: string, name: string): Source {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    ...{ lineCounter, prettyErrors: false },
    logLevel: 'error' // what is wrong is told below, and nowhere else
  })
  const placeAt = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return { origin: `${name}:${line}`, place: `${name}:${line}:${col}` }
  }
  const broken = [...document.errors, ...document.warnings]
  const faults = broken.map(({ message, pos }) => `${message} (${placeAt(pos[0]).place})`)
  // a key that stands twice leaves the rest readable
  if (broken.some(({ code }) => code !== 'DUPLICATE_KEY')) return { settings: [], faults }
  const tree = readTree(document, placeAt, name)
  return { settings: tree.settings, faults: [...faults, ...tree.faults] }
}

type Place = { origin: string; place: string }
type Document = ReturnType<typeof parseDocument>

function readTree(document: Document, placeAt: (offset: number) => Place, name: string): Source {
  const settings: Setting[] = []
  const faults: string[] = []
  const visit = (pair: Pair, section: string): void => {
    const { key, value } = pair
    const path = section + (isScalar(key) ? String(key.value) : showValue(key))
    const { origin, place } = placeAt((isScalar(key) && key.range?.[0]) || 0)
    if (section === '' && Object.hasOwn(SECTIONS, path)) {
      if (isMap(value)) for (const inner of value.items) visit(inner, `${path}.`)
      else if (!isEmpty(value))
        faults.push(`${path} is a section and needs keys below it (${place})`)
    } else if (!isKey(path)) {
      faults.push(unknownKey(path, place))
    } else if (!isEmpty(value)) {
      settings.push({ key: path, value: plainValue(pair, document), origin })
    }
  }
  const { contents } = document
  if (isMap(contents)) for (const pair of contents.items) visit(pair, '')
  else if (!isEmpty(contents)) faults.push(`${name} must consist of lines "key: value"`)
  return { settings, faults }
}

/** A key without a value says nothing: the default holds. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null)
}

function plainValue({ value }: Pair, document: Document): unknown {
  return isNode(value) ? value.toJS(document) : value
}

function relativeName(file: string, folder: string): string {
  const name = relative(folder, file)
  return name.startsWith('..') ? file : name
}
