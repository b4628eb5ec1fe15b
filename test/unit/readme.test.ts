import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

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
