// Kills of real processes take seconds each. An ordinary run makes every second one of a list;
// test/property/crash.test.ts kills at every step of every operation, in memory.

/** All where KILLS=all is set; else every second one, beginning with the first or the second. */
export function sampleOfKills<T>(all: readonly T[], first: number): readonly T[] {
  return process.env.KILLS === 'all' ? all : all.filter((_, at) => at % 2 === first % 2)
}
