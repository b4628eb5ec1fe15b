// A local network of its own: hosts are network namespaces that hang on one bridge. What they say
// to each other is heard by nobody else.

import { execFileSync } from 'node:child_process'

const PREFIX = 'tumesh-'
/** Namespaces of this process; no two have the same name, also in other processes. */
let made = 0

/** Why there can be none here; undefined if there can. */
export function localNetworkObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'needs network namespaces, which only Linux has'
  if (process.getuid?.() !== 0) return 'needs root, to make network namespaces'
  const name = nameOf('try')
  try {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'add', 'bridge', 'type', 'bridge')
    return undefined
  } catch (error) {
    return `needs ip(8) and the right to make network namespaces: ${error}`
  } finally {
    removeQuietly(name)
  }
}

export interface Host {
  /** `ip netns exec NAME` runs a program on it. */
  readonly namespace: string
  readonly address: string
  /** Where its cable ends. */
  readonly port: string
}

export class LocalNetwork {
  readonly #namespaces: string[] = []
  readonly #switch: string
  /** The first three bytes of all addresses. */
  readonly #subnet: string
  #hosts = 0

  constructor({ subnet = '10.77.0' } = {}) {
    removeLeftovers()
    process.once('exit', this.cleanUp)
    this.#subnet = subnet
    this.#switch = this.#add('switch')
    this.#ip('link', 'add', 'bridge', 'type', 'bridge', 'mcast_snooping', '0')
    this.#ip('link', 'set', 'bridge', 'up')
  }

  /** Where the cables of all hosts end. */
  get namespace(): string {
    return this.#switch
  }

  /** A host with an address of its own. Without a route for multicast it can't search. */
  host({ multicastRoute = true } = {}): Host {
    const namespace = this.#add(`host${this.#hosts + 1}`)
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    const host = this.attach(namespace, 'eth0')
    if (multicastRoute) ip('-n', namespace, 'route', 'add', '224.0.0.0/4', 'dev', 'eth0')
    return host
  }

  /** Gives a host, of another network perhaps, a cable to this one. */
  attach(namespace: string, device: string): Host {
    const number = ++this.#hosts
    const port = `port${number}`
    this.#ip('link', 'add', port, 'type', 'veth', 'peer', device, 'netns', namespace)
    this.#ip('link', 'set', port, 'master', 'bridge', 'up')
    const address = `${this.#subnet}.${number}`
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', device)
    ip('-n', namespace, 'link', 'set', device, 'up')
    return { namespace, address, port }
  }

  /** Pulls the cable of a host, or plugs it in again. */
  plug(host: Host, plugged: boolean): void {
    this.#ip('link', 'set', host.port, plugged ? 'up' : 'down')
  }

  /** The same host at another address. */
  move(host: Host, lastByte: number): Host {
    const address = `${this.#subnet}.${lastByte}`
    ip('-n', host.namespace, 'addr', 'del', `${host.address}/24`, 'dev', 'eth0')
    ip('-n', host.namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', host.namespace, 'route', 'replace', '224.0.0.0/4', 'dev', 'eth0')
    return { ...host, address }
  }

  /** To be called when nothing runs on the hosts any more. */
  readonly cleanUp = (): void => {
    process.removeListener('exit', this.cleanUp)
    for (const namespace of this.#namespaces.splice(0)) removeQuietly(namespace)
  }

  #add(what: string): string {
    const namespace = nameOf(what)
    ip('netns', 'add', namespace)
    this.#namespaces.push(namespace)
    return namespace
  }

  #ip(...args: string[]): void {
    ip('-n', this.#switch, ...args)
  }
}

function nameOf(what: string): string {
  return `${PREFIX}${process.pid}-${++made}-${what}`
}

/** What processes left behind that were killed. */
function removeLeftovers(): void {
  for (const [name = ''] of ip('netns', 'list').matchAll(/^tumesh-\S+/gm)) {
    try {
      process.kill(Number(name.split('-')[1]), 0)
    } catch {
      removeQuietly(name)
    }
  }
}

function removeQuietly(namespace: string): void {
  try {
    ip('netns', 'delete', namespace)
  } catch {
    // it was never made
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
