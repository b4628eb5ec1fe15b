// Items that come one by one, taken together as far as that is worth it.

export interface GroupLimits<T> {
  readonly countMax: number
  /** A group ends with the item by which its weight reaches this. */
  readonly weightMax: number
  weightOf(item: T): number
}

/** In their order; no group is empty. */
export async function* inGroups<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { countMax, weightMax, weightOf }: GroupLimits<T>
): AsyncGenerator<readonly T[]> {
  let group: T[] = []
  let weight = 0
  for await (const item of items) {
    group.push(item)
    weight += weightOf(item)
    if (group.length < countMax && weight < weightMax) continue
    yield group
    group = []
    weight = 0
  }
  if (group.length > 0) yield group
}
