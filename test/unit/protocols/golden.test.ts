// The bytes of version 1. They never change: what a later version adds, it adds beside them.

import { expect, test } from 'vitest'
import type { BlobsClient } from '../../../protocols/blobs/request.ts'
import { BlobsClient as Blobs } from '../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../protocols/blobs/serve.ts'
import type { BlobSource } from '../../../protocols/blobs/source.ts'
import { refOf } from '../../../protocols/entries/entry-ref.ts'
import { EntriesClient } from '../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../protocols/entries/serve.ts'
import { parseHash } from '../../../protocols/hash.ts'
import { requestHello } from '../../../protocols/hello/request.ts'
import { helloProtocol } from '../../../protocols/hello/serve.ts'
import { BLOBS_ID, ENTRIES_ID, HELLO_ID, SECRET_ID } from '../../../protocols/ids.ts'
import { decodeInvite } from '../../../protocols/invite.ts'
import { parsePath } from '../../../protocols/path.ts'
import { requestSecret } from '../../../protocols/secret/request.ts'
import { secretProtocol } from '../../../protocols/secret/serve.ts'
import { STATUS } from '../../../protocols/status.ts'
import { EMPTY_NODE, ROOT_KEY, treeKey } from '../../../protocols/time-tree-shape.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { imageEntry, MemoryEntries } from '../../support/memory-entries.ts'
import { helloOf } from '../../support/protocol-talks.ts'
import { never, type Served, servePair } from '../../support/serve-pair.ts'

const bytesOf = ({ stream, server }: Served) => ({
  asked: stream.sent().toString('hex'),
  answered: server.sent().toString('hex')
})

const entry = imageEntry('a.png', 0x018bcfe568000001n)
const tombstone = imageEntry('b.png', 0x018bcfe568000002n, { deleted: true })

const vouch = { member: 'peer-c', database: 'd3', until: 70_000 }

async function entries(
  ask: (client: EntriesClient) => Promise<unknown>,
  answers: Partial<MemoryEntries> = {}
) {
  const source = new MemoryEntries([entry, tombstone])
  source.status = () => ({
    root: source.node(ROOT_KEY),
    wantsFiles: 300,
    wantsBytes: 70_000,
    wantRanges: [{ from: 1, to: 300 }],
    horizon: 0
  })
  source.prove = async () => ({ equal: true, database: 'd2', vouches: [vouch] })
  Object.assign(source, answers)
  source.past = [{ entry: imageEntry('a.png', 0x018bcfe560000000n), sinceMs: 300 }]
  const served = servePair(entriesProtocol, source)
  await ask(new EntriesClient(served.stream))
  return bytesOf(served)
}

const content = Uint8Array.of(1, 2, 3)

async function blobs(
  ask: (client: BlobsClient) => Promise<unknown>,
  answers: Partial<MemoryBlobSource> & Pick<BlobSource, 'copy'> = {}
) {
  const source = Object.assign(new MemoryBlobSource(), answers)
  source.add(content)
  const served = servePair(blobsProtocol, source)
  await ask(new Blobs(served.stream)).catch(() => {})
  return bytesOf(served)
}

const held = parseHash('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81')
const missing = parseHash('ab'.repeat(32))

test('names and numbers', () => {
  expect([HELLO_ID, ENTRIES_ID, BLOBS_ID, SECRET_ID]).toMatchInlineSnapshot(`
    [
      "/tumesh/hello/1",
      "/tumesh/entries/1",
      "/tumesh/blobs/1",
      "/tumesh/secret/1",
    ]
  `)
  expect(STATUS).toMatchInlineSnapshot(`
    {
      "BAD_REQUEST": 6,
      "BUSY": 3,
      "INTERNAL": 7,
      "MISSING": 2,
      "OK": 1,
      "REFUSED": 4,
      "TOO_LARGE": 5,
    }
  `)
})

test('hello', async () => {
  const source = { hello: () => helloOf('right'), heard: () => {}, now: () => 1_700_000_000_002 }
  const served = servePair(helloProtocol, source)
  await requestHello(served.stream, helloOf('left'), () => 1_700_000_000_001, never)
  expect(bytesOf(served)).toMatchInlineSnapshot(`
    {
      "answered": "6a08011a5f0a0f2f74756d6573682f68656c6c6f2f310a112f74756d6573682f656e74726965732f31120572696768741a05302e312e302082d095ffbc312a02633132026431380140c03e4a172f6970342f3132372e302e302e312f7463702f343030312082d095ffbc31",
      "asked": "600a5e0a0f2f74756d6573682f68656c6c6f2f310a112f74756d6573682f656e74726965732f3112046c6566741a05302e312e302081d095ffbc312a02633132026431380140c03e4a172f6970342f3132372e302e302e312f7463702f34303031",
    }
  `)
})

