import { afterEach, expect, test } from 'vitest'
import { runStatus } from '../../../src/commands/status.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'

let http: HttpNode
afterEach(() => http.close())

async function statusOf(enabled: boolean): Promise<[number, string]> {
  http = await startHttpNode({ options: { sync: { enabled, verifyIntegrity: true } } })
  let said = ''
  const terminal = {
    out: (text: string) => {
      said += text
    },
    err: () => {},
    progress: () => {},
    isTerminal: false,
    clock: http.node.clock,
    folder: '/'
  }
  const target = { url: `http://127.0.0.1:${http.port}`, data: undefined }
  const code = await runStatus({ words: [], options: {}, target, isJson: false }, terminal)
  return [code, said]
}

test.each([true, false])('a node without others, file_sync.enabled: %s', async (enabled) => {
  const [code, said] = await statusOf(enabled)
  expect([code, said]).toEqual([
    0,
    expect.stringMatching(/^a is healthy .*\nNo other servers\.\n$/s)
  ])
})
