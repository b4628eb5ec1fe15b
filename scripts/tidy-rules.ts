// The rules of the tree as data: who may import whom, what stands where, and how long things may
// be.

/**
 * Lower parts first: files, or folders with a slash at the end. A part imports parts of lower ranks
 * and itself, never its neighbours. `src/` is what stands there itself: it puts the parts together.
 */
export const RANKS: readonly (readonly string[])[] = [
  ['protocols/'],
  ['src/base/'],
  ['src/client/'],
  ['src/store/', 'src/index/', 'src/network/', 'src/content/'],
  ['src/index-sync/', 'src/blob-sync/', 'src/alerts/'],
  ['src/flows/', 'src/web/'],
  ['src/http/'],
  ['config/'],
  ['src/commands/', 'src/mesh/'],
  ['src/'],
  ['src/main.ts']
]

export interface Place {
  readonly pattern: RegExp
  /** Files, or folders with a slash at the end. */
  readonly only: readonly string[]
  readonly remedy: string
}

/** Modules that only some folders may import. */
export const WALLS: readonly Place[] = [
  {
    pattern: /^(node:)?fs(\/|$)/,
    only: [
      'src/store/',
      'config/config-file.ts',
      'src/commands/harm.ts',
      'src/commands/machine.ts',
      'src/http/certificate.ts',
      'src/http/socket-tables.ts',
      'src/index/repair-database.ts',
      'src/index/unreadable-files.ts',
      'src/network/route-table.ts',
      'src/web/'
    ],
    remedy: 'let src/store/ do it'
  },
  {
    pattern: /^(level|classic-level|abstract-level|memory-level)$/,
    only: ['src/index/'],
    remedy: 'go through src/index/'
  },
  {
    pattern: /^(fastify|@fastify\/.*|fastify-type-provider-zod|fresh|range-parser)$/,
    only: ['src/http/'],
    remedy: 'keep the web framework in src/http/'
  },
  {
    pattern: /^(libp2p|@libp2p\/.*|@chainsafe\/.*|@multiformats\/.*|node:(tls|dgram))$/,
    only: ['src/network/'],
    remedy: 'take what you need as a part from src/network/'
  },
  {
    pattern: /^node:net$/,
    only: ['src/network/', 'src/http/', 'src/content/clamd.ts'],
    remedy: 'sockets belong to src/network/ and src/http/'
  },
  { pattern: /^prom-client$/, only: ['src/http/'], remedy: 'count in src/http/' },
  { pattern: /^sharp$/, only: ['src/content/'], remedy: 'let src/content/ look at images' },
  { pattern: /^yaml$/, only: ['config/'], remedy: 'read YAML in config/' },
  {
    pattern: /^commander$/,
    only: ['src/command-line.ts'],
    remedy: 'declare it in command-line.ts'
  },
  {
    pattern: /^pino(-pretty)?$/,
    only: ['src/base/log.ts', 'src/log-destination.ts'],
    remedy: 'take a Log from src/base/log.ts'
  },
  { pattern: /^@bufbuild\//, only: ['protocols/'], remedy: 'encode messages in protocols/' },
  {
    pattern: /^(node:)?timers(\/|$)/,
    only: ['src/base/clock.ts'],
    remedy: 'take a Clock from src/base/clock.ts'
  }
]

/** Calls that only some files may make. */
export const BANNED_CALLS: readonly Place[] = [
  {
    pattern: /\b(Date\.now|performance\.now)\b|\bnew Date(\(\s*\)|\b(?!\())|\bDate\(\)/,
    only: ['src/base/clock.ts'],
    remedy: 'take a Clock and call now() or monotonicMs()'
  },
  {
    // not the methods of sockets and requests
    pattern: /(?<!\.)\b(setTimeout|setInterval|setImmediate|AbortSignal\.timeout)\b/,
    only: ['src/base/clock.ts'],
    remedy: 'take a Clock and call after()'
  },
  {
    pattern: /\b(Math\.random|randomBytes|randomUUID|randomInt|getRandomValues)\b/,
    only: ['src/base/clock.ts'],
    remedy: 'take a Random from src/base/clock.ts'
  },
  { pattern: /\bconsole\.\w+/, only: ['src/main.ts'], remedy: 'take a Log' },
  {
    pattern: /\bprocess\.(exit|abort|reallyExit)\b/,
    only: ['src/main.ts'],
    remedy: 'throw a NodeError; main.ts ends the process'
  }
]

export const TOP_LEVEL: readonly string[] = [
  '.ci',
  '.dockerignore',
  '.gitignore',
  '.npmrc',
  'LICENSE',
  'README.md',
  'README.zh-CN.md',
  'biome.json',
  'config',
  'knip.json',
  'package-lock.json',
  'package.json',
  'protocols',
  'scripts',
  'src',
  'test',
  'tsconfig.json',
  'vitest.config.ts'
]

export const FILE_LINES_MAX = 350
export const FUNCTION_LINES_MAX = 70
export const LINE_CHARACTERS_MAX = 100

export interface Exception {
  readonly file: string
  readonly rule: 'file-lines' | 'function-lines' | 'line-characters' | 'rank' | 'wall' | 'call'
  readonly reason: string
}

/** Where a rule would make the code worse, and why. */
export const EXCEPTIONS: readonly Exception[] = []
