import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeSettings } from '../../../config/effective-settings.ts'
import { loadConfig } from '../../../config/load-config.ts'
import { CONFIG_KEYS } from '../../../config/schema.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-settings-'))
  writeFileSync(
    join(folder, 'tumesh.yaml'),
    'p2p:\n  bootstrap: [http://me:hidden@10.0.0.1:8000]\nfile_storage:\n  reserve: 2GiB\n'
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

function settings() {
  const { effective } = loadConfig({
    flags: { '--http-port': '8123', '--no-mdns': true },
    environment: { TUMESH_SCRUB_INTERVAL: '3d' },
    folder,
    hostname: 'host'
  })
  return new Map(describeSettings(effective).map((fact) => [fact.key, fact]))
}

test('every key has its value and where that comes from', () => {
  const facts = settings()
  expect([...facts.keys()]).toEqual(CONFIG_KEYS.map(({ path }) => path))
  const of = (key: string) => {
    const { value, from, origin } = facts.get(key) ?? {}
    return [value, from, origin]
  }
  expect(of('http.port')).toEqual(['8123', 'command line', '--http-port'])
  expect(of('p2p.mdns')).toEqual(['false', 'command line', '--no-mdns'])
  expect(of('scrub.interval')).toEqual(['3d', 'environment', 'TUMESH_SCRUB_INTERVAL'])
  expect(of('file_storage.reserve')).toEqual(['2GiB', 'file', 'tumesh.yaml:4'])
  expect(of('name')).toEqual(['host', 'default', 'default'])
})

test('what is not set says what holds instead', () => {
  expect(settings().get('p2p.port')).toMatchObject({ value: undefined, from: 'default' })
  expect(settings().get('p2p.port')?.unset).toContain('a free one')
})

test('passwords in addresses are not told', () => {
  const bootstrap = settings().get('p2p.bootstrap')
  expect(bootstrap?.value).toContain('***@10.0.0.1:8000')
  expect(JSON.stringify([...settings().values()])).not.toContain('hidden')
})
