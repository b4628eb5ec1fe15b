// Which known name somebody probably meant.

import { distance } from 'fastest-levenshtein'

/** A person's slips: two letters exchanged count as two. */
const SLIPS_MAX = 3

/** The known name with the fewest slips of the finger, if it is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const slipsMax = Math.min(SLIPS_MAX, Math.ceil(name.length / 2))
  const [best] = known
    .map((candidate) => ({ candidate, slips: distance(name.toLowerCase(), candidate) }))
    .filter(({ slips }) => slips <= slipsMax)
    .sort((a, b) => a.slips - b.slips)
  return best?.candidate
}

/**
 * The keys that an unknown one may stand for: those of the same name in other sections, else the
 * nearest of its own. `known` holds paths ("http.port") and names of sections.
 */
export function nearestKeys(path: string, known: readonly string[]): readonly string[] {
  const { section, name } = split(path)
  const elsewhere = known.filter((candidate) => split(candidate).name === name)
  if (elsewhere.length > 0) return elsewhere
  const siblings = known.map(split).filter((candidate) => candidate.section === section)
  const best = nearest(
    name,
    siblings.map((sibling) => sibling.name)
  )
  return best === undefined ? [] : [section + best]
}

/** The section keeps its dot, so that section + name is the path. */
function split(path: string): { section: string; name: string } {
  const at = path.lastIndexOf('.') + 1
  return { section: path.slice(0, at), name: path.slice(at) }
}
