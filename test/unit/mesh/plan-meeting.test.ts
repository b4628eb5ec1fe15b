import { expect, test } from 'vitest'
import { planMeeting, type Side } from '../../../src/mesh/plan-meeting.ts'

const empty: Side = { hasImages: false, clusterIds: [] }
const returned: Side = { hasImages: false, clusterIds: ['x'] }
const x: Side = { hasImages: true, clusterIds: ['x'] }
const y: Side = { hasImages: true, clusterIds: ['y'] }
const both: Side = { hasImages: true, clusterIds: ['x', 'y'] }
const unnamed: Side = { hasImages: true, clusterIds: [] }

test.each<[string, Side, Side, string]>([
  ['two that are empty', empty, empty, 'merge'],
  ['an empty one and a mesh', empty, x, 'merge'],
  ['one that was in a mesh and has no images, and another mesh', returned, y, 'merge'],
  ['two of one mesh', x, x, 'merge'],
  ['one of two merged meshes and one that was away', both, y, 'merge'],
  ['two meshes', x, y, 'wait'],
  ['a mesh and one whose mesh has no name yet', x, unnamed, 'wait']
])('%s: without a secret', (_, one, other, meeting) => {
  expect(planMeeting(one, other, false)).toBe(meeting)
  expect(planMeeting(other, one, false)).toBe(meeting)
})

test('with a secret meeting is merging', () => {
  expect(planMeeting(x, y, true)).toBe('merge')
})
