import { defineConfig } from 'vitest/config'

const UNIT = 'test/unit/**/*.test.ts'
/** They put functions of the system's own in the place of others, for all who share a process. */
const ALONE = ['folded-names', 'found-files', 'scan'].map(
  (name) => `test/unit/store/${name}.test.ts`
)

export default defineConfig({
  test: {
    globalSetup: ['test/support/no-mdns.ts'],
    pool: 'forks',
    // most of what whole nodes are tested for is waiting, so two cores have time for one more
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [
      // one process for many files: to load the modules anew takes longer than the tests
      { extends: true, test: { name: 'unit', isolate: false, include: [UNIT], exclude: ALONE } },
      {
        extends: true,
        test: {
          name: 'other',
          include: [...ALONE, 'test/!(unit)/**/*.test.ts']
        }
      }
    ]
  }
})
