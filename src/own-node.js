// A package that npm installs is begun by whatever Node the machine has. Where that is too old, the
// one that comes with the package runs the program. JavaScript, and nothing newer than Node 20.

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'

/** What this program is written for and tested with. */
const NODE_MAJOR = 24
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2']

/** False if this Node will do, or there is no other; the process then goes on by itself. */
export function runWithOwnNode() {
  const { versions, platform, arch, argv, stdin } = process
  if (Number(versions.node.split('.')[0]) >= NODE_MAJOR) return false
  const node = findNode(`node-${platform}-${arch}`)
  if (node === undefined) return false
  const child = spawn(node, argv.slice(1), { stdio: 'inherit' })
  for (const signal of SIGNALS) {
    // a terminal sends Ctrl-C to both
    process.on(signal, () => (signal === 'SIGINT' && stdin.isTTY ? undefined : child.kill(signal)))
  }
  child.on('error', (error) => {
    console.error(`${node} does not run (${error.message}). Install Node ${NODE_MAJOR}.`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)
  })
  return true
}

/** @param {string} name of the package with Node for this platform */
function findNode(name) {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/node')
  } catch {
    return undefined
  }
}
