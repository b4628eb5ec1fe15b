// npm pack: the program as JavaScript in dist/, or in the folder that is named, since Node strips
// types nowhere below node_modules.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const [OUT = 'dist'] = process.argv.slice(2)
const PARTS = ['src', 'protocols', 'config']

rmSync(OUT, { recursive: true, force: true })
compile()
copyTheRest()

function compile(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tumesh-package-'))
  try {
    const file = join(folder, 'tsconfig.json')
    writeFileSync(file, JSON.stringify(compilerSettings()))
    const { status } = spawnSync('node_modules/.bin/tsc', ['-p', file], { stdio: 'inherit' })
    if (status !== 0) throw new Error('it does not compile')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compilerSettings() {
  return {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      ...{
        noEmit: false,
        allowImportingTsExtensions: false,
        rewriteRelativeImportExtensions: true
      },
      ...{
        rootDir: resolve('.'),
        outDir: resolve(OUT),
        typeRoots: [resolve('node_modules/@types')]
      }
    },
    include: PARTS.map((part) => resolve(part, '**/*.ts'))
  }
}

/** What is no TypeScript: the page, the first file of the program, the defaults. */
function copyTheRest(): void {
  for (const part of PARTS) {
    cpSync(part, join(OUT, part), {
      recursive: true,
      filter: (source) => !/\.(ts|proto)$/.test(source)
    })
  }
  for (const name of readdirSync(join(OUT, 'src'))) {
    if (!name.endsWith('.js')) continue
    const file = join(OUT, 'src', name)
    const text = readFileSync(file, 'utf8')
    const compiled = text.replace(/import\('(\.\/[\w-]+)\.ts'\)/g, "import('$1.js')")
    if (compiled !== text) writeFileSync(file, compiled)
  }
}
