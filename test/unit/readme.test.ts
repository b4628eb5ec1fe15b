import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
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
  expect(checkSigned(url, TEST_SIGNING_KEY, 1_767_225_599_999)).toBe('valid')
  expect(checkSigned(url, TEST_SIGNING_KEY, 1_767_225_600_000)).toBe('expired')
})
