import { SMALL_WORLDS } from './small-worlds.ts'
import { testSeeds } from './test-seeds.ts'

testSeeds(SMALL_WORLDS, 1, 2)
