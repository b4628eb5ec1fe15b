// Flushing whole file systems in a process of its own. One shell for all times: starting a process
// from the node costs it tens of milliseconds in which it does nothing else.

import { type ChildProcess, spawn } from 'node:child_process'
import { invariant } from '../base/errors.ts'

/** unknown: no `sync -f` here, now or later. interrupted: the process ended, nothing is known. */
type SyncAnswer = 'synced' | 'unknown' | 'interrupted' | { readonly failed: string }

const NO_SYNC = 3
const SCRIPT = `
sync --help 2>&1 | grep -q -e '-f' || exit ${NO_SYNC}
while IFS= read -r path; do
  if message=$(sync -f "$path" 2>&1); then echo synced; else echo "failed $message"; fi
done`

export class SyncProcess {
  #child: ChildProcess | undefined
  #answer: ((answer: SyncAnswer) => void) | undefined

  /** One at a time. `path` is on the file system to flush. */
  async sync(path: string): Promise<SyncAnswer> {
    invariant(this.#answer === undefined, 'file systems are flushed one after the other')
    if (path.includes('\n')) return 'unknown'
    this.#child ??= this.#start()
    const child = this.#child
    const answer = new Promise<SyncAnswer>((resolve) => {
      this.#answer = resolve
    })
    keepAlive(child, true)
    child.stdin?.write(`${path}\n`)
    try {
      return await answer
    } finally {
      this.#answer = undefined
      keepAlive(child, false)
    }
  }

  #start(): ChildProcess {
    const child = spawn('sh', ['-c', SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Its own process group: a Ctrl-C meant for the node must not end it half-way. It ends when
      // the node does, with its input.
      detached: true,
      env: { PATH: process.env.PATH, LC_ALL: 'C' }
    })
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (!said.endsWith('\n')) return
      const line = said.trim()
      said = ''
      this.#answer?.(line === 'synced' ? 'synced' : { failed: line.replace(/^failed /, '') })
    })
    const gone = (answer: SyncAnswer) => {
      if (this.#child === child) this.#child = undefined
      this.#answer?.(answer)
    }
    child.on('error', () => gone('unknown'))
    child.on('exit', (code) => gone(code === NO_SYNC ? 'unknown' : 'interrupted'))
    child.stdin?.on('error', () => {}) // it has ended: told by its exit
    return child
  }
}

/** The node ends without waiting for this process, unless it waits for an answer. */
function keepAlive(child: ChildProcess, needed: boolean): void {
  // Pipes can do this too, though their types don't say so.
  const handles = [child, child.stdin, child.stdout] as unknown as Pick<
    ChildProcess,
    'ref' | 'unref'
  >[]
  for (const handle of handles) {
    if (needed) handle.ref()
    else handle.unref()
  }
}
