// npm run join: `tumesh join`, under the name that the documents give it.

process.argv.splice(2, 0, 'join')
await import(new URL('../src/tumesh.js', import.meta.url).href)
