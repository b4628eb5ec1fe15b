import { expect, test } from 'vitest'
import { parseConfig } from '../../../config/config-file.ts'

const parse = (text: string) => parseConfig(text, 'tumesh.yaml')

test('keys become settings with the line they stand on', () => {
  const { settings, faults } = parse('# mine\nname: a\nhttp:\n  port: 9000\n  host: "::"\n')
  expect(faults).toEqual([])
  expect(settings).toEqual([
    { key: 'name', value: 'a', origin: 'tumesh.yaml:2' },
    { key: 'http.port', value: 9000, origin: 'tumesh.yaml:4' },
    { key: 'http.host', value: '::', origin: 'tumesh.yaml:5' }
  ])
})

test('empty files, sections and keys say nothing', () => {
  for (const text of ['', '# only a comment\n', 'http:\n', 'http:\n  port:\np2p: {}\n', '---\n']) {
    expect(parse(text)).toEqual({ settings: [], faults: [] })
  }
})

test('every unknown key is named with its place and the nearest key', () => {
  const text = 'nam: a\nhttp:\n  prot: 1\nhttpp:\n  port: 1\nport: 8000\nzzzzzz: 1\n'
  expect(parse(text).faults).toEqual([
    'there is no key nam (tumesh.yaml:1:1); did you mean name?',
    'there is no key http.prot (tumesh.yaml:3:3); did you mean http.port?',
    'there is no key httpp (tumesh.yaml:4:1); did you mean http?',
    'there is no key port (tumesh.yaml:6:1); did you mean http.port or p2p.port?',
    'there is no key zzzzzz (tumesh.yaml:7:1)'
  ])
})

test('names that every object has are unknown keys too', () => {
  const { settings, faults } = parse('__proto__: 1\nconstructor: {a: 1}\nhttp: {toString: 1}\n')
  expect(settings).toEqual([])
  expect(faults).toHaveLength(3)
})

test('a key that stands twice is refused, and the rest is still read', () => {
  const { faults } = parse('name: a\nname: b\nfoooo: 1\n')
  expect(faults).toEqual([
    'Map keys must be unique (tumesh.yaml:2:1)',
    'there is no key foooo (tumesh.yaml:3:1)'
  ])
})

test('a section that is no section is refused', () => {
  expect(parse('http: 8000\np2p: [1]\n').faults).toEqual([
    'http is a section and needs keys below it (tumesh.yaml:1:1)',
    'p2p is a section and needs keys below it (tumesh.yaml:2:1)'
  ])
})

test.each(['just text', '- a\n- b\n', '42'])('%j is no configuration', (text) => {
  expect(parse(text).faults).toEqual(['tumesh.yaml must consist of lines "key: value"'])
})

test('broken YAML is refused with line and column', () => {
  const { faults } = parse('name: a\nhttp: {port: 1\n')
  expect(faults.length).toBeGreaterThan(0)
  expect(faults[0]).toMatch(/\(tumesh\.yaml:\d+:\d+\)$/)
})

test.each([
  ['nesting beyond the stack', `name: ${'['.repeat(2_000)}`],
  ['aliases that multiply', 'name: &a [*b]\n'],
  ['a large file', `name: ${'x'.repeat(1_100_000)}`]
])('%s is a fault, not a crash', (_, text) => {
  expect(parse(text).faults.length).toBeGreaterThan(0)
})

test('a value that contains itself stays a value, to be refused by its field', () => {
  expect(parse('http:\n  port: &a [*a]\n').settings).toHaveLength(1)
})
