import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConfigSources, loadConfig, nameFrom } from '../../../config/load-config.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { NO_LIMITS } from '../../../src/blob-sync/traffic.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const load = (sources: Partial<ConfigSources> = {}) =>
  loadConfig({ flags: {}, environment: {}, folder, hostname: 'host', ...sources })

function write(name: string, text: string): string {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
  return name
}

function faultsOf(sources: Partial<ConfigSources>): readonly string[] {
  try {
    load(sources)
  } catch (error) {
    if (error instanceof NodeError && error.code === 'BAD_CONFIG') {
      const { faults } = error.details
      expect(error.message).toContain((faults as string[])[0])
      return faults as string[]
    }
    throw error
  }
  throw new Error('the configuration was taken')
}

test('with nothing set the documented defaults hold', () => {
  expect(load().config).toEqual({
    name: 'host',
    logLevel: 'info',
    logLevels: {},
    fileStorage: {
      localPath: join(folder, 'data'),
      syncEnabled: true,
      syncTimeoutMs: 30_000,
      maxFileSizeBytes: 100_000_000,
      allowedExtensions: 'jpg jpeg png gif webp avif bmp tiff svg ico heic heif jxl'.split(' '),
      content: 'tolerant',
      minPixels: 0,
      maxPixels: 0,
      reserve: { bytes: 2 ** 30, share: 0.05 },
      trashKeepMs: 7 * 86_400e3,
      trashSizeBytes: 10 * 2 ** 30,
      thumbnailsSizeBytes: 500_000_000
    },
    fileSync: {
      enabled: true,
      batchSize: 10,
      syncIntervalMs: 60_000,
      maxRetryAttempts: 3,
      retryDelayMs: 5_000,
      verifyIntegrity: true
    },
    http: {
      host: '0.0.0.0',
      port: 8000,
      read: 'public',
      drainTimeoutMs: 10_000,
      uploadsMax: 64,
      trustedProxies: [],
      corsOrigins: [],
      pathMaxAgeMs: 0,
      tls: undefined,
      hotBytesMax: 2 ** 25,
      accelLocation: undefined,
      serverTiming: false,
      inWork: { addressMax: 256, keyMax: 1024 },
      signedUrls: false,
      rates: {
        windowMs: 60_000,
        address: { requests: 0, bytes: 0 },
        key: { requests: 0, bytes: 0 },
        loopback: false
      },
      hotlink: { allowed: [], withoutReferer: 'allow', placeholder: undefined }
    },
    p2p: { host: '0.0.0.0', port: undefined, lanePort: undefined, mdns: true, bootstrap: [] },
    cluster: { name: 'default', secretFile: undefined },
    adopt: { enabled: true, intervalMs: 60_000, changed: 'version', ignore: ['*.part', '*.tmp'] },
    images: { view: 'auto' },
    scrub: { intervalMs: 30 * 86_400_000 },
    alerts: { webhook: undefined, command: undefined, afterMs: 60_000 },
    scan: { clamd: undefined, absent: 'refuse', stored: true, timeoutMs: 30_000 },
    audit: { enabled: true, bytesMax: 64 * 2 ** 20 },
    index: { export: true, tombstonesKeepMs: 90 * 86_400_000 },
    traffic: { limits: NO_LIMITS, compress: 'remote' },
    acceptFolder: false
  })
})

test('the documented sections are read as they stand, bare numbers as seconds', () => {
  write(
    'tumesh.yaml',
    `file_storage:
  local_path: "static/data/images"
  sync_enabled: true
  sync_timeout: 30
  max_file_size: 104857600
  allowed_extensions: [".jpg", ".jpeg", ".png", ".gif", ".webp"]
file_sync:
  enabled: true
  batch_size: 10
  sync_interval: 60
  max_retry_attempts: 3
  retry_delay: 5
  verify_integrity: true
`
  )
  const { fileStorage, fileSync } = load().config
  expect(fileStorage).toMatchObject({
    localPath: join(folder, 'static/data/images'),
    syncEnabled: true,
    syncTimeoutMs: 30_000,
    maxFileSizeBytes: 104_857_600,
    allowedExtensions: ['jpg', 'jpeg', 'png', 'gif', 'webp']
  })
  expect(fileSync).toEqual({
    enabled: true,
    batchSize: 10,
    syncIntervalMs: 60_000,
    maxRetryAttempts: 3,
    retryDelayMs: 5_000,
    verifyIntegrity: true
  })
})

describe('precedence', () => {
  const origin = (sources: Partial<ConfigSources>) => {
    const { config, effective } = load(sources)
    return [config.http.port, effective.find(({ key }) => key === 'http.port')?.origin]
  }

  test('flag over environment over file over default', () => {
    expect(origin({})).toEqual([8000, 'default'])
    write('tumesh.yaml', 'http:\n  port: 1\n')
    expect(origin({})).toEqual([1, 'tumesh.yaml:2'])
    const environment = { TUMESH_HTTP_PORT: '2' }
    expect(origin({ environment })).toEqual([2, 'TUMESH_HTTP_PORT'])
    const flags = { '--http-port': '3' }
    expect(origin({ environment, flags })).toEqual([3, '--http-port'])
  })

  test('a value that is overruled need not be right', () => {
    const environment = { TUMESH_HTTP_PORT: 'abc' }
    expect(origin({ environment, flags: { '--http-port': '3' } })).toEqual([3, '--http-port'])
  })
})

