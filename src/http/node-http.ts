// What this folder uses of node:http. `import` would read each name that the module has, and some
// of these load what nobody here needs, a client that takes 10 MiB of memory and a tenth of the
// time of a start: decisions/0012.

import { createRequire } from 'node:module'

export const { createServer, METHODS } = createRequire(import.meta.url)(
  'node:http'
) as typeof import('node:http')
