#!/usr/bin/env node
// The first file of the process, for what only its beginning can settle: how much memory the engine
// takes before it looks for garbage, and which modules are kept compiled. JavaScript, because Node
// loads a compiler of 17 MiB for the first TypeScript that is not kept; main.ts goes on.

import module from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runWithOwnNode } from './own-node.js'

/**
 * decisions/0012: new objects get 8 MiB twice, not 64, and the heap is looked through when it has
 * grown by a half, not when it is several times as large.
 */
const ENGINE_LIMITS = [
  '--max-semi-space-size=8',
  '--initial-old-space-size=48',
  '--heap-growing-percent=50'
]
/** Pools of native memory: with one for each thread most of it would lie idle. */
const NATIVE_POOLS = '2'

if (!runWithOwnNode()) {
  limitMemory()
  // A start costs a third less when the stripped and compiled modules are kept. Beside the modules,
  // where only who installed them can write; where that can't be, nothing is kept.
  module.enableCompileCache?.(
    fileURLToPath(new URL('../node_modules/.cache/tumesh', import.meta.url))
  )
  await import('./main.ts')
}

/** What is read before a program begins: a node begins once more, in the same process. */
function limitMemory() {
  const { argv, env, execArgv, execPath, platform } = process
  const [, file, word = 'start'] = argv
  const isNode = word === 'start' || word.startsWith('-')
  const isSet = `${execArgv} ${env.NODE_OPTIONS}`.includes('--max-semi-space-size')
  // before Node 22.15 there is no such call, and on Windows it is there and throws
  if (!isNode || isSet || process.execve === undefined || platform === 'win32') return
  const line = [execPath, ...execArgv, ...ENGINE_LIMITS, file, ...argv.slice(2)]
  process.execve(execPath, line, { MALLOC_ARENA_MAX: NATIVE_POOLS, ...env })
}