test('secret', async () => {
  const served = servePair(secretProtocol, { take: async () => {} })
  const secret = new Uint8Array(32).fill(7)
  const offer = { cluster: 'photos', secret, decidedMs: 1_700_000_000_000 }
  await requestSecret(served.stream, offer, never)
  expect(bytesOf(served)).toMatchInlineSnapshot(`
    {
      "answered": "020801",
      "asked": "310a0670686f746f73122007070707070707070707070707070707070707070707070707070707070707071880d095ffbc31",
    }
  `)
})

test('entries: push', async () => {
  const push = (client: EntriesClient) =>
    client.push([entry.raw, Uint8Array.of(0)], ['p', 'q'], never)
  expect(await entries(push)).toMatchInlineSnapshot(`
    {
      "answered": "0808011a0408011001",
      "asked": "6b0a690a5e08011205612e706e67222000000000000000000000000000000000000000000000000000000000000000002901000068e5cf8b0132016142100000000000000000000000000000000048e8075209696d6167652f706e677080d095ffbc310a0100120170120171",
    }
  `)
})

test('entries: tree', async () => {
  const asked = [{ key: ROOT_KEY }, { key: ROOT_KEY, before: 1 }]
  expect(await entries((client) => client.tree(asked, never))).toMatchInlineSnapshot(`
    {
      "answered": "ed01080122e8010a99010a48080110011a20864160f631c65946bd351a974cab952143e8dc87ce6b07bc8e3cedbd3ff83fe82220735f2bde26877697e574cbdbdcbbc1ac58f41ecc9463b50af25ed74c3df5b696124d088b031248080110011a20864160f631c65946bd351a974cab952143e8dc87ce6b07bc8e3cedbd3ff83fe82220735f2bde26877697e574cbdbdcbbc1ac58f41ecc9463b50af25ed74c3df5b6960a4a0a48080110011a20864160f631c65946bd351a974cab952143e8dc87ce6b07bc8e3cedbd3ff83fe82220735f2bde26877697e574cbdbdcbbc1ac58f41ecc9463b50af25ed74c3df5b696",
      "asked": "1e121c0a0b0a093030303030303030300a0d0a093030303030303030301001",
    }
  `)
})

test('entries: pairs', async () => {
  const before = { version: 0x018bcfe568000009n, pathHash: '01'.repeat(16) }
  expect(await entries((client) => client.pairs(ROOT_KEY, before, never))).toMatchInlineSnapshot(`
    {
      "answered": "3608012a320a30018bcfe5680000021a578107c4ae09fd5a2e53d1a874831b018bcfe568000001137c75bacac37dd7c24d10e549731146",
      "asked": "271a250a093030303030303030301218018bcfe56800000901010101010101010101010101010101",
    }
  `)
})

test('entries: pairs of many nodes', async () => {
  const keys = [ROOT_KEY, treeKey(1, 0), ROOT_KEY]
  expect(await entries((client) => client.pairsOfMany(keys, never))).toMatchInlineSnapshot(`
    {
      "answered": "6a08012a660a30018bcfe5680000021a578107c4ae09fd5a2e53d1a874831b018bcfe568000001137c75bacac37dd7c24d10e5497311461a001a30018bcfe5680000021a578107c4ae09fd5a2e53d1a874831b018bcfe568000001137c75bacac37dd7c24d10e549731146",
      "asked": "231a210a0930303030303030303022093130303030303030302209303030303030303030",
    }
  `)
})

test('entries: range', async () => {
  const before = { version: 0x018bcfe568000002n, pathHash: '00'.repeat(16) }
  expect(await entries((client) => client.range(ROOT_KEY, before, never))).toMatchInlineSnapshot(`
    {
      "answered": "64080132600a5e08011205612e706e67222000000000000000000000000000000000000000000000000000000000000000002901000068e5cf8b0132016142100000000000000000000000000000000048e8075209696d6167652f706e677080d095ffbc31",
      "asked": "2722250a093030303030303030301218018bcfe56800000200000000000000000000000000000000",
    }
  `)
})

