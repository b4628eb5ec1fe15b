import { expect, test } from 'vitest'
import { fileSystemOf, type Machine } from '../../../src/commands/machine.ts'
import { planDoctor, type Storage } from '../../../src/commands/plan-doctor.ts'

const WELL: Storage = {
  status: 'healthy',
  status_reasons: [],
  disk: {
    total: 1e12,
    free: 5e11,
    reserved: 1e9,
    inodes_total: 1e8,
    inodes_free: 1e7,
    state: 'ok'
  },
  servers: [{ name: 'b', status: 'online', clock_offset_ms: 3, last_error: null }],
  node: { name: 'a', version: '1.0.0', pid: 7, addresses: ['/ip4/10.0.0.1/tcp/4001'] }
}
const MACHINE: Machine = {
  openFilesMax: 65_536,
  watchesMax: 1_000_000,
  fileSystem: 'ext4',
  memoryFreeBytes: 4e9,
  routes: undefined,
  nodeVersion: 'v24.1.0'
}

const toMend = (storage: Partial<Storage>, machine: Partial<Machine> = {}) =>
  planDoctor({ ...WELL, ...storage }, { ...MACHINE, ...machine }, '1.0.0')
    .filter(({ state }) => state !== 'ok')
    .map(({ what, advice }) => [what, advice !== undefined && advice !== ''])

test('where all is well nothing is to be mended', () => expect(toMend({})).toEqual([]))

test.each<[string, Partial<Storage>, Partial<Machine>]>([
  ['a is degraded', { status: 'degraded', status_reasons: ['The disk is low.'] }, {}],
  ['it runs version 0.9.0', { node: { ...WELL.node, version: '0.9.0' } }, {}],
  [
    'no other machine can reach it',
    { node: { ...WELL.node, addresses: ['/ip4/127.0.0.1/tcp/1'] } },
    {}
  ],
  [
    '500 GB of 1.0 TB are free on its disk, 1.0 GB are kept in reserve',
    { disk: { ...WELL.disk, state: 'low' } },
    {}
  ],
  ['its disk can take 9,000 more files', { disk: { ...WELL.disk, inodes_free: 9000 } }, {}],
  ['its disk can take 0 more files', { disk: { ...WELL.disk, inodes_free: 0 } }, {}],
  ['it knows no other servers', { servers: [] }, {}],
  ['Node v20.1.0', {}, { nodeVersion: 'v20.1.0' }],
  ['the data folder is on nfs4', {}, { fileSystem: 'nfs4' }],
  ['it may have 1,024 files open', {}, { openFilesMax: 1024 }],
  ['8,192 folders can be watched', {}, { watchesMax: 8192 }],
  ['100 MB of memory are free', {}, { memoryFreeBytes: 1e8 }]
])('%s', (what, storage, machine) => expect(toMend(storage, machine)).toEqual([[what, true]]))

test('a node that stands alone is not reproached with it', () => {
  const { servers: _, ...alone } = WELL
  const found = planDoctor({ ...alone, node: { ...WELL.node, addresses: [] } }, MACHINE, '1.0.0')
  expect(found.filter(({ state }) => state !== 'ok')).toEqual([])
  expect(found.map(({ what }) => what)).toContain('it stands alone, as file_sync.enabled says')
})

test('a server that is away or whose clock is wrong is named', () => {
  const server = { name: 'b', status: 'offline', clock_offset_ms: null, last_error: null }
  expect(toMend({ servers: [server] })).toEqual([['b is offline', true]])
  const wrong = { ...server, status: 'online', clock_offset_ms: -90_000 }
  expect(toMend({ servers: [wrong] })).toEqual([['the clock of b is -90 s from this one', true]])
})

test('the file system is that of the closest mount', () => {
  const mounts = 'root / ext4 rw\nx /srv xfs rw\nnas:/a /srv/my\\040data nfs4 rw\ny /srv xfs rw\n'
  expect(
    ['/etc', '/srv', '/srv/my', '/srv/my data/images'].map((at) => fileSystemOf(at, mounts))
  ).toEqual(['ext4', 'xfs', 'xfs', 'nfs4'])
  expect(fileSystemOf('/srv', undefined)).toBeUndefined()
})
