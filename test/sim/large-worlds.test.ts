import { LARGE } from './run-seed.ts'
import { testSeeds } from './test-seeds.ts'

testSeeds({
  size: LARGE,
  range: '1-60',
  variable: 'LARGE_SEEDS',
  files: 'test/sim/large-worlds'
})
