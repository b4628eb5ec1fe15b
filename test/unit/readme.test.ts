import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readCommandLine } from '../../src/command-line.ts'
import { checkSigned, signatureOf } from '../../src/http/signed-url.ts'
import { TEST_SIGNING_KEY } from '../support/memory-node.ts'

const text = readFileSync('src/README.md', 'utf8')

test('the functions and files that src/README.md tells of exist', () => {
  const told = [...text.matchAll(/`(\w+)`\s+in\s+`([\w/.-]+\.ts)`/g)]
  expect(told.length).toBeGreaterThan(12)
  for (const [, name, file] of told) {
    expect(existsSync(`src/${file}`), `src/${file}`).toBe(true)
    const code = readFileSync(`src/${file}`, 'utf8')
    expect(code, `${name} in ${file}`).toMatch(
      new RegExp(`export (async )?(function|class|const) ${name}\\b`)
    )
  }
})

test.each(['README.md', 'README.zh-CN.md'])('the worked example of %s signs addresses', (file) => {
  const text = readFileSync(file, 'utf8')
  const scope = { by: 'path', name: '2024/x.jpg' } as const
  expect(text).toContain(signatureOf(TEST_SIGNING_KEY, { scope, expires: 1_767_225_600 }))
  const [, lines = ''] = /expires=\$\(\(.*\n((?: {4}.*\n){3})/.exec(text) ?? []
  const given = `key=${TEST_SIGNING_KEY} path=2024/x.jpg expires=1767225600\n`
  const url = execFileSync('sh', ['-c', given + lines], { encoding: 'utf8' }).trim()
  const by = { signingKeys: [TEST_SIGNING_KEY], keys: { maySign: () => false } }
  expect(checkSigned(url, by, 1_767_225_599_999)).toBe('valid')
  expect(checkSigned(url, by, 1_767_225_600_000)).toBe('expired')
})

const DOCUMENTS = [
  ...['README.md', 'README.zh-CN.md', 'config/deploy/README.md', 'config/deploy/SYMPTOMS.md'],
  ...['src/SECURITY.md', 'src/COMPARISON.md', 'src/web/README.md', 'test/bench/README.md']
].filter((file) => existsSync(file))

/** Commands of the node as documents write them: `npm start -- …`, `npm run keys -- …`. */
function commandsIn(text: string): string[] {
  const scripts = '(join|invite|adopt|keys)(?: --)?'
  const call = new RegExp(
    `(?:npm start(?: -s)?(?: --)?|npm run ${scripts}|npx tumesh|(?<![/.])\\btumesh(?!-))( [^\`|#\\n]*)?`
  )
  const lines = [
    ...[...text.matchAll(/^ {4,}(?:TUMESH_\w+=\S+ )?(npm .*|npx .*)$/gm)].map(([, line]) => line),
    ...[...text.matchAll(/`((?:npm|npx|tumesh) [^`]+)`/g)].map(([, line]) => line)
  ]
  return lines.flatMap((line = '') => {
    const found = call.exec(line)
    if (found === null) return []
    const [, script = '', rest = ''] = found
    // columns of a table and remarks begin after several blanks
    const [words = ''] = `${script} ${rest}`.trim().split(/ {2,}/)
    return [
      words
        .replace(/"[^"]*"/g, 'WORDS')
        .replace(/[[\]…]/g, '')
        .replace(/ +/g, ' ')
        .trim()
    ]
  })
}

test.each(DOCUMENTS)('the program knows each command of %s', (file) => {
  const wrong: string[] = []
  for (const words of commandsIn(readFileSync(file, 'utf8'))) {
    let said = ''
    const output = { writeOut: () => {}, writeErr: (text: string) => (said += text) }
    const line = readCommandLine(words === '' ? [] : words.split(' '), output)
    // one that is only named has no arguments
    const isNamed = /missing required argument|^Usage/.test(said)
    if (line.do === 'exit' && line.code !== 0 && !isNamed) wrong.push(`${words}: ${said}`)
  }
  expect(wrong).toEqual([])
})

test('there are commands in the documents', () => {
  const all = DOCUMENTS.flatMap((file) => commandsIn(readFileSync(file, 'utf8')))
  expect(all.length).toBeGreaterThan(60)
})
