// Text within a limit that counts bytes.

/** As much of the text as fits in UTF-8, cut between characters. */
export function cutToBytes(text: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytesMax))
  return text.slice(0, read)
}
