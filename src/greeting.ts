// What a person reads when the node has started.

export interface Greeting {
  readonly name: string
  readonly peerId: string
  /** The address to type on this machine, without a slash at the end. */
  readonly httpUrl: string
  readonly dataFolder: string
}

/** Plain text, with a line break at the end. */
export function greeting({ name, peerId, httpUrl, dataFolder }: Greeting): string {
  const next = nextName(name)
  const nextPort = Number(new URL(httpUrl).port || 80) + 1
  return `Tumesh node "${name}" runs, peer id ${peerId}
  page          ${httpUrl}/
  API           ${httpUrl}/openapi.json
  data folder   ${dataFolder}
  add a picture curl -F file=@photo.jpg ${httpUrl}/file-sync/api/file-sync/upload
  a second node npm start -- --data ./${next} --http-port ${nextPort} --name ${next}
                on another machine of this network: npm start
  stop          Ctrl-C
`
}

/** Nodes on one machine are called b, c, d … unless people name them otherwise. */
function nextName(name: string): string {
  return /^[b-y]$/.test(name) ? String.fromCharCode(name.charCodeAt(0) + 1) : 'b'
}
