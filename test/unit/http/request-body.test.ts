import { expect, test } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import { takingRoom } from '../../../src/http/request-body.ts'

test('a body of any length is read only while there is room for it', async () => {
  let room = 10
  const take = (bytes: number) => {
    if (bytes > room) throw new NodeError('DISK_FULL', 'The disk is full.')
    room -= bytes
  }
  let ended = false
  async function* endless() {
    try {
      for (;;) yield new Uint8Array(4)
    } finally {
      ended = true
    }
  }
  const pieces: Uint8Array[] = []
  const reading = (async () => {
    for await (const piece of takingRoom({ take }, endless())) pieces.push(piece)
  })()
  await expect(reading).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect([pieces.length, ended]).toEqual([2, true])
})
