// Begins the thread for bulk bytes, as JavaScript: see tumesh.js.

import module from 'node:module'
import { fileURLToPath } from 'node:url'

// each thread has to ask for it, and would load the compiler without it
module.enableCompileCache?.(
  fileURLToPath(new URL('../node_modules/.cache/tumesh', import.meta.url))
)
await import('./lane-worker.ts')
module.flushCompileCache?.()
