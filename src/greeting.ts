// What a person reads when the node has started.

import { callOf, START } from './base/how-called.ts'

export interface Greeting {
  readonly name: string
  readonly peerId: string
  /** The address to type on this machine, without a slash at the end. */
  readonly httpUrl: string
  /** Undefined without a certificate. */
  readonly tlsPort?: number | undefined
  readonly dataFolder: string
  /** How others meet this node; undefined if it stands alone. */
  readonly meets: Meets | undefined
}

export interface Meets {
  /** Those that another node needs as well to be of the same mesh; may be empty. */
  readonly flags: string
  /** Without a secret only the local network may join. */
  readonly onLinkOnly: boolean
}

/** Plain text, with a line break at the end. */
export function greeting(about: Greeting): string {
  const { name, peerId, httpUrl, tlsPort, dataFolder, meets } = about
  const secure = tlsPort === undefined ? '' : `\n  HTTPS         port ${tlsPort}`
  const next = nextName(name)
  const nextPort = Number(new URL(httpUrl).port || 80) + 1
  return `Tumesh node "${name}" runs, peer id ${peerId}
  page          ${httpUrl}/
  API           ${httpUrl}/docs${secure}
  data folder   ${dataFolder}
  add a picture curl -F file=@photo.jpg ${httpUrl}/file-sync/api/file-sync/upload
  a second node ${START} --data ./${next} --http-port ${nextPort} --name ${next}${meets?.flags ?? ''}
                ${othersOf(meets)}
  stop          Ctrl-C
`
}

function othersOf(meets: Meets | undefined): string {
  if (meets === undefined) return 'file_sync.enabled is false: each node keeps its own images'
  if (meets.onLinkOnly) {
    return `on this network they find each other; from elsewhere: ${callOf('invite')}, then join`
  }
  return `on another machine: ${callOf('join', 'LINE')}, with the line that ${callOf('invite')} prints here`
}

/** Nodes on one machine are called b, c, d … unless people name them otherwise. */
function nextName(name: string): string {
  return /^[b-y]$/.test(name) ? String.fromCharCode(name.charCodeAt(0) + 1) : 'b'
}
