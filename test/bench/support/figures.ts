// What is said of several measurements of one thing, and tables for a README.

/** The value below which a share of all lies, linear between two. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return low + (high - low) * (at - Math.floor(at))
}

/** As many digits as say something. */
export function short(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

/** "median (least-most)". */
export function spread(values: readonly number[]): string {
  return `${short(quantile(values, 0.5))} (${short(Math.min(...values))}-${short(Math.max(...values))})`
}

/** Prints rows as Markdown; the first is the head. */
export function printTable(rows: readonly (readonly (string | number)[])[]): void {
  const [head = [], ...body] = rows
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  console.log([line(head), line(head.map(() => '---')), ...body.map(line)].join('\n'))
}
