// A file that somebody wrote and that the disk can't read: it is left where it is and said, and all
// others are taken in. Also on a file system that clones, where the blob shares its sectors.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { noiseBytes } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { type FileSystem, FragileDisk, fragileDiskObstacle } from '../support/fragile-disk.ts'
import { bytesAt, postJson, send } from '../support/http-client.ts'
import { Workbench } from '../support/real-node.ts'

/** So large that they are cloned where that can be. */
const BYTES = 1_500_000
const FILES = 5
const UNREADABLE = 2
const WAIT = { withinMs: 30_000 }
/** Long ago: younger files may still be written to. */
const MTIME_S = 1_600_000_000

let bench: Workbench | undefined
let disk: FragileDisk | undefined
afterEach(async () => {
  await bench?.killAll()
  await disk?.remove()
  await bench?.cleanUp()
  bench = disk = undefined
})

/** No memory has its bytes after that. */
function writeOut(file: string, bytes: Uint8Array): void {
  writeFileSync(file, bytes)
  utimesSync(file, MTIME_S, MTIME_S)
  const forget = [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']
  execFileSync('dd', ['if=/dev/null', ...forget], { stdio: 'ignore' })
}

test.for<FileSystem>(['ext4', 'xfs'])(
  'one file that %s can not read keeps no other out',
  { timeout: 120_000 },
  async (fileSystem, context) => {
    const obstacle = fragileDiskObstacle(fileSystem)
    context.skip(obstacle !== undefined, obstacle)
    bench = new Workbench()
    disk = await FragileDisk.make(bench.path('disk'), { fileSystem })
    const data = join(disk.folder, 'data')
    const folders = { found: join(data, 'images'), linked: join(disk.folder, 'outside') }
    for (const [name, folder] of Object.entries(folders)) {
      mkdirSync(folder, { recursive: true })
      for (let n = 0; n < FILES; n++) {
        const bytes = noiseBytes(BYTES, FILES * name.length + n)
        writeOut(join(folder, `${name}-${n}.jpg`), bytes)
        if (n === UNREADABLE) await disk.spoil(bytes)
      }
    }
    const node = await bench.start('a', { flags: ['--data', data] })
    const expected = Array.from({ length: FILES }, (_, n) => (n === UNREADABLE ? 404 : 200))
    const answers = (name: string) =>
      Promise.all(expected.map((_, n) => statusAt(`${node.url}/images/${name}-${n}.jpg`)))
    await eventually(async () => expect(await answers('found')).toEqual(expected), WAIT)
    expect(existsSync(join(folders.found, `found-${UNREADABLE}.jpg`))).toBe(true)
    await eventually(() => expect(node.stdout + node.stderr).toContain("can't be read (EIO)"), WAIT)

    const order = { folders: [folders.linked], link: true }
    const { body: begun } = await postJson(`${node.url}/api/adopt`, order)
    const task = `${node.url}/file-sync/api/file-sync/tasks/${begun.task_id}`
    await eventually(
      async () =>
        expect((await send(task)).body).toMatchObject({
          status: 'completed',
          result: { new: FILES - 1, refused: 1 }
        }),
      WAIT
    )
    expect(await answers('linked')).toEqual(expected)
    const refused = readFileSync(join(data, 'metadata/adopt_refused.txt'), 'utf8')
    expect(refused).toMatch(/linked-2\.jpg.*can't be read \(EIO\)/)
  }
)

async function statusAt(url: string): Promise<number> {
  return (await bytesAt(url)).status
}
