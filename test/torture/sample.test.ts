// A short torture with every test run; README.md has the long ones.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { localNetworkObstacle } from '../support/local-network.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/torture.ts', import.meta.url))
const obstacle = localNetworkObstacle()

test('nothing is lost in a few seconds of harm', { timeout: 400_000 }, async (context) => {
  context.skip(obstacle !== undefined, obstacle)
  const options = ['--minutes', '0.25', '--nodes', '3', '--harm-ms', '1500', '--paths', '60']
  const child = spawn(process.execPath, [SCRIPT, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  await once(child, 'close')
  expect(said).toMatch(/^0 faults$/m)
  expect(said).toMatch(/put: \d/)
})
