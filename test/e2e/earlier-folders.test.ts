// Data folders that earlier programs have written: all of them open, with all that they hold, for
// ever. test/fixtures/make-data-folder.ts made them.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { INDEX_FORMAT } from '../../src/index/open-index.ts'
import { md5, sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, postJson, put, send } from '../support/http-client.ts'
import { Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const FOLDERS = fileURLToPath(new URL('../fixtures/data-folders/', import.meta.url))
const names = readdirSync(FOLDERS).flatMap((file) => /^(.+)\.tar\.gz$/.exec(file)?.[1] ?? [])

interface Told {
  readonly peer_id: string
  readonly deleted: readonly string[]
  readonly files: readonly (Record<string, unknown> & {
    readonly path: string
    readonly size: number
    readonly hash: string
    readonly sha256: string
    readonly history: readonly { at: string; event: string; of: string | null }[]
  })[]
}

let bench: Workbench
beforeEach(() => {
  bench = new Workbench()
})
afterEach(() => bench.cleanUp())

test('there is one of the present format', () => {
  const how = 'node test/fixtures/make-data-folder.ts'
  expect(names, how).toContain(`index-${INDEX_FORMAT}`)
})

// what is in the trash is as old as the folder
const env = { TUMESH_FILE_STORAGE_TRASH_KEEP: '3650d' }

test.each(names)('%s', { timeout: 60_000 }, async (name) => {
  const told = JSON.parse(readFileSync(`${FOLDERS}${name}.json`, 'utf8')) as Told
  execFileSync('tar', ['-C', bench.folder, '-xzf', `${FOLDERS}${name}.tar.gz`, '--no-same-owner'])
  let node = await bench.start('data', { env })
  await expectAsTold(node.url, told)
  const { body: report } = await postJson(`${node.url}${API}/verify`, {})
  expect(report).toMatchObject({ valid_files: told.files.length, total_files: told.files.length })
  await node.end('SIGKILL')

  node = await bench.start('data', { env })
  await expectAsTold(node.url, told)
  expect((await postJson(`${node.url}/api/restore`, { path: 'deleted.svg' })).status).toBe(200)
  expect((await bytesAt(`${node.url}/images/deleted.svg`)).bytes.toString()).toContain('"deleted"')
  const image = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" id="new"/>')
  expect((await put(node.url, 'replaced.svg', image)).status).toBe(201)
  expect((await bytesAt(`${node.url}/images/replaced.svg`)).bytes.equals(image)).toBe(true)
  expect((await send(`${node.url}/images/photo.jpg`, { method: 'DELETE' })).status).toBe(200)
  await node.end('SIGTERM')
})

async function expectAsTold(url: string, { peer_id, deleted, files }: Told): Promise<void> {
  const status = async () => (await send(`${url}/api/storage-status`)).body
  expect((await status()).node.peer_id).toBe(peer_id)
  const { body } = await send(`${url}${API}/files`)
  const listed = body.files.map(({ path }: { path: string }) => path).sort()
  expect(listed).toEqual(files.map(({ path }) => path).sort())
  for (const { history, ...facts } of files) {
    const { body: now } = await send(`${url}${API}/file/${encodeURI(facts.path)}`)
    expect(now).toMatchObject(facts)
    const past = now.history.map(({ at, event, sha256: of }: Record<string, unknown>) => ({
      ...{ at, event, of }
    }))
    expect(past.slice(0, history.length)).toEqual(history)
    const { status: code, bytes } = await bytesAt(`${url}/images/${encodeURI(facts.path)}`)
    const found = [code, bytes.length, md5(bytes), sha256(bytes)]
    expect([facts.path, ...found]).toEqual([facts.path, 200, facts.size, facts.hash, facts.sha256])
  }
  for (const path of deleted) {
    expect([path, (await send(`${url}/images/${path}`)).status]).toEqual([path, 410])
  }
  await eventually(async () => {
    expect(await status()).toMatchObject({
      ...{ status: 'healthy', status_reasons: [], quarantined_files: 0 },
      ...{ total_files: files.length, local_files: files.length, deleted_files: deleted.length }
    })
  })
}
