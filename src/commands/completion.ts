// tumesh completion: what a shell needs to complete commands and their options.

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export interface Completed {
  readonly name: string
  readonly summary: string
  /** Long ones, with their hyphens. */
  readonly options: readonly string[]
  /** What its first word can be, where that is one of a few. */
  readonly words: readonly string[]
}

/** A script to be read by the shell. */
export function completionFor(shell: Shell, commands: readonly Completed[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands)
    case 'zsh':
      // zsh takes what is written for bash
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`
    case 'fish':
      return fish(commands)
  }
}

function bash(commands: readonly Completed[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const cases = commands.map(
    ({ name, words, options }) => `    ${name}) words="${[...words, ...options].join(' ')}" ;;`
  )
  return `_tumesh() {
  local words="" current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names}"; else case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; fi
  case "$current" in
    -*|"") COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); else COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current")); fi ;;
  esac
}
complete -o filenames -F _tumesh tumesh
`
}

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`
  const lines = commands.flatMap(({ name, summary, words, options }) => [
    `complete -c tumesh -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...words.map(
      (word) => `complete -c tumesh -n '__fish_seen_subcommand_from ${name}' -a ${word}`
    ),
    ...options.map(
      (option) =>
        `complete -c tumesh -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`
    )
  ])
  return `${lines.join('\n')}\n`
}
