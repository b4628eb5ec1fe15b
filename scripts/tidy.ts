// Checks what compilers and linters do not know: ranks, walls, names and sizes. node
// scripts/tidy.ts

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { checkExceptions, checkFile, checkTopLevel } from './tidy-check.ts'

const CODE = /\.(ts|mjs|js)$/
const CODE_FOLDERS = ['src', 'protocols', 'config', 'scripts', 'test']

/** Relative names of files that git knows, with the options of `git ls-files`. */
function listFiles(...options: string[]): readonly string[] {
  const output = execFileSync('git', ['ls-files', '-z', ...options], { encoding: 'utf8' })
  return output.split('\0').filter((file) => file !== '' && existsSync(file))
}

/** Only what is committed counts at the top: a person may keep data folders there. */
function checkTree(): readonly string[] {
  const untracked = ['--cached', '--others', '--exclude-standard', ...CODE_FOLDERS]
  const files = new Map(
    listFiles(...untracked)
      .filter((file) => CODE.test(file))
      .map((file) => [file, readFileSync(file, 'utf8')])
  )
  return [
    ...checkTopLevel(listFiles()),
    ...[...files].flatMap(([file, text]) => checkFile(file, text)),
    ...checkExceptions(files)
  ]
}

process.chdir(new URL('..', import.meta.url).pathname)
if (existsSync('.git')) {
  const complaints = checkTree()
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) console.error(`tidy: ${complaints.length} to mend`)
  process.exitCode = complaints.length > 0 ? 1 : 0
} else {
  console.error('tidy: not a git repository, nothing is checked')
}
