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

/** What only one of two lists has, which are in the same descending order. */
export function* unmatched<T>(
  lefts: readonly T[],
  rights: readonly T[],
  compare: (left: T, right: T) => number
): Generator<Pair<T, T>> {
  for (let [a, b] = [0, 0]; a < lefts.length || b < rights.length; ) {
    const [left, right] = [lefts[a], rights[b]]
    const order = left === undefined ? -1 : right === undefined ? 1 : compare(left, right)
    if (order >= 0) a++
    if (order <= 0) b++
    if (order > 0) yield { left, right: undefined }
    if (order < 0) yield { left: undefined, right }
  }
}
