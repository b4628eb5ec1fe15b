import { expect, test } from 'vitest'
import { greeting } from '../../src/greeting.ts'

const node = {
  name: 'a',
  peerId: '12D3Koo',
  dataFolder: '/srv/data',
  httpUrl: 'http://127.0.0.1:8000',
  meets: { flags: '', onLinkOnly: true }
}

test('a person sees what to open, to type and where the data is', () => {
  const text = greeting(node)
  for (const part of [
    '"a"',
    '12D3Koo',
    'http://127.0.0.1:8000/\n',
    'http://127.0.0.1:8000/docs',
    '/srv/data',
    'curl -F file=@photo.jpg http://127.0.0.1:8000/file-sync/api/file-sync/upload',
    'npm start -- --data ./b --http-port 8001 --name b'
  ]) {
    expect(text).toContain(part)
  }
  expect(text.split('\n').length).toBeLessThanOrEqual(10)
})

test('the second node is never this one', () => {
  const text = greeting({ ...node, name: 'b', httpUrl: 'http://127.0.0.1:8001' })
  expect(text).toContain('npm start -- --data ./c --http-port 8002 --name c')
})

test('how others meet it is said', () => {
  expect(greeting(node)).toContain('on this network they find each other')
  expect(greeting({ ...node, meets: undefined })).toContain('each node keeps its own images')
  const flags = ' --cluster photos --secret-file /srv/secret.txt'
  const text = greeting({ ...node, meets: { flags, onLinkOnly: false } })
  expect(text).toContain('--name b --cluster photos --secret-file /srv/secret.txt\n')
  expect(text).toContain('npm run invite')
})
