// What lies on the disk and a person, another program or the disk itself may have changed:
// configuration, lists, rows of the index, backups, and the records that members write.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../../config/config-file.ts'
import { readEnvironment } from '../../../config/environment.ts'
import { configSchema } from '../../../config/schema.ts'
import { badConfig } from '../../../config/settings.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { AuditLog } from '../../../src/flows/audit.ts'
import { restoreBackup } from '../../../src/flows/backup.ts'
import { Blocks } from '../../../src/flows/blocks.ts'
import { readJoinList, targetKind } from '../../../src/flows/join-targets.ts'
import { JOURNAL_LINES_MAX, Journal } from '../../../src/flows/journal.ts'
import { findKey, listKeys } from '../../../src/flows/keys.ts'
import { readLegacyIndex } from '../../../src/flows/legacy-index.ts'
import { readMember } from '../../../src/flows/members.ts'
import { BLOB_ENCODING } from '../../../src/index/blob-encoding.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { readEntry, readEntryKey, readPast } from '../../../src/index/read-entry.ts'
import { NODE_ENCODING } from '../../../src/index/time-tree.ts'
import { VERSION_ENCODING } from '../../../src/index/version-encoding.ts'
import { readClusterText } from '../../../src/mesh/cluster.ts'
import { resolveTarget } from '../../../src/mesh/resolve-target.ts'
import { RememberedFolders } from '../../../src/store/remembered-folders.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { openMemoryNode } from '../../support/memory-node.ts'
import { never } from '../../support/serve-pair.ts'
import { must, type Opened, only, type Target } from '../target.ts'

function runConfig(input: Buffer): void {
  const { settings, faults } = parseConfig(input.toString(), 'tumesh.yaml')
  const tree: Record<string, Record<string, unknown> | unknown> = {}
  for (const { key, value } of settings) {
    const [section = '', name] = key.split('.')
    if (name === undefined) tree[section] = value
    else tree[section] = { ...(tree[section] as object | undefined), [name]: value }
  }
  const { error } = configSchema.safeParse(tree)
  const issues = error?.issues.map(({ message }) => message) ?? []
  must(badConfig([...faults, ...issues, 'x']).message.length < 100_000, 'faults are bounded')
}

function runEnvironment(input: Buffer): void {
  const pairs = input.toString().split('\n')
  const named = pairs.map((pair) => pair.split('=', 2) as [string, string?])
  const { settings } = readEnvironment(Object.fromEntries(named))
  must(settings.length <= named.length, 'a variable is one setting')
}

/** For readers of files: what is read is written before. */
function fromFile(run: (file: string, folder: string) => unknown, name: string): () => Opened {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'tumesh-fuzz-'))
    return {
      run(input) {
        writeFileSync(join(folder, name), input)
        return run(join(folder, name), folder)
      },
      close: () => rmSync(folder, { recursive: true })
    }
  }
}

function runJoinList(file: string): void {
  const targets = readJoinList(file)
  must(targets.length <= 64, 'the list is bounded')
  for (const target of targets) only([NodeError], () => targetKind(target))
}

function runFolders(_: string, stateDir: string): void {
  const known = new RememberedFolders({ log: silentLog }, { stateDir })
  must(['undefined', 'string'].includes(typeof known.idOf('/data')), 'an id is text')
}

function runCluster(input: Buffer): void {
  const { name, secret, decidedMs, former } = readClusterText(input.toString(), 'cluster.json')
  must(/^[A-Za-z0-9._-]{1,63}$/.test(name), 'the name of a cluster is one')
  must(secret?.byteLength === 32, 'a secret has 32 bytes')
  must(former === undefined || former.secret.byteLength === 32, 'so has the one of before')
  must(Number.isSafeInteger(decidedMs) && decidedMs >= 0, 'a time is one')
}

function runJournal(input: Buffer): void {
  const parts = { clock: new ManualClock(), log: silentLog, write: async () => {} }
  const { lines } = new Journal(parts, input.toString())
  must(lines.length <= JOURNAL_LINES_MAX, 'the journal is bounded')
}

async function runAudit(input: Buffer): Promise<void> {
  const file = {
    append: async () => {},
    texts: () => [input.toString()],
    close: async () => {}
  }
  const audit = new AuditLog({ clock: new ManualClock(), log: silentLog, file })
  for await (const { at, action } of audit.lines()) {
    must(typeof at === 'string' && typeof action === 'string', 'a line is one')
  }
}

