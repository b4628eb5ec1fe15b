import { describe, expect, test } from 'vitest'
import { checkExceptions, checkFile, checkTopLevel } from '../../../scripts/tidy-check.ts'

const HEAD = '// Owns something.\n'

/** Complaints without file and line, for a file with a head comment. */
function complaints(file: string, code: string): readonly string[] {
  return checkFile(file, `${HEAD}${code}\n`, []).map((text) => text.replace(/^[^:]*:\d+: /, ''))
}

describe('ranks', () => {
  test.each([
    ['src/flows/read.ts', '../store/blob-store.ts'],
    ['src/store/scan.ts', '../base/clock.ts'],
    ['src/store/scan.ts', './folder.ts'],
    ['src/base/a.ts', '../../protocols/hash.ts'],
    ['config/schema.ts', '../src/http/options.ts'],
    ['src/node.ts', '../config/schema.ts'],
    ['src/main.ts', './node.ts'],
    ['src/main.ts', './command-line.ts'],
    ['src/node.ts', './duties.ts'],
    ['protocols/hello/serve.ts', '../hash.ts'],
    ['src/base/a.ts', '../../package.json'],
    ['test/unit/a.test.ts', '../../src/main.ts'],
    ['scripts/a.ts', '../src/main.ts']
  ])('%s may import %s', (file, module) => {
    expect(complaints(file, `import { a } from '${module}'`)).toEqual([])
  })

  test.each([
    ['src/store/scan.ts', '../index/rows.ts', 'src/store/ must not import src/index/'],
    ['src/base/a.ts', '../store/scan.ts', 'src/base/ must not import src/store/'],
    ['protocols/a.ts', '../src/base/clock.ts', 'protocols/ must not import src/base/'],
    ['src/http/a.ts', '../../config/schema.ts', 'src/http/ must not import config/'],
    ['src/http/a.ts', '../node.ts', 'src/http/ must not import src/'],
    ['src/node.ts', './main.ts', 'src/ must not import src/main.ts'],
    ['src/flows/a.ts', '../../scripts/tidy.ts', 'scripts/tidy.ts is no part of the program'],
    ['src/flows/a.ts', '../elsewhere/a.ts', 'src/elsewhere/a.ts is no part of the program']
  ])('%s may not import %s', (file, module, complaint) => {
    const ways = [
      `import { a } from '${module}'`,
      `import type { A } from '${module}'`,
      `import {\n  a,\n  type B\n} from '${module}'`,
      `export { a } from '${module}'`,
      `import '${module}'`,
      `const { a } = await import('${module}')`
    ]
    for (const way of ways) {
      const found = complaints(file, way)
      expect(found, way).toHaveLength(1)
      expect(found[0]).toContain(complaint)
    }
  })

  test('neighbours are told to meet elsewhere, others to move down', () => {
    expect(complaints('src/store/a.ts', `import { a } from '../index/a.ts'`)[0]).toContain(
      'ports.ts'
    )
    expect(complaints('src/base/a.ts', `import { a } from '../index/a.ts'`)[0]).toContain('move')
  })
})

describe('walls', () => {
  test.each([
    ['node:fs', 'src/store/a.ts', 'src/flows/a.ts'],
    ['node:fs/promises', 'src/store/a.ts', 'src/index/a.ts'],
    ['level', 'src/index/a.ts', 'src/flows/a.ts'],
    ['fastify', 'src/http/a.ts', 'src/flows/a.ts'],
    ['@fastify/multipart', 'src/http/a.ts', 'src/node.ts'],
    ['sharp', 'src/content/a.ts', 'src/http/a.ts'],
    ['@libp2p/crypto/keys', 'src/network/a.ts', 'src/node.ts'],
    ['node:tls', 'src/network/a.ts', 'src/http/a.ts'],
    ['yaml', 'config/config-file.ts', 'src/main.ts'],
    ['pino', 'src/base/log.ts', 'src/flows/a.ts'],
    ['node:timers/promises', 'src/base/clock.ts', 'src/store/a.ts']
  ])('%s is for some only', (module, inside, outside) => {
    const code = `import a from '${module}'`
    expect(complaints(inside, code)).toEqual([])
    expect(complaints(outside, code)[0]).toContain(`${module} is for`)
    expect(complaints('test/unit/a.test.ts', code)).toEqual([])
  })

  test('names that only begin alike are free', () => {
    expect(complaints('src/flows/a.ts', `import a from 'level-headed'`)).toEqual([])
    expect(complaints('src/flows/a.ts', `import a from 'fs-extra'`)).toEqual([])
  })
})

describe('calls', () => {
  test.each([
    ['const a = Date.now()', 'take a Clock'],
    ['const a = `x-$' + '{Date.now()}`', 'take a Clock'],
    ['const a = new Date()', 'take a Clock'],
    ['const a = performance.now()', 'take a Clock'],
    ['setTimeout(a, 1)', 'take a Clock'],
    ['const a = AbortSignal.timeout(1)', 'take a Clock'],
    ['const a = Math.random()', 'take a Random'],
    ['const a = randomBytes(8)', 'take a Random'],
    ['console.log(1)', 'take a Log'],
    ['process.exit(1)', 'throw a NodeError']
  ])('%s', (code, remedy) => {
    for (const file of ['src/flows/a.ts', 'protocols/a.ts', 'config/a.ts']) {
      expect(complaints(file, code).join()).toContain(remedy)
    }
    expect(complaints('scripts/a.ts', code)).toEqual([])
    expect(complaints('test/unit/a.test.ts', code)).toEqual([])
  })

  test.each([
    'const a = new Date(at)',
    'socket.setTimeout(1)',
    '// not Date.now()',
    '/* nor\n setTimeout */',
    `const a = 'console.log'`,
    'const a = `Math.random()`',
    'const a = /setTimeout/',
    `const a = /['"]/; const b = "Date.now()"`
  ])('%s is no such call', (code) => {
    expect(complaints('src/flows/a.ts', code)).toEqual([])
  })

  test('each has its place', () => {
    expect(complaints('src/base/clock.ts', 'setTimeout(a, Date.now())')).toEqual([])
    expect(complaints('src/main.ts', 'process.exit(1)')).toEqual([])
  })
})

