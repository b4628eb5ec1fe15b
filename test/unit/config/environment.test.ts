import { expect, test } from 'vitest'
import { readEnvironment, VARIABLES, variableOf } from '../../../config/environment.ts'
import { CONFIG_KEYS } from '../../../config/schema.ts'

test('every key has a variable', () => {
  for (const { path } of CONFIG_KEYS) expect(VARIABLES.get(variableOf(path))?.key).toBe(path)
  expect(variableOf('file_storage.max_file_size')).toBe('TUMESH_FILE_STORAGE_MAX_FILE_SIZE')
})

test.each([
  ['TUMESH_DATA', '/srv/a', 'file_storage.local_path', '/srv/a'],
  ['TUMESH_NAME', 'a', 'name', 'a'],
  ['TUMESH_CLUSTER', 'home', 'cluster.name', 'home'],
  ['TUMESH_SECRET_FILE', '/s', 'cluster.secret_file', '/s'],
  ['TUMESH_HTTP_HOST', '::', 'http.host', '::'],
  ['TUMESH_P2P_PORT', '4001', 'p2p.port', '4001'],
  ['TUMESH_LANE_PORT', '4002', 'p2p.lane_port', '4002'],
  ['TUMESH_NO_MDNS', '1', 'p2p.mdns', false],
  ['TUMESH_NO_MDNS', 'false', 'p2p.mdns', true],
  ['TUMESH_NO_MDNS', 'perhaps', 'p2p.mdns', 'perhaps'],
  ['TUMESH_P2P_MDNS', 'no', 'p2p.mdns', 'no'],
  [
    'TUMESH_BOOTSTRAP',
    '/ip4/1.2.3.4/tcp/1,http://b:8000',
    'p2p.bootstrap',
    '/ip4/1.2.3.4/tcp/1,http://b:8000'
  ],
  ['TUMESH_LOG_LEVEL', 'debug', 'log_level', 'debug'],
  ['TUMESH_FILE_SYNC_BATCH_SIZE', '5', 'file_sync.batch_size', '5']
])('%s=%s sets %s', (name, value, key, expected) => {
  expect(readEnvironment({ [name]: value })).toEqual({
    settings: [{ key, value: expected, origin: name }],
    faults: []
  })
})

test('empty and foreign variables, and those that are no keys, count for nothing', () => {
  const environment = {
    TUMESH_NAME: '',
    TUMESH_CONFIG: 'x.yaml',
    TUMESH_FAIL_POINT: 'stage:opened',
    PATH: '/bin',
    tumesh_name: 'a'
  }
  expect(readEnvironment(environment)).toEqual({ settings: [], faults: [] })
})

test('unknown variables are faults that name the nearest one', () => {
  const environment = { TUMESH_HTTP_PROT: '1', TUMESH_SOMETHING_ELSE: '1', TUMESH_CONFG: 'x' }
  expect(readEnvironment(environment).faults).toEqual([
    'there is no variable TUMESH_CONFG; did you mean TUMESH_CONFIG?',
    'there is no variable TUMESH_HTTP_PROT; did you mean TUMESH_HTTP_PORT?',
    'there is no variable TUMESH_SOMETHING_ELSE'
  ])
})

test('two variables for one key are refused', () => {
  const { faults } = readEnvironment({ TUMESH_NO_MDNS: '1', TUMESH_P2P_MDNS: 'true' })
  expect(faults).toEqual(['TUMESH_NO_MDNS and TUMESH_P2P_MDNS both set p2p.mdns; keep one'])
})
