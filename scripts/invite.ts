// npm run invite: `tumesh invite`, under the name that the documents give it.

process.argv.splice(2, 0, 'invite')
await import('../src/main.ts')