describe('names', () => {
  test.each([
    'src/store/blob-store.ts',
    'vitest.config.ts',
    'test/unit/a-b.test.ts',
    'scripts/setup.mjs'
  ])('%s is fine', (file) => {
    expect(complaints(file, '')).toEqual([])
  })

  test.each([
    ['src/store/blobStore.ts', 'kebab-case'],
    ['src/store/Blob.ts', 'kebab-case'],
    ['src/store/index.ts', 'give it a noun'],
    ['src/store/path-utils.ts', 'the one thing it owns'],
    ['src/utils/path.ts', 'the one thing it owns']
  ])('%s is not', (file, complaint) => {
    expect(complaints(file, '').join()).toContain(complaint)
  })

  test('barrels are refused', () => {
    expect(complaints('src/flows/a.ts', `export * from './b.ts'`)[0]).toContain('no barrels')
  })

  test('generated files are left alone', () => {
    expect(checkFile('protocols/messages_pb.ts', 'x'.repeat(500), [])).toEqual([])
  })
})

describe('text', () => {
  test('a file begins with what it owns', () => {
    expect(checkFile('src/flows/a.ts', 'const a = 1\n', [])[0]).toContain('begin with a comment')
    expect(checkFile('scripts/a.ts', '#!/usr/bin/env node\n// Does it.\n', [])).toEqual([])
    expect(checkFile('test/unit/a.test.ts', 'const a = 1\n', [])).toEqual([])
  })

  test('lines end at 100 columns, sentences in quotes and patterns aside', () => {
    const long = 'x'.repeat(95)
    expect(complaints('src/flows/a.ts', `// ${long}xx`)).toEqual([])
    expect(complaints('src/flows/a.ts', `// ${long}xxx`)[0]).toContain('101 characters')
    expect(complaints('src/flows/a.ts', `const ${long} = 1`)).toHaveLength(1)
    expect(complaints('src/flows/a.ts', `const a = '${long}'`)).toEqual([])
    expect(complaints('src/flows/a.ts', `const a = \`${long}\``)).toEqual([])
    expect(complaints('src/flows/a.ts', `const a = /${long}/`)).toEqual([])
  })

  // in halves, so that this file passes itself
  test.each(['TO+DO', 'FIX+ME', 'XX+X', 'HA+CK'])('%s is not left behind', (halves) => {
    const word = halves.replace('+', '')
    expect(complaints('src/flows/a.ts', `// ${word}: later`)[0]).toContain(word)
  })

  test('files end at 350 lines', () => {
    expect(complaints('src/flows/a.ts', '\n'.repeat(348))).toEqual([])
    expect(complaints('src/flows/a.ts', '\n'.repeat(349))[0]).toContain('351 lines')
  })
})

describe('functions', () => {
  const body = (lines: number) => '  a()\n'.repeat(lines)

  test.each([
    'export async function run(): Promise<void> {',
    'const run = () => {',
    'function run(\n  a: number,\n): void {',
    'class A {\n  run(a: number): void {'
  ])('"%s" ends at 70 lines', (header) => {
    const indent = header.startsWith('class') ? '  ' : ''
    const code = (lines: number) => `${header}\n${body(lines)}${indent}}\n`
    expect(complaints('src/flows/a.ts', code(68))).toEqual([])
    expect(complaints('src/flows/a.ts', code(69))[0]).toContain('a function of 71 lines')
  })

  test('those declared inside count for themselves', () => {
    const inner = `  function inner() {\n${body(40)}  }\n`
    expect(complaints('src/flows/a.ts', `function outer() {\n${inner}${body(40)}}`)).toEqual([])
  })

  test('tests may be as long as their story', () => {
    expect(complaints('test/unit/a.test.ts', `test('a', () => {\n${body(90)}})`)).toEqual([])
  })
})

describe('exceptions', () => {
  const exception = { file: 'src/flows/a.ts', rule: 'call', reason: 'it must' } as const
  const text = `${HEAD}const a = Date.now()\n`

  test('lift one rule for one file', () => {
    expect(checkFile('src/flows/a.ts', text, [exception])).toEqual([])
    expect(checkFile('src/flows/b.ts', text, [exception])).toHaveLength(1)
    expect(checkExceptions(new Map([['src/flows/a.ts', text]]), [exception])).toEqual([])
  })

  test('are removed when nothing needs them', () => {
    expect(checkExceptions(new Map([['src/flows/a.ts', HEAD]]), [exception])).toHaveLength(1)
    expect(checkExceptions(new Map(), [exception])).toHaveLength(1)
  })
})

test('only what belongs there stands at the top', () => {
  expect(checkTopLevel(['src/main.ts', 'README.md', '.ci/run', 'LICENSE'])).toEqual([])
  expect(checkTopLevel(['notes.md', 'lib/a.ts', 'lib/b.ts'])).toEqual([
    'notes.md: not a place of this repository; move it into one of its folders',
    'lib: not a place of this repository; move it into one of its folders'
  ])
})
