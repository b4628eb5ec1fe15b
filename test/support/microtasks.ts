// For tests of what may happen at the very moment at which something else ends.

/** How many steps of the microtask queue such tests wait, one after the other. */
export const MICROTASKS = Array.from({ length: 10 }, (_, n) => n)

export async function microtasks(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await undefined
}

/** Until all that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
}