test('entries: fetch', async () => {
  const ref = { version: 0x018bcfe568000009n, pathHash: '01'.repeat(16) }
  expect(await entries((client) => client.fetch([ref], never))).toMatchInlineSnapshot(`
    {
      "answered": "0608013a021001",
      "asked": "1c2a1a0a18018bcfe56800000901010101010101010101010101010101",
    }
  `)
})

test('entries: status', async () => {
  expect(await entries((client) => client.status(never))).toMatchInlineSnapshot(`
    {
      "answered": "5c080142580a48080110011a20864160f631c65946bd351a974cab952143e8dc87ce6b07bc8e3cedbd3ff83fe82220735f2bde26877697e574cbdbdcbbc1ac58f41ecc9463b50af25ed74c3df5b69610ac0218f0a2042205080110ac02",
      "asked": "023200",
    }
  `)
})

test('entries: prove', async () => {
  const claim = { cut: 300, horizon: 7, database: 'd1', vouches: [vouch] }
  const sums = new MemoryEntries([entry, tombstone]).node(ROOT_KEY)
  expect(await entries((client) => client.prove({ ...claim, sums }, never))).toMatchInlineSnapshot(`
    {
      "answered": "1c08014a180801120264321a100a06706565722d631202643318f0a204",
      "asked": "673a6508ac0210071a48080110011a20864160f631c65946bd351a974cab952143e8dc87ce6b07bc8e3cedbd3ff83fe82220735f2bde26877697e574cbdbdcbbc1ac58f41ecc9463b50af25ed74c3df5b696220264312a100a06706565722d631202643318f0a204",
    }
  `)
})

test('entries: review', async () => {
  const about = { database: 'd1', vouches: [vouch], deletions: [] }
  const verdict = { refs: [refOf(entry), refOf(tombstone)], ...about }
  expect(await entries((client) => client.review(verdict, never))).toMatchInlineSnapshot(`
    {
      "answered": "06080152020802",
      "asked": "4c424a0a480a30018bcfe568000001137c75bacac37dd7c24d10e549731146018bcfe5680000021a578107c4ae09fd5a2e53d1a874831b120264311a100a06706565722d631202643318f0a204",
    }
  `)
})

test('entries: a push that is put to review', async () => {
  const push = (client: EntriesClient) => client.push([entry.raw], [], never)
  const about = { database: 'd1', vouches: [vouch], deletions: [] }
  const verdict = { refs: [refOf(entry)], ...about }
  expect(await entries(push, { push: async () => verdict })).toMatchInlineSnapshot(`
    {
      "answered": "3608011a321a300a18018bcfe568000001137c75bacac37dd7c24d10e549731146120264311a100a06706565722d631202643318f0a204",
      "asked": "620a600a5e08011205612e706e67222000000000000000000000000000000000000000000000000000000000000000002901000068e5cf8b0132016142100000000000000000000000000000000048e8075209696d6167652f706e677080d095ffbc31",
    }
  `)
})

test('entries: a push of what was deleted', async () => {
  const push = (client: EntriesClient) => client.push([entry.raw], [], never)
  const verdict = { refs: [], database: 'd1', vouches: [], deletions: [tombstone] }
  const { answered } = await entries(push, { push: async () => verdict })
  expect(answered).toMatchInlineSnapshot(
    `"2c08011a2808011a2412026431221e08011205622e706e6718012902000068e5cf8b013201617080d095ffbc31"`
  )
})

test('entries: what is compared beyond a horizon', async () => {
  const before = { version: 0x018bcfe568000009n, pathHash: '01'.repeat(16) }
  const asked = async (client: EntriesClient) => {
    client.horizon = 300
    await client.tree([{ key: ROOT_KEY }], never)
    await client.pairs(ROOT_KEY, before, never)
    await client.range(ROOT_KEY, before, never)
    await client.status(never)
  }
  expect((await entries(asked)).asked).toMatchInlineSnapshot(
    `"1212100a0b0a0930303030303030303010ac022a1a280a093030303030303030301218018bcfe5680000090101010101010101010101010101010118ac022a22280a093030303030303030301218018bcfe5680000090101010101010101010101010101010118ac0205320308ac02"`
  )
})

test('entries: status of a node that has forgotten deletions', async () => {
  const about = { wantsFiles: 0, wantsBytes: 0, wantRanges: [] }
  const status = () => ({ root: EMPTY_NODE, ...about, horizon: 300 })
  const { answered } = await entries((client) => client.status(never), { status })
  expect(answered).toMatchInlineSnapshot(`"09080142050a0028ac02"`)
})

