// Every route of the node.

import type { Metrics } from './metrics.ts'
import type { ApiOptions, HttpParts } from './ports.ts'
import type { Route } from './route.ts'
import { adoptRoutes } from './routes/adopt.ts'
import { auditRoutes } from './routes/audit.ts'
import { awayRoutes } from './routes/away.ts'
import { backupRoutes } from './routes/backup.ts'
import { blockRoutes } from './routes/blocks.ts'
import { brakeRoutes } from './routes/brakes.ts'
import { changeImageRoutes } from './routes/change-image.ts'
import { copiesRoutes } from './routes/copies.ts'
import { deleteImagesRoutes } from './routes/delete-images.ts'
import { drainRoutes } from './routes/drain.ts'
import { eventRoutes } from './routes/events.ts'
import { fileRoutes } from './routes/file.ts'
import { filesRoutes } from './routes/files.ts'
import { forceSyncRoutes } from './routes/force-sync.ts'
import { galleryRoutes } from './routes/gallery.ts'
import { inviteRoutes } from './routes/invite.ts'
import { keyRoutes } from './routes/keys.ts'
import { limitRoutes } from './routes/limits.ts'
import { type LoginParts, loginRoutes } from './routes/login.ts'
import { operationRoutes } from './routes/operations.ts'
import { peerRoutes } from './routes/peers.ts'
import { putImageRoutes } from './routes/put-image.ts'
import { reviewRoutes } from './routes/review.ts'
import { sampleRoutes } from './routes/samples.ts'
import { secretRoutes } from './routes/secret.ts'
import { settingsRoutes } from './routes/settings.ts'
import { signRoutes } from './routes/sign.ts'
import { storageStatusRoutes } from './routes/storage-status.ts'
import { syncStatusRoutes } from './routes/sync-status.ts'
import { taskRoutes } from './routes/tasks.ts'
import { thumbnailRoutes } from './routes/thumbnails.ts'
import { trashRoutes } from './routes/trash.ts'
import { uploadRoutes } from './routes/upload.ts'
import { verifyRoutes } from './routes/verify.ts'
import type { Samples } from './samples.ts'
import { UploadGate } from './upload-gate.ts'

/** `imageReads` are the routes that the server answers by itself where it can. */
export function createRouteTable(
  parts: HttpParts & LoginParts & { readonly metrics: Metrics; readonly samples: Samples },
  options: ApiOptions,
  imageReads: readonly Route[]
): readonly Route[] {
  const gate = new UploadGate(parts, options.uploadsMax)
  const table: readonly Route[] = [
    ...storageStatusRoutes(parts, options),
    ...forceSyncRoutes(parts, options),
    ...syncStatusRoutes(parts, options),
    ...filesRoutes(parts, options),
    ...verifyRoutes(parts, options),
    ...taskRoutes(parts, options),
    ...uploadRoutes(parts, options, gate),
    ...imageReads,
    ...thumbnailRoutes(parts, options),
    ...putImageRoutes(parts, options, gate),
    ...fileRoutes(parts, options),
    ...copiesRoutes(parts),
    ...changeImageRoutes(parts, options),
    ...galleryRoutes(parts, options),
    ...deleteImagesRoutes(parts, options),
    ...reviewRoutes(parts),
    ...blockRoutes(parts),
    ...trashRoutes(parts, options),
    ...brakeRoutes(parts),
    ...adoptRoutes(parts),
    ...backupRoutes(parts),
    ...drainRoutes(parts, () => gate.running),
    ...awayRoutes(parts),
    ...limitRoutes(parts),
    ...eventRoutes(parts),
    ...sampleRoutes(parts),
    ...settingsRoutes(parts),
    ...keyRoutes(parts),
    ...loginRoutes(parts),
    ...auditRoutes(parts),
    ...signRoutes(parts, options),
    ...peerRoutes(parts),
    ...inviteRoutes(parts),
    ...secretRoutes(parts),
    ...operationRoutes(parts, () => table)
  ]
  return table
}
