// Applies the rules to one file, or to the names at the top of the repository. Pure: text in,
// complaints out.

import { dirname, posix } from 'node:path'
import {
  BANNED_CALLS,
  EXCEPTIONS,
  type Exception,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LINE_CHARACTERS_MAX,
  type Place,
  RANKS,
  TOP_LEVEL,
  WALLS
} from './tidy-rules.ts'

/** `rule` is what an exception would name; undefined where none is possible. */
interface Complaint {
  readonly line: number
  readonly rule?: Exception['rule']
  readonly text: string
}

/**
 * The parts of a program, to which ranks, walls and bans apply; scripts, tests and the page are
 * free of them.
 */
const PROGRAM = /^(src|protocols|config)\/.*\.ts$/
const GENERATED = /(_pb|-generated)\.ts$/
const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.(ts|mjs|js)$/
const VAGUE_NAME = /(^|[-/])(utils?|helpers?|manager|misc|common)([-./]|$)/

/**
 * Complaints about a file, "file:line: what. remedy". `file` is relative to the repository, with
 * slashes.
 */
export function checkFile(
  file: string,
  text: string,
  exceptions: readonly Exception[] = EXCEPTIONS
): readonly string[] {
  if (GENERATED.test(file)) return []
  const code = codeOnly(text)
  const complaints = [
    ...checkName(file),
    ...checkText(text, file),
    ...checkFunctions(code, file),
    ...(PROGRAM.test(file) ? [...checkImports(text, file), ...checkCalls(code, file)] : [])
  ]
  const excepted = (rule: Exception['rule'] | undefined) =>
    exceptions.some((exception) => exception.file === file && exception.rule === rule)
  return complaints
    .filter(({ rule }) => !excepted(rule))
    .map(({ line, text: complaint }) => `${file}:${line}: ${complaint}`)
}

/** Complaints about names at the top of the repository. */
export function checkTopLevel(files: readonly string[]): readonly string[] {
  const names = new Set(files.map((file) => file.split('/', 1)[0] ?? file))
  return [...names]
    .filter((name) => !TOP_LEVEL.includes(name))
    .map((name) => `${name}: not a place of this repository; move it into one of its folders`)
}

/** Complaints about exceptions that nothing needs any more. */
export function checkExceptions(
  files: ReadonlyMap<string, string>,
  exceptions: readonly Exception[] = EXCEPTIONS
): readonly string[] {
  return exceptions
    .filter(({ file, rule }) => {
      const others = exceptions.filter((other) => other.file !== file || other.rule !== rule)
      const text = files.get(file)
      if (text === undefined) return true
      return checkFile(file, text, others).length === checkFile(file, text, exceptions).length
    })
    .map(
      ({ file, rule }) => `${file}: needs no exception from ${rule}; remove it from tidy-rules.ts`
    )
}

function checkName(file: string): readonly Complaint[] {
  const name = posix.basename(file)
  const complain = (text: string) => [{ line: 1, text }]
  if (/^index\.[a-z]+$/.test(name)) return complain('a file says what it owns; give it a noun')
  if (!FILE_NAME.test(name)) return complain('names of files are kebab-case; rename it')
  if (VAGUE_NAME.test(file)) return complain('name the file after the one thing it owns')
  return []
}

function checkText(text: string, file: string): readonly Complaint[] {
  const complaints: Complaint[] = []
  const lines = text.split('\n')
  const [first = ''] = lines[0]?.startsWith('#!') ? lines.slice(1) : lines
  if (!file.startsWith('test/') && !/^(\/\/|\/\*)/.test(first)) {
    complaints.push({ line: 1, text: 'begin with a comment that says what the file owns' })
  }
  if (lines.length - 1 > FILE_LINES_MAX) {
    const what = `${lines.length - 1} lines, at most ${FILE_LINES_MAX}; split it by what it knows`
    complaints.push({ line: 1, rule: 'file-lines', text: what })
  }
  const measured = withoutLiterals(text).split('\n')
  for (const [at, line] of lines.entries()) {
    const length = [...(measured[at] ?? line)].length
    if (length > LINE_CHARACTERS_MAX) {
      const what = `${length} characters, at most ${LINE_CHARACTERS_MAX}; break the line`
      complaints.push({ line: at + 1, rule: 'line-characters', text: what })
    }
    const left = /\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/.exec(line)?.[1]
    if (left)
      complaints.push({ line: at + 1, text: `${left}: do it now, or write down a decision` })
  }
  return complaints
}

/** Formatted code closes a function at the column at which its header begins. */
function checkFunctions(code: string, file: string): readonly Complaint[] {
  if (file.startsWith('test/') || file.startsWith('src/web/')) return []
  const functions = functionsOf(code.split('\n'))
  return functions.flatMap(({ start, end }) => {
    // functions declared inside have names of their own and are measured on their own
    const nested = functions.filter(
      (other) => other.declared && other.start > start && other.end < end
    )
    const outer = nested.filter((a) => !nested.some((b) => b.start < a.start && b.end > a.end))
    const length = outer.reduce(
      (sum, inner) => sum - (inner.end - inner.start + 1),
      end - start + 1
    )
    if (length <= FUNCTION_LINES_MAX) return []
    const text = `a function of ${length} lines, at most ${FUNCTION_LINES_MAX}; give its steps names`
    return [{ line: start + 1, rule: 'function-lines' as const, text }]
  })
}

