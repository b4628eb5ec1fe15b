import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { completionFor } from '../../../src/commands/completion.ts'

const COMMANDS = [
  { name: 'status', summary: "how it's going", words: [], options: ['--watch', '--json'] },
  { name: 'start', summary: 'begins', words: [], options: ['--data'] },
  { name: 'keys', summary: 'keys', words: ['add', 'list'], options: ['--scope'] }
]

/** What bash offers after these words. */
function offered(...words: string[]): string[] {
  const line = `COMP_WORDS=(tumesh ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
_tumesh; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', completionFor('bash', COMMANDS) + line], {
    encoding: 'utf8'
  })
  expect(stderr).toBe('')
  return stdout.trim().split('\n')
}

test('bash completes commands and their options', () => {
  expect(offered('sta')).toEqual(['status', 'start'])
  expect(offered('stat')).toEqual(['status'])
  expect(offered('status', '--')).toEqual(['--watch', '--json'])
  expect(offered('start', '--d')).toEqual(['--data'])
  expect(offered('keys', '')).toEqual(['add', 'list', '--scope'])
  expect(offered('keys', 'ad')).toEqual(['add'])
})

test('other shells get the same words', () => {
  expect(completionFor('zsh', COMMANDS)).toContain('bashcompinit')
  expect(completionFor('fish', COMMANDS)).toContain(
    "complete -c tumesh -n __fish_use_subcommand -a status -d 'how it\\'s going'"
  )
  expect(completionFor('fish', COMMANDS)).toContain(
    "complete -c tumesh -n '__fish_seen_subcommand_from keys' -a list"
  )
})
