import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '../../../config/config-file.ts'
import { loadConfig } from '../../../config/load-config.ts'
import { CONFIG_KEYS } from '../../../config/schema.ts'
import { defaultYaml, referencePage } from '../../../scripts/config-reference.ts'

const REMEDY = 'is stale: run `npm run config-reference`'
const file = (name: string) => new URL(`../../../config/${name}`, import.meta.url)

test('default.yaml and README.md are those of the schema', () => {
  expect(readFileSync(file('default.yaml'), 'utf8'), `default.yaml ${REMEDY}`).toBe(defaultYaml())
  expect(readFileSync(file('README.md'), 'utf8'), `README.md ${REMEDY}`).toBe(referencePage())
})

test('default.yaml names every key and changes nothing', () => {
  const sources = { flags: {}, environment: {}, folder: '/nowhere', hostname: 'host' }
  const { config } = loadConfig(sources)
  const flags = { '--config': file('default.yaml').pathname }
  expect(loadConfig({ ...sources, flags }).config).toEqual(config)
  for (const { path } of CONFIG_KEYS) {
    expect(defaultYaml()).toContain(`${path.slice(path.indexOf('.') + 1)}: `)
  }
})

test('the examples of keys without a default are right', () => {
  const text = defaultYaml().replaceAll(/^( *)# (\w+: )/gm, '$1$2')
  expect(parseConfig(text, 'default.yaml').settings).toHaveLength(CONFIG_KEYS.length)
})

test('every key is described', () => {
  for (const { path, text, kind, initial, unset } of CONFIG_KEYS) {
    expect(text.length, path).toBeGreaterThan(10)
    expect(kind, path).not.toBe('undefined')
    expect(initial ?? unset, path).toBeDefined()
  }
})
