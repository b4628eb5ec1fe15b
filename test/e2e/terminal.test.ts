// The program at a terminal, a pseudo one: what a person sees there and a pipe does not, colours,
// and Ctrl-C.

import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freePort, hasProgram } from '../support/proxies.ts'
import { Workbench } from '../support/real-node.ts'

const MAIN = resolve('src/tumesh.js')
const CTRL_C = '\u0003'
const CLEAR = '\u001b[2J'
const COLOUR = '\u001b[3'
const missing = hasProgram('script') ? '' : ' (skipped: script of util-linux is missing)'

let bench: Workbench
let child: ChildProcess | undefined
beforeEach(() => {
  bench = new Workbench()
})
afterEach(async () => {
  if (child?.exitCode === null) child.kill('SIGKILL')
  await bench.cleanUp()
})

interface Session {
  readonly seen: () => string
  readonly type: (text: string) => void
  readonly ended: Promise<number | null>
}

/** Starts the program with a terminal of its own. */
function atTerminal(
  words: readonly string[],
  more: Readonly<Record<string, string>> = {}
): Session {
  // in place of the shell, which would end by Ctrl-C in its own way
  const line = `exec ${[process.execPath, MAIN, ...words].map((word) => `'${word}'`).join(' ')}`
  const env = { PATH: process.env.PATH, HOME: bench.folder, TERM: 'xterm', ...more }
  const made = spawn('script', ['-qfec', line, '/dev/null'], { cwd: bench.folder, env })
  child = made
  let seen = ''
  made.stdout.setEncoding('utf8').on('data', (text) => {
    seen += text
  })
  const ended = new Promise<number | null>((done) => made.once('close', done))
  return { seen: () => seen, type: (text) => void made.stdin.write(text), ended }
}

const sees = (session: Session, text: string | RegExp) =>
  eventually(() => expect(session.seen()).toMatch(text), { withinMs: 30_000 })

async function nodeAtTerminal(more?: Readonly<Record<string, string>>): Promise<string> {
  const port = String(await freePort())
  const alone = ['--no-mdns', '--http-host', '127.0.0.1', '--p2p-host', '127.0.0.1']
  const session = atTerminal([...alone, '--http-port', port], more)
  await sees(session, /stop +Ctrl-C/)
  session.type(CTRL_C)
  await sees(session, 'the node has stopped')
  expect(await session.ended).toBe(0)
  return session.seen()
}

describe.skipIf(missing !== '')(`at a terminal${missing}`, () => {
  test('the log of a node is for people, in colours, and Ctrl-C stops it', async () => {
    const seen = await nodeAtTerminal()
    expect(seen).toContain(COLOUR)
    expect(seen).not.toContain('"level":30')
    expect(seen).toMatch(/stopping; once more to stop at once/)
  }, 60_000)

  test('with NO_COLOR there are none', async () => {
    const seen = await nodeAtTerminal({ NO_COLOR: '1' })
    expect(seen).not.toContain('\u001b[')
    expect(seen).toMatch(/INFO: the node runs/)
  }, 60_000)

  test('a status that is watched takes the screen, and Ctrl-C ends it without a word', async () => {
    const { url } = await bench.start('a')
    const words = ['status', '--watch', '--url', url, '--data', bench.path('a')]
    const session = atTerminal(words)
    await sees(session, /a is healthy/)
    expect(session.seen().split(CLEAR)[0]).toBe('')
    const before = session.seen()
    session.type(CTRL_C)
    expect(await session.ended).not.toBe(0)
    expect(session.seen().slice(before.length)).toMatch(/^(\^C|\s)*$/)
  }, 60_000)
})
