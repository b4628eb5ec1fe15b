import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LogFile, type LostLines } from '../../../src/store/log-file.ts'

/** One end for both: what is written is there to be read, and there is room for so much only. */
function openPipe(): number {
  const folder = mkdtempSync(join(tmpdir(), 'tumesh-log-'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const fd = openSync(join(folder, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK)
  onTestFinished(() => {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })
  return fd
}

function fill(fd: number): void {
  for (const bytes of [4096, 1]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(bytes, 'x'))
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' })
    }
  }
}

function drain(fd: number): string {
  const buffer = Buffer.alloc(2 ** 20)
  return buffer.toString('utf8', 0, readSync(fd, buffer))
}

test('lines for which there is no room are left out, counted, and told of when there is', () => {
  const fd = openPipe()
  const file = new LogFile(fd)
  const lost: LostLines[] = []
  file.onLost((one) => lost.push(one))
  file.write('first\n')
  expect(drain(fd)).toBe('first\n')
  fill(fd)
  file.write('second\n')
  file.write('third\n')
  expect(lost).toEqual([])
  expect(drain(fd)).toMatch(/^x+$/)
  file.write('fourth\n')
  file.write('fifth\n')
  expect(drain(fd)).toBe('fourth\nfifth\n')
  expect(lost).toEqual([{ lines: 2, system: 'EAGAIN' }])
})

test('a line after one that was written in part is a line of its own', () => {
  const fd = openPipe()
  const file = new LogFile(fd)
  file.write(`${'y'.repeat(2 ** 20)}\n`) // more than the pipe holds
  expect(drain(fd)).toMatch(/^y+$/)
  file.write('next\n')
  expect(drain(fd)).toBe('\nnext\n')
})

test('whoever reads them is waited for, and nobody a second time who reads no more', () => {
  const fd = openPipe()
  let pauses = 0
  let isRead = true
  const file = new LogFile(fd, () => {
    pauses++
    if (isRead) drain(fd)
  })
  const lost: LostLines[] = []
  file.onLost((one) => lost.push(one))
  fill(fd)
  file.write('first\n')
  expect(drain(fd).slice(0, 20)).toBe('first\n')
  isRead = false
  fill(fd)
  for (let n = 0; n < 100; n++) file.write('second\n')
  expect(drain(fd)).toMatch(/^x+$/)
  file.write('third\n')
  expect(lost).toMatchObject([{ lines: 100 }])
  expect(pauses).toBeLessThan(100)
})
