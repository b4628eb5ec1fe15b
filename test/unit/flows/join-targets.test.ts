import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeInvite } from '../../../protocols/invite.ts'
import {
  JOIN_FILE,
  JOINS_MAX,
  readJoinList,
  targetKind,
  writeJoinList
} from '../../../src/flows/join-targets.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

const address = '/ip4/10.0.0.2/tcp/4001/p2p/12D3KooWLQdSUBEPuqBWLgUN1iG2wyidXzGemwAJwTFFzgdvsM8e'
const invite = encodeInvite({ cluster: 'c', secret: new Uint8Array(32), addresses: [address] })

describe('what join takes', () => {
  test.each([
    [address, 'multiaddr'],
    ['/dns/b.example/tcp/4001', 'multiaddr'],
    ['http://10.0.0.2:8000', 'url'],
    ['https://b.example/tumesh/', 'url'],
    [invite, 'invite'],
    [` ${invite}\n`, 'invite']
  ])('%s', (text, kind) => expect(targetKind(text)).toBe(kind))

  test.each(['', 'b', '10.0.0.2:8000', '/ip4/10.0.0.2', 'http://', `http://${'x'.repeat(1024)}`])(
    '%j is nothing of it',
    (text) =>
      expect(() => targetKind(text)).toThrow(
        expect.objectContaining({
          code: 'BAD_REQUEST',
          message: expect.stringContaining('npm run invite')
        })
      )
  )

  test('an invite that is cut is told as such', () => {
    expect(() => targetKind(invite.slice(0, -1))).toThrow(
      expect.objectContaining({
        code: 'BAD_INVITE',
        message:
          'This is no whole invite: it is cut or mistyped. Copy the whole line again, or make a new one with `npm run invite`.'
      })
    )
  })

  test.each([
    `"${invite}"`,
    `LINE=${invite}`,
    invite.toUpperCase(),
    invite.slice(7),
    invite.slice(14)
  ])('what was an invite is never shown: %#', (text) => {
    const fault = () => targetKind(text)
    expect(fault).toThrow()
    expect(fault).not.toThrow(text.slice(20, 40))
  })
})

describe('what waits for the next start', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let file: string
  beforeEach(() => {
    folder = temporaryFolder()
    file = join(folder.path, JOIN_FILE)
  })
  afterEach(() => folder.remove())

  test('is read as it was written, without doubles, by its owner alone', async () => {
    expect(readJoinList(file)).toEqual([])
    await writeJoinList(file, [address, invite, address])
    expect(readJoinList(file)).toEqual([address, invite])
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('goes away with the last target', async () => {
    await writeJoinList(file, [address])
    await writeJoinList(file, [])
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined()
    await writeJoinList(file, [])
  })

  test('is bounded', async () => {
    const many = Array.from({ length: JOINS_MAX + 1 }, (_, n) => `http://b:${n + 1}`)
    await expect(writeJoinList(file, many)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await writeJoinList(file, many.slice(1))
    expect(readJoinList(file)).toHaveLength(JOINS_MAX)
  })

  test.each(['', '{', 'null', '{"targets": 1}', '{"targets": [1, null, {}]}', ' '.repeat(600_000)])(
    'is nothing where the file is broken: %#',
    (text) => {
      writeFileSync(file, text)
      expect(readJoinList(file)).toEqual([])
    }
  )
})
