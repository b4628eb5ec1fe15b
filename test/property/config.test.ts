import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseConfig } from '../../config/config-file.ts'
import { variableOf } from '../../config/environment.ts'
import { loadConfig } from '../../config/load-config.ts'
import { CONFIG_KEYS, configSchema } from '../../config/schema.ts'
import { NodeError } from '../../src/base/errors.ts'
import { durationField, sizeField } from '../../src/base/fields.ts'

const BASE = { flags: {}, environment: {}, folder: '/nowhere', hostname: 'host' }
const keyPaths = CONFIG_KEYS.map(({ path }) => path)

test('no file can do more than be refused', () => {
  const words = fc.constantFrom(...keyPaths.flatMap((path) => path.split('.')), 'prot', '__proto__')
  const section = fc.dictionary(words, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 })
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.dictionary(words, section, { maxKeys: 5 }).map((tree) => stringify(tree))
  )
  fc.assert(
    fc.property(text, (content) => {
      const { settings, faults } = parseConfig(content, 'f')
      expect(settings.every(({ key }) => keyPaths.includes(key))).toBe(true)
      expect(faults.every((fault) => fault.length > 0)).toBe(true)
    }),
    { numRuns: 300 }
  )
})

test('no value can do more than be refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...keyPaths), fc.anything(), (path, value) => {
      const [section = '', name] = path.split('.')
      const tree = name === undefined ? { [section]: value } : { [section]: { [name]: value } }
      const { error } = configSchema.safeParse({ name: 'a', ...tree })
      expect(error?.issues.every(({ message }) => message.startsWith('must be ')) ?? true).toBe(
        true
      )
    }),
    { numRuns: 500 }
  )
})

test('no environment can do more than be refused with BAD_CONFIG', () => {
  const names = fc.oneof(
    fc.constantFrom(...keyPaths.map(variableOf)),
    fc.stringMatching(/^TUMESH_[A-Z_]{0,20}$/)
  )
  fc.assert(
    fc.property(fc.dictionary(names, fc.string()), (environment) => {
      try {
        loadConfig({ ...BASE, environment: { ...environment, TUMESH_CONFIG: '' } })
      } catch (error) {
        expect(error instanceof NodeError && error.code).toBe('BAD_CONFIG')
      }
    }),
    { numRuns: 300 }
  )
})

test('whatever is set by whom, the flag counts before the variable', () => {
  const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined })
  fc.assert(
    fc.property(port, port, (byVariable, byFlag) => {
      const environment = byVariable === undefined ? {} : { TUMESH_HTTP_PORT: String(byVariable) }
      const flags = byFlag === undefined ? {} : { '--http-port': String(byFlag) }
      const { config } = loadConfig({ ...BASE, environment, flags })
      expect(config.http.port).toBe(byFlag ?? byVariable ?? 8000)
    })
  )
})

test('sizes and durations are exact, or refused', () => {
  const units = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
  const unit = fc.constantFrom(...(Object.entries(units) as [keyof typeof units, number][]))
  fc.assert(
    fc.property(fc.nat(9_000), unit, (count, [name, scale]) => {
      expect(sizeField(0).parse(`${count}${name}`)).toBe(count * scale)
    })
  )
  fc.assert(
    fc.property(fc.nat(1_000_000), (seconds) => {
      const field = durationField(0)
      expect(field.parse(seconds)).toBe(seconds * 1000)
      expect(field.parse(`${seconds}s`)).toBe(seconds * 1000)
    })
  )
})
