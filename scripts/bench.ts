// npm run bench -- NAME [OPTIONS]: measures; test/bench/README.md holds the figures.

const BENCHES: Readonly<Record<string, string>> = {
  http: '../test/bench/http.ts',
  adopt: '../test/bench/adopt.ts',
  collection: '../test/bench/collection.ts',
  index: '../test/bench/entries.ts',
  mesh: '../test/bench/mesh.ts',
  recovery: '../test/bench/recovery.ts',
  transfer: '../test/bench/transfer.ts',
  uploads: '../test/bench/uploads.ts',
  inspect: '../test/bench/inspect.ts'
}

const [name = ''] = process.argv.splice(2, 1)
const file = BENCHES[name]
if (file === undefined) {
  console.error(`Usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [OPTIONS]`)
  process.exitCode = 1
} else {
  await import(new URL(file, import.meta.url).href)
}
