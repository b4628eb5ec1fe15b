// Where the status of a node comes from: all its parts say what is wrong with them.

import { ADOPT_TASK, sayAdopting } from './adopt-folders.ts'
import type { TaskBoard } from './base/task-board.ts'
import type { Duties } from './duties.ts'
import type { FlowParts } from './flows/parts.ts'
import { sayQuarantined } from './flows/say-quarantined.ts'
import { sayWaiting } from './flows/say-waiting.ts'
import type { StatusSources } from './flows/status.ts'
import type { Mesh } from './mesh/mesh.ts'
import { saySecret } from './mesh/rotating.ts'
import type { DiskRoom } from './store/disk-room.ts'
import type { Folder } from './store/folder.ts'

export function statusSources({
  folder,
  flows,
  room,
  mesh,
  tasks,
  duties
}: {
  readonly folder: Folder
  readonly flows: FlowParts
  readonly room: DiskRoom
  readonly mesh: Mesh | undefined
  readonly tasks: TaskBoard
  readonly duties: Duties
}): StatusSources {
  return {
    flows,
    disk: () => {
      const space = room.status()
      return { ...space, inodesFree: space.inodesFree ?? 0 }
    },
    quarantinedFiles: () => duties.quarantined().files,
    folderPresent: folder.markerPresent,
    meshTroubles: () => mesh?.status.troubles() ?? [],
    notes: () =>
      [
        sayWaiting(duties.waiting(), mesh?.servers() ?? [], flows.clock.now()),
        saySecret(mesh?.secretState()),
        sayQuarantined(duties.quarantined()),
        sayAdopting(tasks.runningOf(ADOPT_TASK))
      ].filter((note) => note !== undefined)
  }
}