interface FunctionLines {
  readonly start: number
  readonly end: number
  /** With the word `function`, not as a value. */
  readonly declared: boolean
}

function functionsOf(lines: readonly string[]): readonly FunctionLines[] {
  return lines.flatMap((line, start) => {
    const indent = line.length - line.trimStart().length
    if (!line.endsWith('{') || !FUNCTION_HEADER.test(line) || BLOCK_HEADER.test(line)) return []
    const rest = lines.slice(start + 1).findIndex((later) =>
      later
        .slice(0, indent + 1)
        .trim()
        .startsWith('}')
    )
    const declared = /^\s*(export )?(async )?function\b/.test(line)
    return [{ start, end: start + 1 + rest, declared }]
  })
}

const FUNCTION_HEADER = /\bfunction\b|=> \{$|^\s*[\w#<>, ]*\(.*\{$|^\s*\).*\{$/
const BLOCK_HEADER = /^\s*(\}|if|for|while|switch|catch|else)\b/

const IMPORT =
  /^(?:import|export)\b(?:[^'";]*?\bfrom)?\s*'([^']+)'|\bimport\('([^']+)'\)|^export \* (from)/gm

function checkImports(text: string, file: string): readonly Complaint[] {
  return [...text.matchAll(IMPORT)].flatMap((match): readonly Complaint[] => {
    const line = lineAt(text, match.index)
    const module = match[1] ?? match[2] ?? ''
    if (/^export \*/.test(match[0])) {
      return [{ line, text: 'no barrels; import from the file that owns the name' }]
    }
    if (module.startsWith('.')) return checkRank(file, posix.join(dirname(file), module), line)
    return misplaced(WALLS, module, file).map((wall) => ({
      line,
      rule: 'wall',
      text: `${module} is for ${wall.only.join(', ')} only; ${wall.remedy}`
    }))
  })
}

function checkRank(from: string, to: string, line: number): readonly Complaint[] {
  const [upper, lower] = [partOf(from), partOf(to)]
  if (to === 'package.json') return []
  if (upper === undefined) return []
  if (lower === undefined)
    return [{ line, text: `${to} is no part of the program; move it into one` }]
  if (upper.part === lower.part || lower.rank < upper.rank) return []
  const remedy =
    lower.rank === upper.rank
      ? 'declare what you need in ports.ts and let flows or node.ts bring them together'
      : 'move what both need down, or take it as a part'
  return [{ line, rule: 'rank', text: `${upper.part} must not import ${lower.part}; ${remedy}` }]
}

function partOf(file: string): { part: string; rank: number } | undefined {
  const [top = '', second, third] = file.split('/')
  const folder = top === 'src' && third !== undefined ? `${top}/${second}/` : `${top}/`
  for (const part of [file, folder]) {
    const rank = RANKS.findIndex((parts) => parts.includes(part))
    if (rank >= 0) return { part, rank }
  }
  return undefined
}

function checkCalls(code: string, file: string): readonly Complaint[] {
  return code.split('\n').flatMap((line, at) =>
    BANNED_CALLS.filter(({ only }) => !isIn(file, only)).flatMap(({ pattern, remedy }) => {
      const call = pattern.exec(line)?.[0]
      if (call === undefined || line.startsWith('import ')) return []
      return [{ line: at + 1, rule: 'call' as const, text: `no ${call} here; ${remedy}` }]
    })
  )
}

function misplaced(places: readonly Place[], text: string, file: string): readonly Place[] {
  return places.filter(({ pattern, only }) => pattern.test(text) && !isIn(file, only))
}

function isIn(file: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

const COMMENT = String.raw`\/\/.*|\/\*[\s\S]*?\*\/`
const QUOTED = String.raw`'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"`
const TEMPLATE =
  '`(?:[^`\\\\$]|\\\\[\\s\\S]|\\$(?!\\{)|\\$\\{(?:[^{}`]|`[^`]*`|\\{[^{}]*\\})*\\})*`'
const REGEXP = String.raw`(?<=(?:[=(,:[!&|?{};]|return|^)\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/`
const NOT_CODE = new RegExp([COMMENT, QUOTED, TEMPLATE, REGEXP].join('|'), 'gm')

/** Comments stay: they can be broken. A sentence in quotes is better found whole. */
function withoutLiterals(text: string): string {
  return text.replace(NOT_CODE, (token) =>
    /^\/[/*]/.test(token) ? token : token.replace(/[^\n]+/g, '')
  )
}

/** The text without comments, strings and patterns, line for line; what templates embed stays. */
function codeOnly(text: string): string {
  return text.replace(NOT_CODE, (token) => {
    if (!token.startsWith('`')) return token.replace(/[^\n]+/g, ' ')
    const embedded = token.match(/\$\{[^}]*\}|\n/g) ?? []
    return embedded.join('').replaceAll('${', ' (').replaceAll('}', ')')
  })
}