describe('the file', () => {
  const name = (sources: Partial<ConfigSources> = {}) => load(sources).config.name

  test('is the named one, else that of the data folder, else that of the current folder', () => {
    write('tumesh.yaml', 'name: current')
    expect(name()).toBe('current')
    write('data/tumesh.yaml', 'name: data')
    expect(name()).toBe('data')
    write('b/tumesh.yaml', 'name: b')
    expect(name({ flags: { '--data': './b' } })).toBe('b')
    expect(name({ environment: { TUMESH_DATA: join(folder, 'b') } })).toBe('b')
    write('other.yml', 'name: other')
    expect(name({ environment: { TUMESH_CONFIG: 'other.yml' } })).toBe('other')
    write('third.yml', 'name: third')
    const flags = { '--config': join(folder, 'third.yml') }
    expect(name({ flags, environment: { TUMESH_CONFIG: 'other.yml' } })).toBe('third')
  })

  test('must exist if it was named', () => {
    expect(faultsOf({ flags: { '--config': 'no.yaml' } })).toEqual([
      'there is no file no.yaml (named by --config); check its name'
    ])
    expect(faultsOf({ environment: { TUMESH_CONFIG: 'no.yaml' } })).toEqual([
      'there is no file no.yaml (named by TUMESH_CONFIG); check its name'
    ])
  })

  test('must be a file', () => {
    expect(faultsOf({ flags: { '--config': '.' } })).toEqual([
      "the file . can't be read (EISDIR); check that it is a readable file"
    ])
  })
})

test('all faults of all sources are told together, each with its place', () => {
  write('tumesh.yaml', 'file_sync:\n  retry_dely: 5\n  batch_size: 0\nhttp:\n  read: nobody\n')
  const faults = faultsOf({
    environment: { TUMESH_HTTP_PROT: '1', TUMESH_LOG_LEVEL: 'loud' },
    flags: { '--http-port': '70000' }
  })
  expect(faults).toEqual([
    'there is no key file_sync.retry_dely (tumesh.yaml:2:3); did you mean file_sync.retry_delay?',
    'there is no variable TUMESH_HTTP_PROT; did you mean TUMESH_HTTP_PORT?',
    'log_level is "loud", but must be trace, debug, info, warn, error or silent (TUMESH_LOG_LEVEL)',
    'file_sync.batch_size is 0, but must be a whole number from 1 to 1000 (tumesh.yaml:3)',
    'http.port is "70000", but must be a whole number from 0 to 65535 (--http-port)',
    'http.read is "nobody", but must be public or key (tumesh.yaml:5)'
  ])
})

test('of very many faults the first are shown', () => {
  write('tumesh.yaml', `name: ${'['.repeat(200)}`)
  try {
    load()
    expect.unreachable()
  } catch (error) {
    const lines = (error as NodeError).message.split('\n')
    expect(lines).toHaveLength(52)
    expect(lines.at(-1)).toMatch(/^ {2}- and \d+ more$/)
  }
})

test('a fault shows no password', () => {
  const [fault] = faultsOf({ flags: { '--bootstrap': ['ftp://me:secret@b'] } })
  expect(fault).toContain('ftp://***@b')
  expect(fault).not.toContain('secret')
})

test('flags without a value, and those that repeat', () => {
  const flags = {
    '--no-mdns': true,
    '--accept-folder': true,
    '--bootstrap': ['/ip4/10.0.0.1/tcp/4001', 'http://b:8000']
  }
  const { config } = load({ flags })
  expect(config.p2p.mdns).toBe(false)
  expect(config.p2p.bootstrap).toEqual(flags['--bootstrap'])
  expect(config.acceptFolder).toBe(true)
})

test('relative names count from the current folder, absolute ones stay', () => {
  const environment = { TUMESH_SECRET_FILE: 'secret', TUMESH_DATA: '/srv/x' }
  const { config } = load({ environment })
  expect(config.cluster.secretFile).toBe(join(folder, 'secret'))
  expect(config.fileStorage.localPath).toBe('/srv/x')
})

test.each([
  ['host.example.org', 'host.example.org'],
  ["Jo's MacBook Pro", 'Jo-s-MacBook-Pro'],
  ['服务器', 'node'],
  ['', 'node'],
  ['-a-', 'a'],
  ['x'.repeat(80), 'x'.repeat(63)]
])('the host name %j gives the name %j', (hostname, name) => {
  expect(nameFrom(hostname)).toBe(name)
  expect(load({ hostname }).config.name).toBe(name)
})
