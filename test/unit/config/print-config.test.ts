import { expect, test } from 'vitest'
import { parseConfig } from '../../../config/config-file.ts'
import { type ConfigSources, loadConfig } from '../../../config/load-config.ts'
import { printConfig } from '../../../config/print-config.ts'

const load = (sources: Partial<ConfigSources> = {}) =>
  loadConfig({ flags: {}, environment: {}, folder: '/nowhere', hostname: 'host', ...sources })

test('each value has its origin beside it', () => {
  const { effective } = load({
    environment: { TUMESH_NO_MDNS: '1', TUMESH_FILE_STORAGE_MAX_FILE_SIZE: '5MiB' },
    flags: { '--http-port': '9000', '--data': '/srv/a b' }
  })
  const lines = printConfig(effective).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'name: host # default',
      '  max_file_size: 5MiB # TUMESH_FILE_STORAGE_MAX_FILE_SIZE',
      '  local_path: /srv/a b # --data',
      '  port: 9000 # --http-port',
      '  mdns: false # TUMESH_NO_MDNS',
      '  # lane_port: # default: a free one at the first start, then remembered'
    ])
  )
})

test('it can be read in again and means the same', () => {
  const first = load({
    environment: { TUMESH_BOOTSTRAP: 'http://b:8000', TUMESH_NAME: '0123', TUMESH_P2P_PORT: '7' },
    flags: { '--secret-file': 'it #1: "x"', '--log-level': 'debug' }
  })
  const { settings, faults } = parseConfig(printConfig(first.effective), 'printed')
  expect(faults).toEqual([])
  const flags = Object.fromEntries(settings.map(({ key, value }) => [key, value]))
  expect(flags['cluster.secret_file']).toBe('it #1: "x"')
  expect(flags.name).toBe('0123')
  expect(settings).toHaveLength(first.effective.length)
})

test('passwords in addresses are hidden', () => {
  const { effective } = load({ flags: { '--bootstrap': ['http://me:secret@b:8000'] } })
  const printed = printConfig(effective)
  expect(printed).toContain('http://***@b:8000')
  expect(printed).not.toContain('secret@')
})
