// The system's table of routes, where it has one.

import { readFileSync } from 'node:fs'

/** The text of /proc/net/route; undefined on a system without it. */
export function readRouteTable(): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readFileSync('/proc/net/route', 'latin1')
  } catch {
    return undefined
  }
}
