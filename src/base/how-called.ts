// How people call this program: from its repository by npm, or from an installed package, whose
// files are compiled.

const isPackage = import.meta.url.endsWith('.js')

/** What starts a node, and does any command that follows. */
export const START = isPackage ? packageCall(process.argv[1]) : 'npm start --'

/** By its name where it was called by that, as one that is installed for all, or in a container. */
export function packageCall(program = ''): string {
  return /(?<!\/\.bin)\/tumesh$/.test(program) ? 'tumesh' : 'npx tumesh'
}

/** One of the commands that npm has a script for. */
export function callOf(command: 'join' | 'invite' | 'keys' | 'adopt', words = ''): string {
  if (isPackage) return `${START} ${command} ${words}`.trimEnd()
  return words === '' ? `npm run ${command}` : `npm run ${command} -- ${words}`
}
