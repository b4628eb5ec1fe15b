// Two Syncthing processes as an expert would set them up on a trusted loopback: no discovery,
// relays, NAT or compression, normal priority, and nothing leaves the machine.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/proxies.ts'
import type { Source } from '../transfer/source.ts'

const KEY = 'bench'

interface Device {
  readonly home: string
  readonly folder: string
  readonly id: string
  readonly port: number
  readonly apiPort: number
}

/** The version of the program on PATH; undefined if there is none. */
export function syncthingVersion(): string | undefined {
  const { stdout } = spawnSync('syncthing', ['--version'], { encoding: 'utf8' })
  return /v\d[\w.~-]*/.exec(stdout ?? '')?.[0]
}

export class SyncthingPair {
  readonly #root: string
  readonly #fsync: boolean
  #first!: Device
  #second!: Device
  readonly #children: ChildProcess[] = []
  #count = 0

  /** `fsync`: as it is shipped, files are durable before they count. */
  constructor(root: string, { fsync }: { readonly fsync: boolean }) {
    this.#root = root
    this.#fsync = fsync
  }

  get pids(): readonly number[] {
    return this.#children.map(({ pid }) => pid as number)
  }

  get secondFolder(): string {
    return this.#second.folder
  }

  /** Where the first looks for files. */
  get firstFolder(): string {
    return this.#first.folder
  }

  /** The first holds all of `source` and has hashed it, the second nothing; they have not met. */
  async prepare({ folder, set }: Source): Promise<void> {
    this.#first = await this.#makeDevice('a')
    this.#second = await this.#makeDevice('b')
    if (set.count > 0) cpSync(folder, this.#first.folder, { recursive: true })
    this.#configure(this.#first, this.#second, '<address>dynamic</address>')
    const address = `<address>tcp://127.0.0.1:${this.#first.port}</address><paused>true</paused>`
    this.#configure(this.#second, this.#first, address)
    await this.#start(this.#first)
    await this.#start(this.#second)
    await this.#holds(this.#first, set.count)
    this.#count = set.count
  }

  /** The first gets more, and has hashed it. */
  async add(source: Source, first: number, count: number): Promise<void> {
    source.write(this.#first.folder, first, count)
    await this.#api(this.#first, 'db/scan?folder=f', 'POST')
    this.#count += count
    await this.#holds(this.#first, this.#count)
  }

  async stopSecond(): Promise<void> {
    const second = this.#children.pop()
    const ended = new Promise((resolve) => second?.once('exit', resolve))
    second?.kill('SIGTERM')
    await ended
  }

  async comeBack(count: number): Promise<void> {
    await this.#start(this.#second)
    await this.join(count)
  }

  /** Lets the second meet the first; resolves when it has all. */
  async join(count: number): Promise<void> {
    await this.#api(this.#second, `system/resume?device=${this.#first.id}`, 'POST')
    await this.#holds(this.#second, count)
  }

  async stop(): Promise<void> {
    const running = this.#children.filter(({ exitCode }) => exitCode === null)
    const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)))
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(ended)
  }

  async #makeDevice(name: string): Promise<Device> {
    const home = join(this.#root, `${name}-home`)
    const folder = join(this.#root, name)
    mkdirSync(join(folder, '.stfolder'), { recursive: true })
    const { stdout, stderr } = spawnSync('syncthing', ['generate', `--home=${home}`], {
      env: this.#env(),
      encoding: 'utf8'
    })
    const id = /[A-Z2-7]{7}(?:-[A-Z2-7]{7}){7}/.exec(stdout + stderr)?.[0]
    if (id === undefined) throw new Error(`syncthing made no device: ${stdout}${stderr}`)
    return { home, folder, id, port: await freePort(), apiPort: await freePort() }
  }

  #env() {
    return { PATH: process.env.PATH, HOME: this.#root, STNOUPGRADE: '1', STMONITORED: '1' }
  }

  #configure(own: Device, other: Device, place: string): void {
    const device = (id: string) => `<device id="${id}" introducedBy=""></device>`
    const config = `<configuration version="36">
<folder id="f" path="${own.folder}" type="sendreceive" rescanIntervalS="0" fsWatcherEnabled="true"
  fsWatcherDelayS="1" ignorePerms="true">${device(own.id)}${device(other.id)}
<filesystemType>basic</filesystemType><minDiskFree unit="%">0</minDiskFree><copiers>4</copiers>
<hashers>0</hashers><pullerMaxPendingKiB>65536</pullerMaxPendingKiB><pullerPauseS>1</pullerPauseS>
<scanProgressIntervalS>-1</scanProgressIntervalS><disableTempIndexes>true</disableTempIndexes>
<weakHashThresholdPct>101</weakHashThresholdPct><maxConcurrentWrites>16</maxConcurrentWrites>
<disableFsync>${!this.#fsync}</disableFsync><markerName>.stfolder</markerName></folder>
<device id="${own.id}" name="own" compression="never"><address>dynamic</address></device>
<device id="${other.id}" name="other" compression="never">${place}</device>
<gui enabled="true" tls="false"><address>127.0.0.1:${own.apiPort}</address>
<apikey>${KEY}</apikey></gui>
<options><listenAddress>tcp://127.0.0.1:${own.port}</listenAddress>
<globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled>
<natEnabled>false</natEnabled><stunServer></stunServer><startBrowser>false</startBrowser>
<crashReportingEnabled>false</crashReportingEnabled><urAccepted>-1</urAccepted>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><setLowPriority>false</setLowPriority>
<reconnectionIntervalS>1</reconnectionIntervalS>
<progressUpdateIntervalS>-1</progressUpdateIntervalS></options></configuration>`
    writeFileSync(join(own.home, 'config.xml'), config)
  }

  async #start(device: Device): Promise<void> {
    const options = ['serve', `--home=${device.home}`, '--no-browser']
    this.#children.push(spawn('syncthing', options, { env: this.#env(), stdio: 'ignore' }))
    await eventually(() => this.#api(device, 'system/ping'), { withinMs: 60_000 })
  }

  async #holds(device: Device, count: number): Promise<void> {
    const check = async () => {
      const status = await this.#api(device, 'db/status?folder=f')
      const { state, globalFiles, localFiles, needTotalItems } = status
      if (state === 'idle' && globalFiles === count && localFiles === count && !needTotalItems) {
        return
      }
      throw new Error(`syncthing is ${state} with ${localFiles} of ${count} files`)
    }
    await eventually(check, { withinMs: 600_000 })
  }

  async #api(device: Device, path: string, method = 'GET') {
    const answer = await fetch(`http://127.0.0.1:${device.apiPort}/rest/${path}`, {
      method,
      headers: { 'X-API-Key': KEY, connection: 'close' }
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
}
