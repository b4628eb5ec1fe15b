// npm run invite: `tumesh invite`, under the name that the documents give it.

process.argv.splice(2, 0, 'invite')
await import(new URL('../src/tumesh.js', import.meta.url).href)
