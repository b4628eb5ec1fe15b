// Reads multipart/byteranges as a client would: by its boundary, whatever the bytes are.

interface Part {
  readonly headers: string
  readonly body: Buffer
}

/** Throws for a body that is not well-formed to its last byte. */
export function splitMultipart(contentType: string, body: Buffer): Part[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(contentType)?.[1]
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`)
  const text = `\r\n${body.toString('latin1')}`
  const [before, ...sections] = text.split(`\r\n--${boundary}`)
  if (before !== '' || sections.pop() !== '--\r\n') throw new Error('badly framed')
  return sections.map((section) => {
    const end = section.indexOf('\r\n\r\n')
    if (!section.startsWith('\r\n') || end === -1) throw new Error('a part without headers')
    return { headers: section.slice(2, end), body: Buffer.from(section.slice(end + 4), 'latin1') }
  })
}
