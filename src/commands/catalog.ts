// The commands that ask a running node, as data: what they are called, what they take, and the file
// that does it, which is loaded only then.

import type { Run } from './order.ts'

export interface CommandEntry {
  readonly name: string
  /** In the notation of commander: `<path>`, `[file]`, `<paths...>`. */
  readonly words: readonly (readonly [notation: string, meaning: string])[]
  readonly options: readonly (readonly [notation: string, meaning: string])[]
  readonly summary: string
  readonly load: () => Promise<Run>
}

export const CATALOG: readonly CommandEntry[] = [
  {
    name: 'join',
    summary: 'makes a node meet others, at once or at its next start',
    words: [['<targets...>', 'http://HOST:8000, a multiaddr, or the line that invite prints']],
    options: [],
    load: async () => (await import('./join.ts')).runJoin
  },
  {
    name: 'invite',
    summary: 'prints one line by which a server anywhere joins the mesh',
    words: [],
    options: [
      ['--expires <time>', 'how long it is good, such as 2h or 7d (default: 24h)'],
      ['--uses <count>', 'how many servers may join with it (default: any)'],
      ['--permanent', 'a line with the secret of the mesh itself, which never expires'],
      ['--qr', 'show it as a QR code too'],
      ['--revoke', 'let nobody in with the invites of this node any more']
    ],
    load: async () => (await import('./invite.ts')).runInvite
  },
  {
    name: 'status',
    summary: 'shows how the node and its servers are, and what to do',
    words: [],
    options: [['--watch', 'show it again and again']],
    load: async () => (await import('./status.ts')).runStatus
  },
  {
    name: 'ls',
    summary: 'lists images',
    words: [['[prefix]', 'only those whose path begins so']],
    options: [['-l, --long', 'with size, date and how many servers have it']],
    load: async () => (await import('./ls.ts')).runLs
  },
  {
    name: 'add',
    summary: 'puts files, and the images of folders, into the node',
    words: [['<files...>', 'files and folders']],
    options: [['--to <prefix>', 'the path under which they are put']],
    load: async () => (await import('./add.ts')).runAdd
  },
  {
    name: 'get',
    summary: 'writes an image into a file',
    words: [
      ['<path>', 'of the image'],
      ['[file]', 'or folder; its last part without one; - for the output']
    ],
    options: [],
    load: async () => (await import('./get.ts')).runGet
  },
  {
    name: 'rm',
    summary: 'deletes images on all servers; they can be restored for a while',
    words: [['<paths...>', 'of images']],
    options: [['--purge', 'free the bytes at once, beyond restore']],
    load: async () => (await import('./change.ts')).runRm
  },
  {
    name: 'mv',
    summary: 'gives an image another path',
    words: [
      ['<from>', 'path of the image'],
      ['<to>', 'its new path']
    ],
    options: [],
    load: async () => (await import('./change.ts')).runMv
  },
  {
    name: 'restore',
    summary: 'brings back a deleted image, or an earlier version of one',
    words: [['<path>', 'of the image']],
    options: [['--sha256 <hash>', 'of the version, as history shows it; else the newest']],
    load: async () => (await import('./change.ts')).runRestore
  },
  {
    name: 'history',
    summary: 'shows what happened to an image',
    words: [['<path>', 'of the image']],
    options: [],
    load: async () => (await import('./why.ts')).runHistory
  },
  {
    name: 'why',
    summary: 'shows which server has an image, and why the others do not',
    words: [['<image>', 'its path, or the SHA-256, CID or MD5 of bytes']],
    options: [],
    load: async () => (await import('./why.ts')).runWhy
  },
  {
    name: 'verify',
    summary: 'reads images again, compares them with their hashes and repairs them',
    words: [['[paths...]', 'of images; all of them without one']],
    options: [['--prefix <prefix>', 'all whose path begins so']],
    load: async () => (await import('./verify.ts')).runVerify
  },
  {
    name: 'block',
    summary: 'takes bytes out of reach on all servers, and keeps them out',
    words: [['<image>', 'path of an image, or a SHA-256']],
    options: [['--reason <text>', 'why, for those who ask later']],
    load: async () => (await import('./block.ts')).runBlock
  },
  {
    name: 'unblock',
    summary: 'lets bytes that were blocked in again',
    words: [['<image>', 'path of an image, or a SHA-256']],
    options: [],
    load: async () => (await import('./block.ts')).runUnblock
  },
  {
    name: 'blocks',
    summary: 'lists what is blocked, and why',
    words: [],
    options: [],
    load: async () => (await import('./block.ts')).runBlocks
  },
  {
    name: 'sign',
    summary: 'makes an address that opens an image for a while, to whoever has it',
    words: [['[image]', 'path of an image, or a SHA-256']],
    options: [
      ['--expires <time>', 'how long, such as 90s, 2h or 7d (default: 1h)'],
      ['--prefix', 'for all images whose path begins so: prints what follows each address'],
      ['--base <url>', 'the address of the server that readers use'],
      ['--key', 'show the key with which programs sign addresses themselves']
    ],
    load: async () => (await import('./sign.ts')).runSign
  },
  {
    name: 'audit',
    summary: 'shows who added, deleted, blocked, invited and made keys',
    words: [],
    options: [
      ['--limit <count>', 'so many lines (default: 100)'],
      ['--action <name>', 'only these, such as delete']
    ],
    load: async () => (await import('./audit.ts')).runAudit
  },
  {
    name: 'peers',
    summary: 'lists the servers of the mesh, or takes one out for good',
    words: [],
    options: [['--remove <peer>', 'the name or the peer id of a server that is gone']],
    load: async () => (await import('./peers.ts')).runPeers
  },
  {
    name: 'drain',
    summary: 'hands over what only this server has, until it can be switched off',
    words: [],
    options: [['--look', 'only say whether it can']],
    load: async () => (await import('./drain.ts')).runDrain
  },
  {
    name: 'log-level',
    summary: 'shows how much a node logs, or sets it until the node ends',
    words: [
      ['[part-or-level]', 'one part of the node, or the level of all'],
      ['[level]', 'trace, debug, info, warn, error, silent, or configured to take it back']
    ],
    options: [],
    load: async () => (await import('./log-level.ts')).runLogLevel
  },
  {
    name: 'away',
    summary: 'tells the others that this server will be switched off for a while',
    words: [['[time]', 'such as 2h or 3d']],
    options: [['--back', 'it is not, or not any more; a start says so by itself']],
    load: async () => (await import('./away.ts')).runAway
  },
  {
    name: 'limits',
    summary: 'shows how much may pass between this node and others, or changes it for now',
    words: [['[limits...]', 'such as receive_catch_up=5MB, or receive_catch_up=off']],
    options: [],
    load: async () => (await import('./limits.ts')).runLimits
  },
  {
    name: 'secret',
    summary: 'shows which servers have the secret of the mesh, or puts a new one in its place',
    words: [['[rotate]', 'make a new one, and hand it to all members']],
    options: [['--window <time>', 'how long members may still come by the one of before (24h)']],
    load: async () => (await import('./secret.ts')).runSecret
  },
  {
    name: 'purge',
    summary: 'deletes images and frees their bytes at once, beyond restore',
    words: [['<paths...>', 'of images']],
    options: [],
    load: async () => (await import('./change.ts')).runPurge
  },
  {
    name: 'review',
    summary: 'lists images that may have been deleted elsewhere long ago, and decides on them',
    words: [['[paths...]', 'those that are decided on']],
    options: [
      ['--restore', 'they stay'],
      ['--discard', 'they go to the trash'],
      ['--all', 'all of them']
    ],
    load: async () => (await import('./review.ts')).runReview
  },
  {
    name: 'brakes',
    summary: 'shows what stopped because it was too much to be meant, and goes on or takes it back',
    words: [],
    options: [
      ['--all', 'show all that an undo would take back'],
      ['--confirm <token>', 'it was meant: go on'],
      ['--undo <token>', 'it was not: take it back']
    ],
    load: async () => (await import('./review.ts')).runBrakes
  },
  {
    name: 'adopt',
    summary: 'takes in the images of folders of this server; their paths become those of images',
    words: [['<folders...>', 'folders, which stay as they are']],
    options: [
      ['--link', 'link the files instead of copying them: only if nobody ever changes them']
    ],
    load: async () => (await import('./adopt.ts')).runAdopt
  },
  {
    name: 'backup',
    summary: 'writes the index of a running node into a file, or takes it in again',
    words: [['<file>', 'such as tumesh-backup.ndjson.gz']],
    options: [['--restore', 'take the file in: what is newer here stays']],
    load: async () => (await import('./backup.ts')).runBackup
  },
  {
    name: 'export',
    summary: 'writes a list of the images, one a line of JSON, that needs no program',
    words: [['<file>', 'such as index.ndjson']],
    options: [],
    load: async () => (await import('./backup.ts')).runExport
  },
  {
    name: 'doctor',
    summary: 'looks at the node and its machine for what will be trouble',
    words: [],
    options: [],
    load: async () => (await import('./doctor.ts')).runDoctor
  },
  {
    name: 'drill',
    summary: 'harms an image of its own on the disk, and times how it heals',
    words: [],
    options: [],
    load: async () => (await import('./drill.ts')).runDrill
  },
  {
    name: 'log',
    summary: 'shows what happens, as it happens',
    words: [],
    options: [],
    load: async () => (await import('./log.ts')).runLog
  }
]
