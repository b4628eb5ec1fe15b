import { execFileSync, spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTestFolder, type TestFolder, testBytes } from '../../support/data-folder.ts'

const BYTES = 300_000
const SUPPORT = new URL('../../support/data-folder.ts', import.meta.url).href
/** A call that waits for a pipe stops its whole process. */
const STUCK_MS = 60_000

let on: TestFolder
let file: string
beforeEach(async () => {
  on = await makeTestFolder()
  file = join(on.folder.images, 'a.jpg')
  writeFileSync(file, testBytes(BYTES))
})
afterEach(() => on.remove())

test.each(['link', 'clone'])(
  'a %s waits for no pipe that has taken the place of the file',
  (by) => {
    const script = `
    const { makeTestFolder } = await import(${JSON.stringify(SUPPORT)})
    const on = await makeTestFolder(${JSON.stringify(on.folder.path)})
    const file = { path: process.argv[1], stamp: { size: ${BYTES}, ino: 1, mtimeMs: 1, ctimeMs: 1 } }
    const staged = await on.store().stageUncopied(file, { by: '${by}', bytesMax: 1e6 })
    console.log(staged === undefined, on.names('temp').length)`
    execFileSync('mkfifo', [`${file}.pipe`])
    renameSync(`${file}.pipe`, file)
    const args = ['--input-type=module', '--eval', script, file]
    const { stdout, stderr, error } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: STUCK_MS
    })
    expect([error, stderr, stdout]).toEqual([undefined, '', 'true 0\n'])
  }
)
