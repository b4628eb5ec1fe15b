// What a client would rather have, by the headers that begin with Accept (RFC 9110, 12.5). Pure.

export interface Accepted {
  /** In small letters, without parameters. */
  readonly value: string
  /** From 0, which is never, to 1. */
  readonly weight: number
}

/** All of them, in their order. */
export function acceptedIn(header: string | undefined): Accepted[] {
  const all: Accepted[] = []
  for (const item of header?.split(',') ?? []) {
    const [value = '', ...parameters] = item.split(';').map((part) => part.trim())
    if (value === '') continue
    const weight = parameters.find((one) => /^q\s*=/i.test(one))
    all.push({ value: value.toLowerCase(), weight: weightOf(weight) })
  }
  return all
}

/** Whether it is asked for by name, and `usual` is not asked for more. */
export function asksFor(header: string | undefined, value: string, usual: string): boolean {
  const accepted = acceptedIn(header)
  const weightFor = (one: string) => accepted.find((it) => it.value === one)?.weight ?? 0
  return weightFor(value) > 0 && weightFor(value) >= weightFor(usual)
}

function weightOf(text: string | undefined): number {
  if (text === undefined) return 1
  const [, digits] = /^q=([01](?:\.\d{0,3})?)$/i.exec(text) ?? []
  return digits === undefined ? 0 : Number(digits)
}
