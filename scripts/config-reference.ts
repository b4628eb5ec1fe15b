// Writes config/default.yaml and config/README.md from the schema: node scripts/config-reference.ts

import { writeFileSync } from 'node:fs'
import { VARIABLES } from '../config/environment.ts'
import { FLAGS, flagName } from '../config/flags.ts'
import { printKeys, yamlOf } from '../config/print-config.ts'
import { CONFIG_KEYS } from '../config/schema.ts'

/** A configuration with every key at its default. */
export function defaultYaml(): string {
  const body = printKeys(({ initial, text, example }) => ({
    value: initial,
    comment: text,
    example
  }))
  return `# Every key of the configuration with its default. Copy what you change into tumesh.yaml.
# Sizes: 100MB (10^6), 100MiB (2^20), bare numbers are bytes.
# Times: 200ms, 30s, 5m, 1.5h, 7d, bare numbers are seconds.

${body}`
}

/** The reference of all keys, with the rules of where values come from. */
export function referencePage(): string {
  const rows = CONFIG_KEYS.map((key) => {
    const initial = key.initial === undefined ? (key.unset ?? '') : code(yamlOf(key.initial))
    const cells = [code(key.path), key.kind, initial, key.text, setBy(key.path)]
    return `| ${cells.join(' | ')} |`
  })
  return `${INTRODUCTION}
| key | type | default | meaning | also set by |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

const INTRODUCTION = `# Configuration

<!-- Written by scripts/config-reference.ts; change the schema (src/*/options.ts), not this page. -->

Nothing needs to be configured. What is set comes from, later ones winning:

1. the defaults below;
2. a YAML file: the one named by \`--config\` or \`TUMESH_CONFIG\`, else \`tumesh.yaml\` in the data folder, else
   \`tumesh.yaml\` in the current folder;
3. environment variables: \`TUMESH_\` and the key in capitals (\`http.port\` is \`TUMESH_HTTP_PORT\`), and the short ones
   below; empty ones count as not set;
4. flags of \`tumesh start\`.

\`tumesh --print-config\` shows the values that hold, each with its origin. A key, a variable or a value that is not
understood keeps the node from starting; the message names the place and, for a wrong name, the nearest right one.

- **size**: \`100MB\` is 100,000,000 bytes, \`100MiB\` is 104,857,600; bare numbers are bytes.
- **duration**: \`200ms\`, \`30s\`, \`5m\`, \`1.5h\`, \`7d\`; bare numbers are seconds.
- **list**: a YAML list, or one text with commas: \`jpg, png\`.
- **size and share**: a size, a share of the disk (\`5%\`), or both (\`1GiB, 5%\`): then the smaller one counts.
- Relative names of files and folders count from the folder in which the node is started, wherever they are written.
- A key without a value counts as not set.

[default.yaml](default.yaml) is a file with every key.
`

function setBy(path: string): string {
  const flags = FLAGS.filter(({ key }) => key === path).map(flagName)
  const variables = [...VARIABLES].filter(([, { key }]) => key === path).map(([name]) => name)
  return [...flags, ...variables].map(code).join(' ')
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

if (import.meta.main) {
  const file = (name: string) => new URL(`../config/${name}`, import.meta.url)
  writeFileSync(file('default.yaml'), defaultYaml())
  writeFileSync(file('README.md'), referencePage())
}
