// How much memory images that are read again and again may have.

/** Where a process may have little, most of it is taken: decisions/0012. */
const SHARE = 1 / 16

/** `limitBytes`: what the process may have, as a container says; 0 where nobody says. */
export function planHotBytes(setBytes: number, limitBytes: number): number {
  return limitBytes > 0 ? Math.min(setBytes, Math.floor(limitBytes * SHARE)) : setBytes
}
