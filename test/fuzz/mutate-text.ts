// Changes to texts: words and numbers change places, stand twice, a thousand times or not at all,
// and give way to those that programs stumble over.

import type { Chance } from './chance.ts'
import type { Mutation } from './mutate-bytes.ts'

const NASTY = [
  ...[
    '',
    ' ',
    '\t',
    '\r\n',
    '\n\n',
    '\0',
    '\u00a0',
    '\u2028',
    '\u202e',
    '\ufeff',
    '\ufffd',
    '\u{1f600}'
  ],
  ...[
    'ä',
    'a\u0308',
    'ﬁ',
    'İ',
    'ſ',
    '%',
    '%00',
    '%2e%2e',
    '%2F',
    '%C0%AF',
    '%FF',
    '%u0041',
    '..',
    '../'
  ],
  ...['/', '//', '\\', ':', ';', ',', '"', "'", '`', '=', '&', '?', '#', '@', '*', '+', '-', '--'],
  ...['{', '}', '[', ']', '(', ')', '<', '>', '<!--', '$', '$\u007bx}', '__proto__', 'constructor'],
  ...['null', 'true', 'undefined', 'NaN', 'Infinity', '0', '-0', '-1', '1e999', '0x10', '1_000'],
  ...[
    '9007199254740993',
    '18446744073709551616',
    '99999999999999999999999',
    '1.5',
    '٣',
    'CON',
    'nul'
  ]
]

export function mutateText(input: Buffer, mutation: Mutation): Buffer {
  const { chance, bytesMax } = mutation
  let tokens = tokensOf(input)
  const others = tokensOf(mutation.other)
  for (let left = 1 + chance.small(7); left > 0; left--) {
    tokens = change(tokens, others, mutation)
  }
  return Buffer.from(tokens.join('')).subarray(0, bytesMax)
}

function tokensOf(bytes: Buffer): string[] {
  return bytes.toString().match(/[\p{L}]+|\d+|\s+|[^\p{L}\d\s]/gu) ?? []
}

function change(tokens: string[], others: string[], { chance, words }: Mutation): string[] {
  const at = chance.below(tokens.length + 1)
  const count = 1 + chance.small(Math.max(1, tokens.length - at))
  const nasty = () =>
    words.length > 0 && chance.happens(0.4) ? chance.pick(words) : chance.pick(NASTY)
  switch (chance.below(9)) {
    case 0:
      return tokens.toSpliced(at, 1, nasty())
    case 1:
      return tokens.toSpliced(at, 0, nasty())
    case 2:
      return tokens.toSpliced(at, count)
    case 3:
      return tokens.toSpliced(at, 0, ...tokens.slice(at, at + count))
    case 4: {
      const from = chance.below(others.length + 1)
      return tokens.toSpliced(at, 0, ...others.slice(from, from + count))
    }
    case 5:
      return tokens.toSpliced(
        at,
        0,
        (tokens[at] ?? nasty()).slice(0, 100).repeat(1 + chance.small(1000))
      )
    case 6:
      return tokens.slice(0, at)
    case 7:
      return tokens.toSpliced(at, 1, brokenWord(tokens[at] ?? '', chance))
    default: {
      const [moved] = tokens.slice(at, at + 1)
      return tokens.toSpliced(at, 1).toSpliced(chance.below(tokens.length), 0, moved ?? nasty())
    }
  }
}

function brokenWord(word: string, chance: Chance): string {
  const at = chance.below(word.length + 1)
  if (chance.happens(0.3)) return word.toUpperCase()
  const code = chance.happens(0.7) ? chance.below(128) : chance.below(0xd800)
  return word.slice(0, at) + String.fromCharCode(code) + word.slice(at + chance.below(2))
}

const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 53), '', ' ', 'x', 'a'.repeat(5000)],
  ...[[], {}, [[]], [null], { a: {} }, '__proto__', '\0', '\u202e', '2026-01-01T00:00:00Z', '9e15']
]

/** The same for JSON: its values change kind, and what is no JSON any more is tried too. */
export function mutateJson(input: Buffer, mutation: Mutation): Buffer {
  const { chance, bytesMax } = mutation
  let value: unknown
  try {
    value = JSON.parse(input.toString())
  } catch {
    return mutateText(input, mutation)
  }
  if (chance.happens(0.2)) return mutateText(input, mutation)
  for (let left = 1 + chance.small(5); left > 0; left--) value = changed(value, mutation, 0)
  return Buffer.from(JSON.stringify(value) ?? '').subarray(0, bytesMax)
}

function changed(value: unknown, mutation: Mutation, depth: number): unknown {
  const { chance } = mutation
  if (typeof value === 'object' && value !== null && depth < 8 && chance.happens(0.85)) {
    return Array.isArray(value)
      ? changedList(value, mutation, depth)
      : changedObject(value as Record<string, unknown>, mutation, depth)
  }
  if (chance.happens(0.2)) return [value]
  if (typeof value === 'string' && chance.happens(0.5)) {
    return mutateText(Buffer.from(value), { ...mutation, bytesMax: 10_000 }).toString()
  }
  if (chance.happens(0.02)) return JSON.parse(`${'['.repeat(2000)}${']'.repeat(2000)}`)
  return chance.pick(VALUES)
}

function changedList(list: readonly unknown[], mutation: Mutation, depth: number): unknown[] {
  const { chance } = mutation
  const at = chance.below(list.length + 1)
  if (chance.happens(0.2)) return list.toSpliced(at, 1)
  if (chance.happens(0.1)) return Array<unknown>(chance.small(300)).fill(list[at])
  return list.toSpliced(at, 1, changed(list[at], mutation, depth + 1))
}

function changedObject(object: Record<string, unknown>, mutation: Mutation, depth: number): object {
  const { chance, words } = mutation
  const names = Object.keys(object)
  const name = names.length > 0 && chance.happens(0.9) ? chance.pick(names) : chance.pick(NASTY)
  if (chance.happens(0.15))
    return Object.fromEntries(Object.entries(object).filter(([one]) => one !== name))
  if (words.length > 0 && chance.happens(0.1))
    return { ...object, [chance.pick(words)]: object[name] }
  return { ...object, [name]: changed(object[name], mutation, depth + 1) }
}
