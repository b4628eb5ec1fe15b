// What is well with a node and its machine and what is not, each with what to do about it.

import { formatSize } from '../base/units.ts'
import { mdnsRouteFault } from '../network/multicast-route.ts'
import type { Machine } from './machine.ts'

export interface Finding {
  readonly state: 'ok' | 'warn' | 'bad'
  readonly what: string
  /** What to do, where it is not well. */
  readonly advice?: string
}

/** What the node says of itself, as GET /api/storage-status has it. */
export interface Storage {
  readonly status: string
  readonly status_reasons: readonly string[]
  readonly disk: {
    readonly total: number
    readonly free: number
    readonly reserved: number
    /** Null where files are not counted. */
    readonly inodes_total: number | null
    readonly inodes_free: number
    readonly state: string
  }
  /** Undefined where it stands alone, as `file_sync.enabled` says. */
  readonly servers?: readonly {
    readonly name: string
    readonly status: string
    readonly clock_offset_ms: number | null
    readonly last_error: string | null
  }[]
  readonly node: {
    readonly name: string
    readonly version: string
    readonly pid: number
    readonly addresses: readonly string[]
  }
}

const NODE_MAJOR_MIN = 24
const CLOCK_OFFSET_MS_MAX = 5000
/** One for each connection and for each image that is being read. */
const OPEN_FILES_MIN = 8192
/** One for each folder below images/. */
const WATCHES_MIN = 65_536
/** Below it the system begins to take memory from programs that need it. */
const MEMORY_FREE_MIN = 300_000_000
const INODES_FREE_MIN = 100_000
const REMOTE_FILE_SYSTEMS = /^(nfs\d?|cifs|smb3|9p|fuse\..*|ceph|glusterfs)$/

/** `machine` is undefined for a node on another machine. */
export function planDoctor(
  storage: Storage,
  machine: Machine | undefined,
  programVersion: string
): Finding[] {
  return [
    health(storage),
    version(storage, programVersion),
    ...addresses(storage),
    ...disk(storage),
    ...servers(storage),
    ...(machine === undefined ? [] : machineFindings(machine))
  ]
}

function health({ node, status, status_reasons: reasons }: Storage): Finding {
  if (status === 'healthy') return { state: 'ok', what: `${node.name} is healthy` }
  const state = status === 'degraded' ? 'warn' : 'bad'
  return { state, what: `${node.name} is ${status}`, advice: reasons.join(' ') }
}

function version({ node }: Storage, programVersion: string): Finding {
  const what = `it runs version ${node.version}`
  if (node.version === programVersion) return { state: 'ok', what }
  const advice = `This command is of version ${programVersion}: start the node anew to update it.`
  return { state: 'warn', what, advice }
}

function addresses({ node, servers }: Storage): Finding[] {
  if (servers === undefined) return []
  const far = node.addresses.filter((address) => !/\/(127\.|::1\/)/.test(address))
  if (far.length > 0) return [{ state: 'ok', what: `other nodes reach it at ${far[0]}` }]
  const advice = 'It listens on this machine only: set p2p.host to an address of its network.'
  return [{ state: 'warn', what: 'no other machine can reach it', advice }]
}

function disk({ disk }: Storage): Finding[] {
  const { total, free, reserved, inodes_total, inodes_free, state } = disk
  const what = `${formatSize(free)} of ${formatSize(total)} are free on its disk`
  const room =
    state === 'ok'
      ? ({ state: 'ok', what } as const)
      : {
          state: state === 'full' ? ('bad' as const) : ('warn' as const),
          what: `${what}, ${formatSize(reserved)} are kept in reserve`,
          advice: 'Make room: images are taken again by themselves then.'
        }
  if (inodes_total === null || inodes_free >= INODES_FREE_MIN) return [room]
  const files = `its disk can take ${inodes_free.toLocaleString('en-US')} more files`
  return [room, { state: 'warn', what: files, advice: 'Remove small files that are not needed.' }]
}

function servers({ servers: all }: Storage): Finding[] {
  if (all === undefined) {
    return [{ state: 'ok', what: 'it stands alone, as file_sync.enabled says' }]
  }
  if (all.length === 0) {
    const advice = 'Images are on this machine alone. Start a node on another one.'
    return [{ state: 'warn', what: 'it knows no other servers', advice }]
  }
  return all.flatMap(({ name, status, clock_offset_ms: offsetMs, last_error }) => {
    const isHere = status === 'online' || status === 'syncing'
    const seen: Finding = isHere
      ? { state: 'ok', what: `${name} is ${status}` }
      : {
          state: 'warn',
          what: `${name} is ${status}`,
          advice: last_error ?? 'Is its machine on, and its port open from here?'
        }
    if (offsetMs === null || Math.abs(offsetMs) <= CLOCK_OFFSET_MS_MAX) return [seen]
    const what = `the clock of ${name} is ${Math.round(offsetMs / 1000)} s from this one`
    return [seen, { state: 'warn', what, advice: 'Let both take the time from the network.' }]
  })
}

function machineFindings(machine: Machine): Finding[] {
  const { openFilesMax, watchesMax, fileSystem, memoryFreeBytes, routes, nodeVersion } = machine
  const route = mdnsRouteFault(() => routes)
  const isRemote = REMOTE_FILE_SYSTEMS.test(fileSystem ?? '')
  return [
    judge(Number(/^v(\d+)/.exec(nodeVersion)?.[1] ?? 0) >= NODE_MAJOR_MIN, {
      what: `Node ${nodeVersion}`,
      advice: `Tumesh is made for Node ${NODE_MAJOR_MIN}.`
    }),
    judge(fileSystem === undefined ? undefined : !isRemote, {
      what: `the data folder is on ${fileSystem}`,
      advice: 'Use a disk of this machine: what a network disk calls written may not be.'
    }),
    judge(openFilesMax === undefined ? undefined : openFilesMax >= OPEN_FILES_MIN, {
      what: `it may have ${openFilesMax?.toLocaleString('en-US')} files open`,
      advice: `Allow ${OPEN_FILES_MIN} or more: LimitNOFILE of systemd, or ulimit -n.`
    }),
    judge(watchesMax === undefined ? undefined : watchesMax >= WATCHES_MIN, {
      what: `${watchesMax?.toLocaleString('en-US')} folders can be watched`,
      advice: `sysctl fs.inotify.max_user_watches=${WATCHES_MIN}: else new files are found later.`
    }),
    judge(memoryFreeBytes >= MEMORY_FREE_MIN, {
      what: `${formatSize(memoryFreeBytes)} of memory are free`,
      advice: 'A node takes about 200 MB.'
    }),
    judge(route === undefined, {
      what: route === undefined ? 'nodes of the local network can be found' : 'no way to the LAN',
      advice: route ?? ''
    })
  ].flat()
}

/** Nothing where it is not known. */
function judge(
  isWell: boolean | undefined,
  { what, advice }: { what: string; advice: string }
): Finding[] {
  if (isWell === undefined) return []
  return [isWell ? { state: 'ok', what } : { state: 'warn', what, advice }]
}
