import { expect, test } from 'vitest'
import { GROUP_CALLS_MAX, GroupCommit } from '../../../src/store/commit.ts'
import type { SyncCalls } from '../../../src/store/sync-calls.ts'

/** Calls that end when the test says so. */
class HeldCalls implements SyncCalls {
  readonly log: string[] = []
  canSyncAll = true
  #gate = Promise.withResolvers<void>()

  file = (fd: number) => this.#call(`file ${fd}`)
  folder = (path: string) => this.#call(`folder ${path}`)

  async all(path: string): Promise<boolean> {
    if (!this.canSyncAll) return false
    await this.#call(`all ${path}`)
    return true
  }

  /** Lets everything that waits go on, as it would if the disk said `error`. */
  async release(error?: Error): Promise<void> {
    const gate = this.#gate
    this.#gate = Promise.withResolvers()
    if (error === undefined) gate.resolve()
    else gate.reject(error)
    await settle()
  }

  #call(what: string): Promise<void> {
    this.log.push(what)
    return this.#gate.promise
  }
}

/** Long enough for everything that needs no input or output. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

function make() {
  const calls = new HeldCalls()
  return { calls, commit: new GroupCommit(calls, { folder: '/data' }) }
}

const system = (code: string) => Object.assign(new Error(code), { code })

test('requests that come while a group is in flight form the next one, each thing once', async () => {
  const { calls, commit } = make()
  const done: string[] = []
  const ask = (name: string, files: number[], folders: string[]) =>
    commit.durable({ files, folders }).then(() => done.push(name))
  void ask('a', [1], ['/data/x'])
  await settle()
  expect(calls.log).toEqual(['file 1', 'folder /data/x'])
  void ask('b', [2], ['/data/x'])
  void ask('c', [3], ['/data/x'])
  await settle()
  expect(calls.log).toHaveLength(2)
  await calls.release()
  expect(done).toEqual(['a'])
  expect(calls.log.slice(2)).toEqual(['file 2', 'file 3', 'folder /data/x'])
  await calls.release()
  expect(done).toEqual(['a', 'b', 'c'])
})

test('those whom one group sets free come into the next together', async () => {
  const { calls, commit } = make()
  const publish = async (fd: number) => {
    await commit.durable({ files: [fd] })
    await commit.durable({ folders: ['/data/x'] })
  }
  const all = Promise.all([1, 2, 3].map(publish))
  await settle()
  await calls.release()
  await calls.release()
  await all
  expect(calls.log).toEqual(['file 1', 'file 2', 'file 3', 'folder /data/x'])
})

test('a large group is one flush of the file system', async () => {
  const { calls, commit } = make()
  const files = Array.from({ length: GROUP_CALLS_MAX }, (_, i) => i)
  const done = commit.durable({ files })
  await settle()
  expect(calls.log).toEqual(['all /data'])
  await calls.release()
  await done
})

test('a large group is made durable one by one where there is no such flush', async () => {
  const { calls, commit } = make()
  calls.canSyncAll = false
  const files = Array.from({ length: GROUP_CALLS_MAX }, (_, i) => i)
  const done = commit.durable({ files })
  await settle()
  expect(calls.log.length).toBeLessThan(GROUP_CALLS_MAX) // not all at once
  for (let n = 0; n < GROUP_CALLS_MAX; n++) await calls.release()
  await done
  expect(calls.log).toEqual(files.map((fd) => `file ${fd}`))
})

test('a fault stops every acknowledgement from then on', async () => {
  const { calls, commit } = make()
  const first = commit.durable({ files: [1] })
  await settle()
  const second = commit.durable({ files: [2] })
  const refusals = [first, second].map((one) =>
    expect(one).rejects.toMatchObject({ code: 'DISK_FAULT' })
  )
  await calls.release(system('EIO'))
  await Promise.all(refusals)
  expect(commit.failed).toMatchObject({ code: 'DISK_FAULT', details: { system: 'EIO' } })
  await expect(commit.durable({})).rejects.toBe(commit.failed)
  expect(calls.log).toEqual(['file 1'])
})

test('a flush of the file system that fails is a fault too', async () => {
  const { calls, commit } = make()
  const done = commit.durable({ files: Array.from({ length: GROUP_CALLS_MAX }, (_, i) => i) })
  const refused = expect(done).rejects.toMatchObject({ code: 'DISK_FAULT' })
  await settle()
  await calls.release(new Error('sync -f failed'))
  await refused
  expect(commit.failed).toBeDefined()
})

test.each([
  ['ENOSPC', 'DISK_FULL'],
  ['EMFILE', 'BUSY']
])('%s refuses this request only', async (code, expected) => {
  const { calls, commit } = make()
  const refused = expect(commit.durable({ files: [1] })).rejects.toMatchObject({ code: expected })
  await settle()
  await calls.release(system(code))
  await refused
  expect(commit.failed).toBeUndefined()
  const done = commit.durable({ files: [2] })
  await settle()
  await calls.release()
  await done
})

test('a folder that can not be opened refuses those who named it, and nobody else', async () => {
  const { calls, commit } = make()
  calls.folder = async (path) => {
    if (path === '/closed') throw Object.assign(system('EACCES'), { syscall: 'open' })
  }
  const closed = commit.durable({ folders: ['/open', '/closed'] })
  const open = commit.durable({ folders: ['/open'] })
  await expect(closed).rejects.toMatchObject({ code: 'DISK_FAULT' })
  await open
  expect(commit.failed).toBeUndefined()
})

test('the calls of a group have all ended when it fails', async () => {
  const slow = Promise.withResolvers<void>()
  const calls: SyncCalls = {
    file: (fd) => (fd === 1 ? Promise.reject(system('EIO')) : slow.promise),
    folder: async () => {},
    all: async () => false
  }
  let ended = false
  const done = new GroupCommit(calls, { folder: '/' }).durable({ files: [1, 2] }).catch(() => {
    ended = true
  })
  await settle()
  expect(ended).toBe(false)
  slow.resolve()
  await done
  expect(ended).toBe(true)
})
