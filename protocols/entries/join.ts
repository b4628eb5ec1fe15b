// Walks two sequences side by side that are in the same descending order.

/** One item of either sequence, or an item of each that are equal in the order. */
export interface Pair<A, B> {
  readonly left: A | undefined
  readonly right: B | undefined
}

/** `compare` is positive if the left item comes first. Leaves both sequences in order. */
export async function* join<A, B>(
  lefts: AsyncIterable<A>,
  rights: AsyncIterable<B>,
  compare: (left: A, right: B) => number
): AsyncGenerator<Pair<A, B>> {
  const left = lefts[Symbol.asyncIterator]()
  const right = rights[Symbol.asyncIterator]()
  try {
    let a = await left.next()
    let b = await right.next()
    for (;;) {
      if (a.done && b.done) return
      const order = a.done ? -1 : b.done ? 1 : compare(a.value, b.value)
      yield {
        left: a.done || order < 0 ? undefined : a.value,
        right: b.done || order > 0 ? undefined : b.value
      }
      if (order >= 0) a = await left.next()
      if (order <= 0) b = await right.next()
    }
  } finally {
    await left.return?.()
    await right.return?.()
  }
}
