import { hash as digest } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { NodeError } from '../../../src/base/errors.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { BreakableLevel } from '../../support/breakable-level.ts'
import { settled } from '../../support/microtasks.ts'
import { openIndexOver } from '../../support/open-index.ts'

let level: BreakableLevel
let index: ImageIndex
beforeEach(async () => {
  level = new BreakableLevel()
  await level.open()
  index = (await openIndexOver(level.database)).index
})

function put(name: string) {
  const path = parsePath(`${name}.jpg`)
  return index.change((tx) =>
    tx.putImage({
      path,
      hash: digest('sha256', name) as ContentHash,
      md5: digest('md5', name) as Md5,
      bytes: name.length,
      mediaType: 'image/jpeg',
      createdMs: 0
    })
  )
}

const outcomes = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((one) => (one.status === 'fulfilled' ? 'written' : one.reason.code))

describe('a batch that can not be written', () => {
  test.each([
    ['IO error: /index/000003.log: No space left on device', 'DISK_FULL'],
    ['IO error: /index/000003.log: Disk quota exceeded', 'DISK_FULL'],
    ['IO error: /index/000003.log: Input/output error', 'DISK_FAULT']
  ])('%s is %s for all in it', async (message, code) => {
    level.failNext(new Error(message))
    const results = await Promise.allSettled([put('a'), put('b')])
    expect(outcomes(results)).toEqual([code, code])
    expect(index.fault).toMatchObject({ code })
    expect(index.image(parsePath('a.jpg'))).toBeUndefined()
  })

  // The database's log is broken in the middle then: what is written after that is not found again.
  test('is the last one: those who waited behind it are refused too', async () => {
    const writing = level.failNext(new Error('No space left on device'))
    const first = put('a')
    await writing
    const waiting = put('b')
    const results = await Promise.allSettled([first, waiting])
    expect(outcomes(results)).toEqual(['DISK_FULL', 'DISK_FULL'])
    await expect(put('c')).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(level.batchesWritten).toBe(1) // the one that made the index
  })
})

test('nothing is written in a folder that is not the one that was opened', async () => {
  let isThere = true
  const parts = {
    requireWritable() {
      if (!isThere) throw new NodeError('READ_ONLY', 'The marker is gone.')
    }
  }
  index = (await openIndexOver(level.database, { parts })).index
  isThere = false
  await expect(put('a')).rejects.toMatchObject({ code: 'READ_ONLY' })
  isThere = true
  await put('a')
})

describe('an index that is opened anew', () => {
  test('takes changes again after a full disk, and has all that was written', async () => {
    await put('a')
    level.failNext(new Error('No space left on device'))
    await expect(put('b')).rejects.toMatchObject({ code: 'DISK_FULL' })
    await index.upkeep.reopen()
    expect(index.fault).toBeUndefined()
    await put('c')
    const paths = await Array.fromAsync(index.list(), ({ path }) => path)
    expect(paths).toEqual(['a.jpg', 'c.jpg'])
  })

  test('shows what failed and is there all the same, as another revision', async () => {
    level.failNext(new Error('No space left on device'), { isWritten: true })
    await expect(put('a')).rejects.toMatchObject({ code: 'DISK_FULL' })
    const { revision } = index
    expect(index.counts().images).toBe(0)
    await index.upkeep.reopen()
    expect(index.counts().images).toBe(1)
    expect(index.revision).not.toBe(revision)
  })

  test('stays refused when it can not be opened, and can be tried again', async () => {
    level.failNext(new Error('No space left on device'))
    await expect(put('b')).rejects.toMatchObject({ code: 'DISK_FULL' })
    level.failOpen(new Error('No space left on device'))
    await expect(index.upkeep.reopen()).rejects.toThrow()
    await expect(put('c')).rejects.toMatchObject({ code: 'DISK_FULL' })
    await index.upkeep.reopen()
    await put('c')
  })

  test('a failing disk is not tried again: nobody knows what it lost', async () => {
    level.failNext(new Error('Input/output error'))
    await expect(put('a')).rejects.toMatchObject({ code: 'DISK_FAULT' })
    await index.upkeep.reopen()
    await expect(put('b')).rejects.toMatchObject({ code: 'DISK_FAULT' })
  })
})

describe('while the database is opened anew', () => {
  test('who reads can wait for it, also when it fails', async () => {
    level.failNext(new Error('No space left on device'))
    await expect(put('a')).rejects.toMatchObject({ code: 'DISK_FULL' })
    level.failOpen(new Error('No space left on device'))
    const failing = index.upkeep.reopen()
    const waiting = index.upkeep.reopening
    await expect(failing).rejects.toThrow()
    await waiting
    expect(index.upkeep.reopening).toBeUndefined()
    const opening = index.upkeep.reopen()
    await index.upkeep.reopening
    expect(index.counts().images).toBe(0)
    await opening
  })

  test('only damage is mended', async () => {
    expect(index.upkeep.noteFailure(new Error('Input/output error'))).toBe(false)
    expect(index.fault).toBeUndefined()
    expect(index.upkeep.noteFailure(new Error('Corruption: bad block'))).toBe(true)
    expect(index.fault).toMatchObject({ code: 'DISK_FAULT' })
    await expect(put('a')).rejects.toMatchObject({ code: 'DISK_FAULT' })
    expect(await index.upkeep.mend(), 'there is no way').toBe(false)
  })
})

describe('while a batch is being written', () => {
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    level.pause = () => promise
    return () => {
      level.pause = async () => {}
      resolve()
    }
  }

  test('the next changes are planned on top of it, and share a batch', async () => {
    const before = level.batchesWritten
    const release = hold()
    const first = put('a')
    await settled()
    const seen: unknown[] = []
    const look = (name: string) =>
      index.change((tx) => {
        seen.push(tx.get(parsePath(`${name}.jpg`))?.path)
        tx.setMeta(name, 'looked')
      })
    const [second, third] = [look('a'), look('b')]
    await settled()
    expect(seen).toEqual(['a.jpg', undefined])
    expect(index.image(parsePath('a.jpg'))).toBeUndefined() // others see what is written
    release()
    await Promise.all([first, second, third])
    expect(level.batchesWritten - before).toBe(2)
    expect([index.meta('a'), index.meta('b')]).toEqual(['looked', 'looked'])
  })

  test('nothing that lies on it is acknowledged before it', async () => {
    const release = hold()
    const ended: string[] = []
    const first = put('a').then(() => ended.push('a'))
    await settled()
    const second = put('b').then(() => ended.push('b'))
    await settled()
    expect(ended).toEqual([])
    release()
    await Promise.all([first, second])
    expect(ended).toEqual(['a', 'b'])
    expect(index.counts()).toMatchObject({ images: 2, wants: 2 })
  })
})