test('entries: history', async () => {
  const asking = (client: EntriesClient) => client.history(parsePath('a.png'), never)
  expect(await entries(asking)).toMatchInlineSnapshot(`
    {
      "answered": "ca0108015ac5010a5e08011205612e706e67222000000000000000000000000000000000000000000000000000000000000000002901000068e5cf8b0132016142100000000000000000000000000000000048e8075209696d6167652f706e677080d095ffbc3112630a5e08011205612e706e67222000000000000000000000000000000000000000000000000000000000000000002900000060e5cf8b0132016142100000000000000000000000000000000048e8075209696d6167652f706e677080d095ffbc3110ac02",
      "asked": "094a070a05612e706e67",
    }
  `)
})

test('entries: a refusal', async () => {
  const tree = (client: EntriesClient) => client.tree([{ key: 'x' }], never).catch(() => {})
  expect(await entries(tree)).toMatchInlineSnapshot(`
    {
      "answered": "210806121d6e6f206e6f6465206f66207468652074696d6520747265653a20227822",
      "asked": "0712050a030a0178",
    }
  `)
})

test('blobs: fetch', async () => {
  const items = [
    { hash: held, offset: 0 },
    { hash: held, offset: 1 },
    { hash: missing, offset: 300 }
  ]
  expect(
    await blobs((client) => client.fetch(items, async () => {}, never))
  ).toMatchInlineSnapshot(`
    {
      "answered": "040801180301020304080118020203190802121574686520616e73776572206973204d495353494e47",
      "asked": "730a710a220a20039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb810a240a20039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb8110010a250a20abababababababababababababababababababababababababababababababab10ac02",
    }
  `)
})

test('blobs: have', async () => {
  expect(await blobs((client) => client.have([missing, held], never))).toMatchInlineSnapshot(`
    {
      "answered": "050801220102",
      "asked": "4612440a20abababababababababababababababababababababababababababababababab0a20039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
    }
  `)
})

test('blobs: have, with more of it', async () => {
  const copy = async () => ({
    ...{ state: 'failed', lost: 'damaged', verifiedMs: 300, nextTryMs: 70_000 },
    ...{ ahead: 2, from: 'b', reason: 'no' }
  })
  const explain = (client: BlobsClient) => client.explain(held, never)
  expect(await blobs(explain, { copy })).toMatchInlineSnapshot(`
    {
      "answered": "2808012201013a210a066661696c656410ac0218f0a20420022a016232026e6f3a0764616d61676564",
      "asked": "2612240a20039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb811001",
    }
  `)
  // as a node answers that knows nothing of it
  expect((await blobs(explain)).answered).toMatchInlineSnapshot(`"050801220101"`)
})

test('blobs: held', async () => {
  expect(await blobs((client) => client.held(held, 300, never))).toMatchInlineSnapshot(`
    {
      "answered": "0408012801",
      "asked": "271a250a20039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb8110ac02",
    }
  `)
})

test('blobs: a refusal of the whole', async () => {
  expect(await blobs((client) => client.held(held, 60_001, never))).toMatchInlineSnapshot(`
    {
      "answered": "27080612216e6f626f6479207761697473206c6f6e676572207468616e203630303030206d733001",
      "asked": "281a260a20039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb8110e1d403",
    }
  `)
})

test('an invite', () => {
  // how tightly its lines are packed may change, and what was packed is read all the same
  const line =
    'tumesh-invite:285uxZEXrnLCkgv8awT41Q55zj4jkAXrzK1g1STxdt8cmzFRavpqPLDbmiJydh3XuKgb2agsa1rDJJ' +
    'rdZEY2aZLY6EmRWgu9yzucPcESzYQKrfFcYUo2q5aJq6AgppWearbsRD4VXPwtTrVX3zEKLqjdWYmiWDTxdD5FJEzB3yiwZ'
  const { secret, ...invite } = decodeInvite(line)
  expect(Buffer.from(secret).toString('hex')).toBe('07'.repeat(32))
  expect(invite).toEqual({
    cluster: 'photos',
    addresses: ['/ip4/10.0.0.1/tcp/4001/p2p/12D3KooWLqGkMSFLVVg5hs7mUsFwKXnP7SHpDtvcKHbSDiNSBHkk']
  })
})
