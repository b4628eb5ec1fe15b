// The examples of config/deploy: what they name is there.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { fakeMesh, fakeServer } from '../support/fake-mesh.ts'
import { startHttpNode } from '../support/http-node.ts'
import { freePort, hasProgram } from '../support/proxies.ts'

const FOLDER = 'config/deploy'
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
const reference = readFileSync('config/README.md', 'utf8')

/** A test where the program is there, which it is in CI; else it is skipped and says so. */
function checks(name: string, program: string, run: () => void | Promise<void>): void {
  if (hasProgram(program)) test(name, run)
  else test.skip(`${name}: ${program} is not installed`)
}

test('every rule asks for figures that a node gives', async () => {
  const server = fakeServer({ clockOffsetMs: 1 })
  const node = await startHttpNode({
    parts: () => ({ mesh: fakeMesh({ servers: () => [server] }) })
  })
  const { bytes } = await node.send('/metrics')
  await node.close()
  const given = new Set([...bytes.toString().matchAll(/^(\w+)/gm)].map(([, name]) => name))
  const { groups } = parse(read('alerts.yaml'))
  const rules = groups.flatMap(({ rules }: { rules: unknown[] }) => rules) as { expr: string }[]
  expect(rules.length).toBeGreaterThan(8)
  const asked = rules.flatMap(({ expr }) => expr.match(/\btumesh_\w+/g) ?? [])
  expect(asked.filter((name) => !given.has(name))).toEqual([])
})

test('variables of the containers and of the unit are those of the configuration', () => {
  const { services } = parse(read('compose.yaml'), { merge: true })
  expect(Object.keys(services)).toEqual(['a', 'b', 'c'])
  const named = [read('compose.yaml'), read('Dockerfile'), read('tumesh.service')]
    .flatMap((text) => text.match(/\bTUMESH_\w+/g) ?? [])
    .filter((name) => !reference.includes(`\`${name}\``))
  expect(named).toEqual([])
})

test('what the container copies is there, and it begins as the package does', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, from]) => (from ?? '').split(' ')
  )
  expect(copied.filter((name) => !existsSync(name))).toEqual([])
  // and no more than that goes to whoever builds it
  const [all, ...lines] = readFileSync('.dockerignore', 'utf8').trim().split('\n').slice(1)
  expect([all, lines.pop()]).toEqual(['*', FOLDER])
  expect(lines).toEqual([...new Set(copied)].map((name) => `!${name}`))
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(read('Dockerfile')).toContain(`ln -s /app/${bin.tumesh} /usr/local/bin/tumesh`)
  expect(read('Dockerfile')).toContain('ENTRYPOINT ["tumesh"]')
})

// systemd is no package of its own in every container
if (hasProgram('systemd-analyze')) {
  test('systemd finds nothing wrong with the unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tumesh-unit-'))
    const unit = read('tumesh.service').replace(/\/opt\/\S+/g, process.execPath)
    writeFileSync(join(folder, 'tumesh.service'), unit)
    const { stderr } = spawnSync('systemd-analyze', ['verify', join(folder, 'tumesh.service')], {
      encoding: 'utf8'
    })
    rmSync(folder, { recursive: true })
    expect(stderr).toBe('')
  })
}

checks('nginx takes its example', 'nginx', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tumesh-nginx-'))
  const site = read('nginx.conf').replace('listen 80;', `listen 127.0.0.1:${await freePort()};`)
  writeFileSync(join(folder, 'site.conf'), site)
  const own = `pid ${folder}/pid; error_log stderr; events {} http { access_log off; include site.conf; }`
  writeFileSync(join(folder, 'nginx.conf'), own)
  const { status, stderr } = spawnSync(
    'nginx',
    ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')],
    {
      encoding: 'utf8'
    }
  )
  rmSync(folder, { recursive: true })
  expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')])
})

checks('Caddy takes its example', 'caddy', () => {
  const line = ['validate', '--adapter', 'caddyfile', '--config', join(FOLDER, 'Caddyfile')]
  const home = mkdtempSync(join(tmpdir(), 'tumesh-caddy-'))
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home }
  const { status, stderr } = spawnSync('caddy', line, { encoding: 'utf8', env })
  rmSync(home, { recursive: true, force: true })
  expect([status, stderr]).toEqual([0, expect.anything()])
})