function runRows(input: Buffer): void {
  for (const { decode } of [BLOB_ENCODING, NODE_ENCODING, VERSION_ENCODING]) {
    only([Error], () => decode(input)) // the readers of the database take any error for damage
  }
  readEntry(input)
  readPast(input)
  only([Error], () => readEntryKey(VERSION_ENCODING.decode(input)))
}

const SEAL = Object.assign(() => '0'.repeat(64), { former: () => '1'.repeat(64) })
const KEY = `tumesh_${'ab'.repeat(6)}_${'x'.repeat(43)}`

async function runRecords(input: Buffer): Promise<void> {
  const member = readMember('12D3KooWabc', input)
  must((member?.addresses.length ?? 0) <= 16, 'addresses are bounded')
  must(!/[\n\0]/.test(member?.name ?? ''), 'a name is one line')
  const isRecordKnown = () => false
  const index = {
    record: () => input,
    meta: () => undefined,
    isRecordKnown
  } as unknown as ImageIndex
  const found = findKey(index, KEY, SEAL)
  must(found === undefined, 'nobody has the key')
  const listed = (name: string) => {
    const records = async function* () {
      yield { name, value: input, version: 1n, writer: 'w' }
    }
    const meta = () => undefined
    return { records, meta, isRecordKnown, onNews: () => {} } as unknown as ImageIndex
  }
  for (const { createdMs } of await listKeys(listed(`key/${'ab'.repeat(6)}`))) {
    must(!Number.isNaN(new Date(createdMs).getTime()), 'a key has a date')
  }
  const blocks = await Blocks.open({
    ...{ index: listed(`block/${'ab'.repeat(32)}`), log: silentLog, clock: new ManualClock() },
    brakes: { engaged: () => undefined, requireChanges: () => {}, onRelease: () => {} }
  })
  for (const { reason, createdMs } of blocks.all()) {
    must(reason.length <= 500 && !Number.isNaN(new Date(createdMs).getTime()), 'a block is bounded')
  }
}

async function openBackup(): Promise<Opened> {
  const node = await openMemoryNode()
  return {
    inputsMax: 300,
    run: (input) => {
      const lines = (async function* () {
        yield* input.toString().split('\n')
      })()
      return only([NodeError], () => restoreBackup(node.flows, lines, never))
    },
    close: () => node.close()
  }
}

function runStatus(input: Buffer): Promise<unknown> {
  const parts = {
    clock: new ManualClock(),
    fetch: async () => new Response(new Uint8Array(input))
  }
  return resolveTarget(parts, 'http://10.0.0.1:8000', 'default', never).then(({ addresses }) =>
    must(addresses.length > 0 && addresses.length <= 24, 'addresses to dial')
  )
}

export const FILE_TARGETS: readonly Target[] = [
  {
    name: 'config',
    shape: 'text',
    words: ['&a', '*a', '<<: *a', '!!binary', '? ', '- ', '|', '>', '"', '---\n', '%YAML 1.1\n'],
    open: () => ({ run: runConfig })
  },
  {
    name: 'environment',
    shape: 'text',
    words: ['TUMESH_HTTP_PORT=', 'TUMESH_NAME=', '\nTUMESH_'],
    open: () => ({ run: (input) => only([NodeError], () => runEnvironment(input)) })
  },
  { name: 'join-list', shape: 'json', open: fromFile(runJoinList, 'join.json') },
  { name: 'known-folders', shape: 'json', open: fromFile(runFolders, 'folders.json') },
  {
    name: 'cluster',
    shape: 'json',
    open: () => ({ run: (input) => only([NodeError], () => runCluster(input)) })
  },
  { name: 'journal', shape: 'json', open: () => ({ run: runJournal }) },
  { name: 'audit', shape: 'text', open: () => ({ run: runAudit }) },
  {
    name: 'legacy-index',
    shape: 'json',
    words: ['files', 'path', 'filename', 'hash', 'created_at', 'source_url', '__proto__'],
    open: () => ({
      run: (input) => only([SyntaxError], () => readLegacyIndex(input.toString()))
    })
  },
  { name: 'rows', shape: 'bytes', open: () => ({ run: runRows }) },
  {
    name: 'records',
    shape: 'json',
    words: ['name', 'addresses', 'digest', 'scopes', 'seal', 'reason', 'createdMs'],
    open: () => ({ run: runRecords })
  },
  { name: 'backup', shape: 'text', bytesMax: 20_000, open: openBackup },
  {
    name: 'status-answer',
    shape: 'json',
    open: () => ({ run: (input) => only([NodeError], () => runStatus(input)) })
  }
]
