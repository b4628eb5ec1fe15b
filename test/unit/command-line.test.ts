import { expect, test } from 'vitest'
import { FLAGS, flagName } from '../../config/flags.ts'
import { readCommandLine } from '../../src/command-line.ts'

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
  expect(run('join', ...targets).line).toEqual({
    do: 'join',
    targets,
    target: { url: URL_INITIAL, data: undefined }
  })
  const named = ['--url', 'http://127.0.0.1:8001', '--data', './b']
  expect(run('join', targets[0] as string, ...named).line).toEqual({
    do: 'join',
    targets: ['http://b:8000'],
    target: { url: 'http://127.0.0.1:8001', data: './b' }
  })
})

test('invite and keys name the node in the same way', () => {
  const target = { url: URL_INITIAL, data: './b' }
  expect(run('invite', '--data', './b').line).toMatchObject({ do: 'invite', target })
  expect(run('keys', 'list', '--data', './b').line).toEqual({
    do: 'keys',
    order: { do: 'list' },
    target,
    isJson: false
  })
  expect(run('keys', 'revoke', '7', '--data', './b').line).toMatchObject({
    order: { do: 'revoke', id: '7' },
    target
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
  for (const words of ['keys list', 'join http://h:1', 'invite', 'adopt x', 'backup x']) {
    expect(readCommandLine(words.split(' '), silent, key)).toMatchObject({ target: { key } })
  }
  expect(readCommandLine(['ls'], silent, key)).toMatchObject({ order: { target: { key } } })
  expect(readCommandLine([], silent, key)).toEqual({ do: 'start', flags: {} })
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

test('keys and invites are given to programs as the node gives them', () => {
  expect(run('keys', 'list', '--json').line).toMatchObject({ isJson: true })
  expect(run('keys', 'revoke', 'x', '--json').line).toMatchObject({ isJson: true })
  expect(run('invite', '--json').line).toMatchObject({ order: { isJson: true } })
})
