// Sends one request to each of a list and says how it was answered: no more than the head is read,
// since some answers have no end. As a program of its own it takes the list from its input, so that
// another host can send it.

import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

export interface Step {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Walk {
  readonly host: string
  readonly port: number
  readonly steps: readonly Step[]
}

const BODY_CHARACTERS_MAX = 20_000

/** Status and the beginning of the body, in the order of the steps. */
export async function walk({ host, port, steps }: Walk): Promise<[number, string][]> {
  const answers: [number, string][] = []
  for (const step of steps) answers.push(await go(host, port, step))
  return answers
}

function go(host: string, port: number, { body, ...step }: Step): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, agent: false, ...step }, (incoming) => {
      const status = incoming.statusCode ?? 0
      let said = ''
      const end = () => {
        resolve([status, said])
        outgoing.destroy()
      }
      if (status === 200 && !incoming.headers['content-length']) return end()
      incoming.setEncoding('latin1').on('data', (piece) => {
        said += piece
        if (said.length > BODY_CHARACTERS_MAX) end()
      })
      incoming.once('end', end)
      incoming.once('error', end)
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(JSON.stringify(await walk(JSON.parse(await text(process.stdin)))))
}
