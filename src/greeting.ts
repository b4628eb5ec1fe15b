// What a person reads when the node has started.

export interface Greeting {
  readonly name: string
  readonly peerId: string
  /** The address to type on this machine, without a slash at the end. */
  readonly httpUrl: string
  readonly dataFolder: string
  /** The flags by which another node meets this one; empty if this one stands alone. */
  readonly meshFlags: string
}

/** Plain text, with a line break at the end. */
export function greeting(about: Greeting): string {
  const { name, peerId, httpUrl, dataFolder, meshFlags } = about
  const others =
    meshFlags === ''
      ? 'with --cluster NAME --secret-file FILE on each, they keep the same images'
      : 'on another machine: with the same flags and a copy of the secret'
  const next = nextName(name)
  const nextPort = Number(new URL(httpUrl).port || 80) + 1
  return `Tumesh node "${name}" runs, peer id ${peerId}
  page          ${httpUrl}/
  API           ${httpUrl}/openapi.json
  data folder   ${dataFolder}
  add a picture curl -F file=@photo.jpg ${httpUrl}/file-sync/api/file-sync/upload
  a second node npm start -- --data ./${next} --http-port ${nextPort} --name ${next}${meshFlags}
                ${others}
  stop          Ctrl-C
`
}

/** Nodes on one machine are called b, c, d … unless people name them otherwise. */
function nextName(name: string): string {
  return /^[b-y]$/.test(name) ? String.fromCharCode(name.charCodeAt(0) + 1) : 'b'
}
