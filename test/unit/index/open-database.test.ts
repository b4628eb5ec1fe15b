import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../../src/index/open-database.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

let root: ReturnType<typeof temporaryFolder>
let folder: string
beforeEach(() => {
  root = temporaryFolder()
  folder = join(root.path, 'index')
})
afterEach(() => root.remove())

test('a folder is open once, and again when it was closed, also after it was opened anew', async () => {
  const database = await openDatabase(folder)
  await expect(openDatabase(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  await database.close()
  await database.open()
  await expect(openDatabase(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  await database.close()
  await (await openDatabase(folder)).close()
})

test('an index that can not be put together anew is told with what to do', async () => {
  await (await openDatabase(folder)).close()
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  mkdirSync(join(folder, 'CURRENT'))
  for (let n = 0; n < 2; n++) {
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'DISK_FAULT',
      message: expect.stringMatching(/could not be opened: .*\. .*move its folder away/)
    })
  }
})
