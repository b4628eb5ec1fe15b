// Who may come in by HTTP, and what is written down of them: the guard and what it needs.

import type { Config } from '../config/schema.ts'
import { createClamd } from './content/clamd.ts'
import { AuditLog, tellAudit } from './flows/audit.ts'
import { sealNoted } from './flows/keep-keys.ts'
import { resealHeard, resealKeys, sealedKeys } from './flows/keys.ts'
import type { FlowParts } from './flows/parts.ts'
import { VirusScanner } from './flows/scan-virus.ts'
import { createGuard, type Guard } from './http/guard.ts'
import { createKeyRing } from './http/key-ring.ts'
import type { HttpParts } from './http/ports.ts'
import { Sessions } from './http/sessions.ts'
import { readSocketTableSoon, readSocketTables } from './http/socket-tables.ts'
import { loadLocalKey, type MetadataFiles } from './metadata-files.ts'
import { createSeal, createSigningKeys } from './seal.ts'
import { RotatingFile } from './store/rotating-file.ts'

/** Undefined where none is to be asked. */
export function openScanner({ scan }: Config, flows: FlowParts): VirusScanner | undefined {
  const { clamd: address, timeoutMs } = scan
  if (address === undefined) return undefined
  const ask = createClamd(flows, { address, timeoutMs })
  return new VirusScanner({ ask, flows }, scan)
}

export interface Guarding extends Pick<HttpParts, 'audit' | 'sessions' | 'signingKeys' | 'seal'> {
  readonly guard: Guard
}

/** `cluster` has the secret of the mesh, as it is at each call. */
export async function openGuarding(
  { http, audit: options }: Config,
  flows: FlowParts,
  files: MetadataFiles,
  cluster: Parameters<typeof createSeal>[0]
): Promise<Guarding> {
  const seal = createSeal(cluster)
  // where the last run did not come to it
  await sealNoted(flows.index, seal)
  await resealKeys(flows.index, seal, await sealedKeys(flows.index, seal))
  resealHeard(flows, seal)
  const localKey = await loadLocalKey(files, flows.random)
  const signingKeys = createSigningKeys(seal, localKey)
  const sessions = new Sessions(flows)
  const keys = createKeyRing(flows.index, localKey, seal)
  const ownUid = process.getuid?.()
  const guard = createGuard(
    {
      ...flows,
      keys,
      readTables: readSocketTables,
      readTableSoon: readSocketTableSoon,
      ownUid,
      signingKeys,
      sessions
    },
    {
      publicRead: http.read,
      trustedProxies: http.trustedProxies,
      signedUrls: http.signedUrls
    }
  )
  const file = options.enabled ? new RotatingFile(files.audit, options) : undefined
  const audit = new AuditLog({ ...flows, file })
  tellAudit({ ...flows, audit })
  return { guard, audit, sessions, signingKeys, seal }
}
