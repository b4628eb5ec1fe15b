// Sends bytes in a buffer that is used again once the system has them.

import type { ServerResponse } from 'node:http'

/**
 * Ends the answer with these bytes. `giveBack` is called when they have left, and never where the
 * client goes away first: the system may still read them then.
 */
export function sendLent(response: ServerResponse, bytes: Uint8Array, giveBack: () => void): void {
  response.end(bytes, giveBack)
}

/**
 * Writes bytes, and resolves when they have left: only then may their buffer be used again. False
 * when the client went away.
 */
export function writeLent(response: ServerResponse, bytes: Uint8Array): Promise<boolean> {
  const { socket } = response
  if (socket === null || socket.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const onClose = () => resolve(false)
    socket.once('close', onClose)
    response.write(bytes, (error) => {
      socket.off('close', onClose)
      resolve(error === null || error === undefined)
    })
  })
}
