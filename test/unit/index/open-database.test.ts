import { writeFileSync } from 'node:fs'
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

test('a damaged index is told with what to do, and can be tried again', async () => {
  await (await openDatabase(folder)).close()
  writeFileSync(join(folder, 'CURRENT'), 'garbage')
  for (let n = 0; n < 2; n++) {
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'DISK_FAULT',
      message: expect.stringMatching(/could not be opened: Corruption: .*\. .*move its folder away/)
    })
  }
})
