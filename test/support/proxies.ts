// Reverse proxies as people run them, each as a process of its own in front of a node.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

export interface RunningProxy {
  readonly url: string
  /** Of the process that answers. */
  readonly pid: number
  end(): Promise<void>
}

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** One that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** `server` stands in its block `server`; `runner` is a program that runs it. */
export async function startNginx(
  folder: string,
  server: string,
  runner: readonly string[] = []
): Promise<RunningProxy> {
  const port = await freePort()
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  const config = join(folder, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 0;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; ${server} }
}
`
  )
  const [program = '', ...words] = [...runner, 'nginx', '-p', folder, '-c', config]
  return started(spawn(program, words, { stdio: 'ignore' }), port)
}

/** `site` stands in the block of its address. */
export async function startCaddy(folder: string, site: string): Promise<RunningProxy> {
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  const config = join(folder, 'Caddyfile')
  writeFileSync(
    config,
    `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
${site}
}
`
  )
  const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder }
  const words = ['run', '--config', config, '--adapter', 'caddyfile']
  return started(spawn('caddy', words, { stdio: 'ignore', env }), port)
}

async function started(child: ChildProcess, port: number): Promise<RunningProxy> {
  const url = `http://127.0.0.1:${port}`
  const exit = once(child, 'exit')
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`the proxy ended with ${child.exitCode}`)
      await fetch(url, { method: 'HEAD' })
    },
    { withinMs: 10_000 }
  )
  return {
    url,
    pid: child.pid as number,
    async end() {
      child.kill('SIGTERM')
      await exit
    }
  }
}
