import { expect, test } from 'vitest'
import { FLAGS, flagName } from '../../config/flags.ts'
import { asksForJson, readCommandLine } from '../../src/command-line.ts'
import { CATALOG } from '../../src/commands/catalog.ts'

function run(...words: string[]) {
  let out = ''
  let err = ''
  const line = readCommandLine(words, {
    writeOut: (text) => {
      out += text
    },
    writeErr: (text) => {
      err += text
    }
  })
  return { line, out, err }
}

test('without words, or with start alone, a node starts', () => {
  expect(run().line).toEqual({ do: 'start', flags: {} })
  expect(run('start').line).toEqual({ do: 'start', flags: {} })
})

test('flags are handed on as they were written, and only those', () => {
  const words = '--data ./b --http-port 8001 --name b --no-mdns --accept-folder --config x.yaml'
  const flags = {
    '--data': './b',
    '--http-port': '8001',
    '--name': 'b',
    '--no-mdns': true,
    '--accept-folder': true,
    '--config': 'x.yaml'
  }
  expect(run(...words.split(' ')).line).toEqual({ do: 'start', flags })
  expect(run('start', ...words.split(' ')).line).toEqual({ do: 'start', flags })
})

test('bootstrap repeats', () => {
  const { line } = run('--bootstrap', '/ip4/10.0.0.1/tcp/1', '--bootstrap=http://b:8000')
  expect(line).toMatchObject({ flags: { '--bootstrap': ['/ip4/10.0.0.1/tcp/1', 'http://b:8000'] } })
})

test('--print-config prints instead of starting', () => {
  expect(run('start', '--print-config', '--name', 'a').line).toMatchObject({
    do: 'print-config',
    flags: { '--name': 'a' }
  })
})

const URL_INITIAL = 'http://127.0.0.1:8000'

test('join takes several targets; the node may be named by its address or its folder', () => {
  const targets = ['http://b:8000', '/ip4/10.0.0.2/tcp/4001']
  expect(run('join', ...targets).line).toMatchObject({
    do: 'ask',
    order: { words: targets, target: { url: URL_INITIAL, data: undefined }, isJson: false }
  })
  const named = ['--url', 'http://127.0.0.1:8001', '--data', './b']
  expect(run('join', targets[0] as string, ...named).line).toMatchObject({
    order: { words: ['http://b:8000'], target: { url: 'http://127.0.0.1:8001', data: './b' } }
  })
})

test('invite and keys name the node in the same way', () => {
  const target = { url: URL_INITIAL, data: './b' }
  expect(run('invite', '--uses', '1', '--data', './b').line).toMatchObject({
    order: { options: { uses: '1' }, target }
  })
  expect(run('keys', 'add', 'x', '--scope', 'read', '--data', './b').line).toMatchObject({
    order: { words: ['x'], options: { scope: 'read' }, target }
  })
  expect(run('keys', 'revoke', '7', '--data', './b').line).toMatchObject({
    order: { words: ['7'], target }
  })
})

test('--help names every flag and the second node', () => {
  const { line, out, err } = run('--help')
  expect(line).toEqual({ do: 'exit', code: 0 })
  for (const flag of FLAGS) expect(out).toContain(flagName(flag))
  expect(out).toContain('npm start -- --data ./b --http-port 8001 --name b')
  expect(err).toBe('')
})

test('--version prints a version', () => {
  expect(run('--version')).toMatchObject({ line: { do: 'exit', code: 0 } })
  expect(run('-V').out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.each([
  [['--htp-port', '1'], '--http-port'],
  [['--http-port'], 'argument missing'],
  [['strt'], 'start'],
  [['start', 'again'], 'too many arguments'],
  [['join'], 'targets'],
  [['join', '--url', '127.0.0.1:8000', 'http://b:8000'], 'such as http://127.0.0.1:8000'],
  [['invite', 'b'], 'too many arguments']
])('%j is explained and is a usage error', (words, explanation) => {
  const { line, err, out } = run(...words)
  expect(line).toEqual({ do: 'exit', code: 2 })
  expect(err).toContain(explanation)
  expect(out).toBe('')
})

test('a key from outside goes to the node that any command asks', () => {
  const silent = { writeOut: () => {}, writeErr: () => {} }
  const key = 'tumesh_k'
  for (const words of ['keys list', 'join http://h:1', 'invite', 'adopt x', 'backup x', 'ls']) {
    const line = readCommandLine(words.split(' '), silent, key)
    expect(line).toMatchObject({ order: { target: { key } } })
  }
  expect(readCommandLine([], silent, key)).toEqual({ do: 'start', flags: {} })
})

test('completion knows the words that commands take, and their options', () => {
  const { out } = run('completion', 'bash')
  expect(out).toMatch(/^ {4}keys\) words="add list revoke --scope --json --url --data" ;;$/m)
  expect(out).toMatch(/^ {4}completion\) words="bash zsh fish" ;;$/m)
})

test('a scope that there is not is a wrong command line', () => {
  const { line, err } = run('keys', 'add', 'x', '--scope', 'all')
  expect(line).toEqual({ do: 'exit', code: 2 })
  expect(err).toContain('read, write, admin')
})

test.each([
  ['nonsense', 'There is no command nonsense.'],
  ['statsu', 'There is no command statsu. Did you mean status?']
])('the word %s is no command', (word, sentence) => {
  const { line, err } = run(word, '--json')
  expect(line).toEqual({ do: 'exit', code: 2 })
  expect(err).toContain(sentence)
})

test('--json is known by every command that asks a node, and of any line', () => {
  const words: Record<string, string> = { add: 'x', mv: 'a b' }
  for (const { name, words: notations } of CATALOG) {
    const given = words[name] ?? (notations[0]?.[0].startsWith('<') ? 'x' : '')
    const line = run(...`${name} ${given} --json`.split(' ').filter(Boolean)).line
    expect(line, name).toMatchObject({ do: 'ask', order: { isJson: true } })
  }
  for (const line of ['keys list', 'keys revoke x', 'keys add x --scope read']) {
    expect(run(...line.split(' '), '--json').line).toMatchObject({ order: { isJson: true } })
  }
  expect(run('--print-config', '--json').line).toEqual({
    ...{ do: 'print-config', flags: { '--print-config': true } }
  })
  expect(asksForJson(['nonsense', '--json'])).toBe(true)
  expect(asksForJson(['rm', '--', '--json'])).toBe(false)
})
