// The flags of `tumesh start`, as data: each sets one key, and has a short environment variable of
// the same name.

export interface Flag {
  /** As the command line declares it. */
  readonly syntax: string
  readonly key: string
  readonly variable: string
  readonly text: string
  /** The flag says the opposite of its key, and takes no value. */
  readonly negates?: true
  /** May be given several times. */
  readonly repeats?: true
}

export const FLAGS: readonly Flag[] = [
  {
    syntax: '--data <dir>',
    key: 'file_storage.local_path',
    variable: 'TUMESH_DATA',
    text: 'data folder (default: ./data)'
  },
  {
    syntax: '--name <name>',
    key: 'name',
    variable: 'TUMESH_NAME',
    text: 'name of this node (default: the host name)'
  },
  {
    syntax: '--http-host <host>',
    key: 'http.host',
    variable: 'TUMESH_HTTP_HOST',
    text: 'address for HTTP (default: 0.0.0.0)'
  },
  {
    syntax: '--http-port <port>',
    key: 'http.port',
    variable: 'TUMESH_HTTP_PORT',
    text: 'port for HTTP (default: 8000)'
  },
  {
    syntax: '--p2p-host <host>',
    key: 'p2p.host',
    variable: 'TUMESH_P2P_HOST',
    text: 'address for other nodes (default: 0.0.0.0)'
  },
  {
    syntax: '--p2p-port <port>',
    key: 'p2p.port',
    variable: 'TUMESH_P2P_PORT',
    text: 'port for other nodes (default: a free one, remembered)'
  },
  {
    syntax: '--lane-port <port>',
    key: 'p2p.lane_port',
    variable: 'TUMESH_LANE_PORT',
    text: 'port for bulk bytes (default: a free one, remembered)'
  },
  {
    syntax: '--cluster <name>',
    key: 'cluster.name',
    variable: 'TUMESH_CLUSTER',
    text: 'only nodes of one cluster meet (default: default)'
  },
  {
    syntax: '--secret-file <file>',
    key: 'cluster.secret_file',
    variable: 'TUMESH_SECRET_FILE',
    text: 'file with the secret of the cluster'
  },
  {
    syntax: '--no-mdns',
    key: 'p2p.mdns',
    variable: 'TUMESH_NO_MDNS',
    text: 'do not look for nodes on the local network',
    negates: true
  },
  {
    syntax: '--bootstrap <address>',
    key: 'p2p.bootstrap',
    variable: 'TUMESH_BOOTSTRAP',
    text: 'node to meet at start: multiaddr or http://host:8000 (repeatable)',
    repeats: true
  },
  {
    syntax: '--log-level <level>',
    key: 'log_level',
    variable: 'TUMESH_LOG_LEVEL',
    text: 'trace, debug, info, warn, error or silent (default: info)'
  }
]

/** "--http-port" of "--http-port <port>". */
export function flagName({ syntax }: Flag): string {
  return syntax.split(' ', 1)[0] ?? syntax
}
