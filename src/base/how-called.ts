// How people call this program: from its repository by npm, or from an installed package, whose
// files are compiled.

const isPackage = import.meta.url.endsWith('.js')

/** What starts a node, and does any command that follows. */
export const START = isPackage ? 'npx tumesh' : 'npm start --'

/** One of the commands that npm has a script for. */
export function callOf(command: 'join' | 'invite' | 'keys' | 'adopt', words = ''): string {
  if (isPackage) return `npx tumesh ${command} ${words}`.trimEnd()
  return words === '' ? `npm run ${command}` : `npm run ${command} -- ${words}`
}
