// Installs what is missing before `npm start` and `npm test`, and makes sure that Node 24 is there
// to run it. Plain JavaScript without packages: it runs on any Node from 18, before anything is
// installed.

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR = 24
const PLATFORM_NODE = `node-${process.platform}-${process.arch}`
const PLATFORM_BINARY = join('node_modules', PLATFORM_NODE, 'bin', 'node')
const NODE_LINK = join('node_modules', '.bin', 'node')
const LOCK = '.setup-lock'
const LOCK_WAIT_MS_MAX = 15 * 60_000
const LOCK_POLL_MS = 250
/** Between making the lock and writing the process id into it. */
const LOCK_NAMELESS_MS_MAX = 10_000

/** What npm's error codes mean for the person who waits. */
const REASONS = {
  ENOTFOUND: 'the package registry was not found; check the network and try again',
  EAI_AGAIN: 'the package registry was not found; check the network and try again',
  ECONNREFUSED: 'the package registry refused the connection; check the network and try again',
  ECONNRESET: 'the connection to the package registry broke; try again',
  ETIMEDOUT: 'the package registry did not answer; check the network and try again',
  ERR_SOCKET_TIMEOUT: 'the package registry did not answer; check the network and try again',
  ENOSPC: 'the disk is full; make room and try again',
  EACCES: 'this user may not write to node_modules; change its owner and try again',
  EPERM: 'this user may not write to node_modules; change its owner and try again',
  EROFS: 'node_modules is on a read-only disk; install on a writable one',
  EUSAGE: 'package.json and package-lock.json do not belong together; restore both from git',
  EINTEGRITY:
    'a package is not what package-lock.json promises; run `npm cache clean --force` and try again'
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
try {
  setUp(process.argv.includes('--dev'))
} catch (error) {
  console.error(`Tumesh can't be set up: ${error.message}.`)
  process.exitCode = 1
}

function setUp(withDev) {
  if (isInstalled(withDev) && nodeIsReady()) return
  withLock(() => {
    if (!isInstalled(withDev)) install(withDev)
    provideNode()
  })
}

/** Whether every package of the lock file is in node_modules, in its version. */
function isInstalled(withDev) {
  const wanted = readPackages('package-lock.json')
  const there = readPackages(join('node_modules', '.package-lock.json'))
  if (wanted === undefined) throw new Error('package-lock.json is missing; restore it from git')
  if (there === undefined) return false
  return Object.entries(wanted).every(
    ([path, { version, integrity, optional, devOptional, dev }]) => {
      const found = there[path]
      if (path === '') return true
      if (found !== undefined) return found.version === version && found.integrity === integrity
      // npm leaves out packages for other platforms, and the tools for tests where it is told to
      return needsNode(path) ? false : optional || devOptional || (dev && !withDev)
    }
  )
}

function needsNode(path) {
  return path === `node_modules/${PLATFORM_NODE}` && !ownNodeIsNew()
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {}
  } catch {
    return undefined
  }
}

function install(withDev) {
  console.log('Installing packages, once: about 500 MB, a minute or so.')
  const logs = mkdtempSync(join(tmpdir(), 'tumesh-setup-'))
  // our Node is not the one that runs npm now: what npm says about versions of Node does not matter
  const options = ['--ignore-scripts', '--include=optional', '--engine-strict=false']
  if (withDev) options.push('--include=dev')
  const args = ['ci', ...options, '--loglevel=error', `--logs-dir=${logs}`]
  const shell = process.platform === 'win32'
  const { status, error } = spawnSync('npm', args, { stdio: 'inherit', shell })
  if (error) throw new Error(`npm does not run (${error.code}); install npm 10 or newer`)
  if (status !== 0) throw new Error(reasonIn(logs))
  rmSync(logs, { recursive: true, force: true })
}

function reasonIn(logs) {
  const log = readdirSync(logs)
    .map((name) => readFileSync(join(logs, name), 'utf8'))
    .join('\n')
  const code = /^\d+ error code (\S+)$/m.exec(log)?.[1]
  return REASONS[code] ?? `npm ci failed${code ? ` (${code})` : ''}; its messages are above`
}

/** npm 10 does not link the platform's Node into .bin, where npm scripts look first. */
function provideNode() {
  rmSync(NODE_LINK, { force: true })
  if (existsSync(PLATFORM_BINARY) && runs(PLATFORM_BINARY)) {
    mkdirSync(dirname(NODE_LINK), { recursive: true })
    symlinkSync(relative(dirname(NODE_LINK), PLATFORM_BINARY), NODE_LINK)
    return
  }
  if (ownNodeIsNew()) return
  const here = `Node ${process.versions.node} on ${process.platform}-${process.arch}`
  throw new Error(
    `it needs Node ${NODE_MAJOR}, brings none that runs here (${here}); install Node ${NODE_MAJOR} and try again`
  )
}

/** A Node for another C library is there but does not run. */
function runs(node) {
  return spawnSync(node, ['--version'], { timeout: 30_000 }).status === 0
}

function nodeIsReady() {
  return existsSync(NODE_LINK) || (ownNodeIsNew() && !existsSync(PLATFORM_BINARY))
}

function ownNodeIsNew() {
  return Number(process.versions.node.split('.')[0]) >= NODE_MAJOR
}

/** One set-up at a time: a second one waits, and then finds everything there. */
function withLock(task) {
  const waitUntil = Date.now() + LOCK_WAIT_MS_MAX
  while (!takeLock()) {
    if (lockIsStale()) rmSync(LOCK, { recursive: true, force: true })
    else if (Date.now() > waitUntil)
      throw new Error(`another set-up holds ${LOCK}; remove it if there is none`)
    else sleep(LOCK_POLL_MS)
  }
  try {
    task()
  } finally {
    rmSync(LOCK, { recursive: true, force: true })
  }
}

function takeLock() {
  try {
    mkdirSync(LOCK)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw new Error(`this folder can't be written (${error.code}); change its owner and try again`)
  }
  writeFileSync(join(LOCK, 'pid'), String(process.pid))
  return true
}

function lockIsStale() {
  try {
    const pid = Number(readFileSync(join(LOCK, 'pid'), 'utf8'))
    return pid > 0 ? !isAlive(pid) : isOld()
  } catch {
    return isOld()
  }
}

function isOld() {
  const stat = statSync(LOCK, { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs > LOCK_NAMELESS_MS_MAX
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
