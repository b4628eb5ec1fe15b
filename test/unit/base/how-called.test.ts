import { expect, test } from 'vitest'
import { packageCall } from '../../../src/base/how-called.ts'

test.each([
  ['/usr/local/bin/tumesh', 'tumesh'],
  ['/home/a/.npm/_npx/1/node_modules/.bin/tumesh', 'npx tumesh'],
  ['/srv/node_modules/tumesh/dist/src/tumesh.js', 'npx tumesh'],
  [undefined, 'npx tumesh']
])('%s is called again as %s', (program, call) => {
  expect(packageCall(program)).toBe(call)
})
