// One table of the disk of a world, in the place of a sublevel of a database: as much of it as an
// index uses. It keeps values as they are encoded, and its keys in order.

/** As `valueEncoding` of a sublevel says. */
export type Encoding =
  | 'view'
  | 'utf8'
  | 'json'
  | { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown }
/** What a value is on the disk. */
export type Stored = Uint8Array | string

interface Range {
  readonly gte?: string
  readonly gt?: string
  readonly lt?: string
  readonly lte?: string
  readonly reverse?: boolean
  readonly limit?: number
  readonly snapshot?: TableSnapshot
}

/** What all tables had at one moment. */
export type TableSnapshot = ReadonlyMap<WorldTable, Content>

/** Rows that are replaced, not changed, once somebody else looks at them. */
class Content {
  readonly values: Map<string, Stored>
  /** In their order: those of a world have no characters beyond ASCII. */
  readonly keys: string[]
  isShared = false

  constructor(values: Iterable<readonly [string, Stored]> = [], keys: Iterable<string> = []) {
    this.values = new Map(values)
    this.keys = [...keys]
  }

  /** How many keys are below this one. */
  below(key: string): number {
    let [low, high] = [0, this.keys.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  keysIn({ gte, gt, lt, lte, reverse = false, limit = -1 }: Range): string[] {
    const from = gte !== undefined ? this.below(gte) : gt !== undefined ? this.below(`${gt}\0`) : 0
    const all = this.keys.length
    const to = lt !== undefined ? this.below(lt) : lte !== undefined ? this.below(`${lte}\0`) : all
    const found = this.keys.slice(from, Math.max(from, to))
    if (reverse) found.reverse()
    return limit >= 0 && found.length > limit ? found.slice(0, limit) : found
  }
}

export class WorldTable {
  readonly name: string
  readonly #requireOpen: () => void
  #encoding: Encoding = 'view'
  #content = new Content()

  constructor(name: string, requireOpen: () => void) {
    this.name = name
    this.#requireOpen = requireOpen
  }

  // What an index asks for.

  async open(): Promise<void> {
    this.#requireOpen()
  }

  getSync(key: string): unknown {
    this.#requireOpen()
    const value = this.#content.values.get(key)
    return value === undefined ? undefined : this.#decode(value)
  }

  async getMany(keys: readonly string[], { snapshot }: Range = {}): Promise<unknown[]> {
    const { values } = this.#read(snapshot)
    return keys.map((key) => {
      const value = values.get(key)
      return value === undefined ? undefined : this.#decode(value)
    })
  }

  keys(range: Range): WorldIterator<string> {
    return new WorldIterator(this.#read(range.snapshot).keysIn(range))
  }

  values(range: Range): WorldIterator<unknown> {
    const content = this.#read(range.snapshot)
    return new WorldIterator(content.keysIn(range).map((key) => this.#valueOf(content, key)))
  }

  iterator(range: Range): WorldIterator<[string, unknown]> {
    const content = this.#read(range.snapshot)
    return new WorldIterator(content.keysIn(range).map((key) => [key, this.#valueOf(content, key)]))
  }

  // What its disk does with it.

  set encoding(encoding: Encoding) {
    this.#encoding = encoding
  }

  encode(value: unknown): Stored {
    if (this.#encoding === 'json') return JSON.stringify(value)
    if (this.#encoding === 'view' || this.#encoding === 'utf8') return value as Stored
    return this.#encoding.encode(value)
  }

  /** Puts or removes a row, and returns what was there before. */
  set(key: string, value: Stored | undefined): Stored | undefined {
    if (this.#content.isShared) {
      this.#content = new Content(this.#content.values, this.#content.keys)
    }
    const { values, keys } = this.#content
    const before = values.get(key)
    if (value !== undefined) values.set(key, value)
    else if (before !== undefined) values.delete(key)
    if (before === undefined && value !== undefined) {
      keys.splice(this.#content.below(key), 0, key)
    }
    if (before !== undefined && value === undefined) keys.splice(this.#content.below(key), 1)
    return before
  }

  rows(): Iterable<readonly [string, Stored]> {
    return this.#content.values
  }

  share(): Content {
    this.#content.isShared = true
    return this.#content
  }

  #read(snapshot: TableSnapshot | undefined): Content {
    this.#requireOpen()
    return snapshot?.get(this) ?? this.#content
  }

  #valueOf({ values }: Content, key: string): unknown {
    return this.#decode(values.get(key) as Stored)
  }

  #decode(value: Stored): unknown {
    if (this.#encoding === 'json') return JSON.parse(value as string)
    if (this.#encoding === 'view' || this.#encoding === 'utf8') return value
    return this.#encoding.decode(value as Uint8Array)
  }
}

/** Rows that were there when it was made. */
class WorldIterator<T> {
  #rows: T[]

  constructor(rows: T[]) {
    this.#rows = rows
  }

  async all(): Promise<T[]> {
    return this.#rows
  }

  async nextv(size: number): Promise<T[]> {
    if (this.#rows.length <= size) {
      const rest = this.#rows
      this.#rows = []
      return rest
    }
    return this.#rows.splice(0, size)
  }

  async close(): Promise<void> {}
}

/** Rows that are to be written as one, in the place of a chained batch of a database. */
export class WorldBatch {
  readonly operations: Operation[] = []
  readonly #write: (operations: readonly Operation[], isSynced: boolean) => Promise<void>

  constructor(write: (operations: readonly Operation[], isSynced: boolean) => Promise<void>) {
    this.#write = write
  }

  put(key: string, value: unknown, { sublevel: table }: Into): void {
    this.operations.push({ table, key, value: table.encode(value) })
  }

  del(key: string, { sublevel: table }: Into): void {
    this.operations.push({ table, key, value: undefined })
  }

  write({ sync }: { sync: boolean }): Promise<void> {
    return this.#write(this.operations, sync)
  }
}

interface Into {
  readonly sublevel: WorldTable
}

export interface Operation {
  readonly table: WorldTable
  readonly key: string
  readonly value: Stored | undefined
}
