import { expect, test } from 'vitest'
import { planRequest } from '../../../src/client/plan-request.ts'

const VERIFY = 'POST /file-sync/api/file-sync/verify'

test('addresses and bodies are made of what is asked', () => {
  expect(planRequest('GET /healthz')).toEqual({
    method: 'GET',
    address: '/healthz',
    headers: {},
    body: undefined
  })
  const path = { path: 'a/b c/图.svg' }
  expect(planRequest('DELETE /images/{path}', { path, query: { purge: true } })).toMatchObject({
    method: 'DELETE',
    address: '/images/a/b%20c/%E5%9B%BE.svg?purge=true'
  })
  expect(planRequest(VERIFY, { body: { paths: ['x'] } })).toMatchObject({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"paths":["x"]}'
  })
  const query = { limit: 2, cursor: undefined }
  expect(planRequest('GET /api/review', { query }).address).toBe('/api/review?limit=2')
})

test('nothing leads to another address than the one that is named', () => {
  const id = 'a/../b?x#y'
  expect(() => planRequest('DELETE /api/keys/{id}', { path: { id } })).toThrow('".."')
  const plan = planRequest('DELETE /api/keys/{id}', { path: { id: 'a/b?x#y' } })
  expect(plan.address).toBe('/api/keys/a%2Fb%3Fx%23y')
})

/** Never run: whether it compiles is what it says. */
const whatDoesNotCompile = () => {
  // @ts-expect-error there is no such route
  planRequest('GET /api/nothing')
  // @ts-expect-error the path is required
  planRequest('DELETE /images/{path}')
  // @ts-expect-error a boolean is wanted
  planRequest('DELETE /images/{path}', { path: { path: 'x' }, query: { purge: 'yes' } })
  // @ts-expect-error nothing is asked of it
  planRequest('GET /healthz', { body: {} })
}

test('calls that a node would refuse do not compile', () => {
  expect(whatDoesNotCompile).toBeTypeOf('function')
})
