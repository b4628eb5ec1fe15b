// Asks several holders for the same, one after the other, and does not wait for one that is slow to
// begin. One that was too slow later on is asked once more when nobody else is left.

import type { Clock } from '../base/clock.ts'

/** Hears how a question fares. */
export interface Progress {
  /** Nobody else is left to be asked. */
  readonly isLast: boolean
  /** It is its turn: whether it is still to be asked, as nobody else has answered meanwhile. */
  asked(): boolean
  /** The answer has begun. */
  begun(): void
  /** It was given up only because others may be faster. */
  tooSlow(): void
}

/** One to ask. */
export interface Holder {
  readonly peerId: string
  /** Nobody else is left. */
  readonly isLast: boolean
}

export interface FirstOfParts<T> {
  readonly clock: Clock
  readonly holders: Iterator<Holder, undefined>
  /** Undefined if the holder gives nothing. */
  readonly ask: (peerId: string, progress: Progress) => Promise<T | undefined>
  /** A holder that has not begun for so long is not waited for alone. */
  readonly patienceMs: (peerId: string) => number
  /** What comes from a holder after another one was faster. */
  readonly leave: (late: T) => void
}

export interface First<T> {
  readonly peerId: string
  readonly got: T
}

/** What comes first, and from whom; undefined if nobody gives it. Throws what `ask` throws. */
export function firstOf<T>(parts: FirstOfParts<T>): Promise<First<T> | undefined> {
  const { clock, holders, ask, patienceMs, leave } = parts
  const { promise, resolve, reject } = Promise.withResolvers<First<T> | undefined>()
  let running = 0
  let isOver = false
  let cancelNewest = () => {}
  const slow: string[] = []
  let askedAgain = 0 // each of them once, or it might never end
  const end = () => {
    isOver = true
    cancelNewest()
  }
  const nextHolder = (): Holder | undefined => {
    const peerId = slow[askedAgain]
    const holder = holders.next().value
    if (holder !== undefined || peerId === undefined) return holder
    askedAgain++
    return { peerId, isLast: true }
  }
  const askNext = () => {
    const holder = isOver ? undefined : nextHolder()
    if (holder !== undefined) askOne(holder)
    else if (running === 0) resolve(undefined)
  }
  const askOne = ({ peerId, isLast }: Holder) => {
    running++
    let isAlone = true
    let cancel = () => {}
    const askAnother = () => {
      cancel()
      if (isAlone || running === 0) askNext()
      isAlone = false
    }
    const asked = () => {
      if (isOver) return false
      cancel = clock.after(patienceMs(peerId), askAnother)
      cancelNewest = cancel
      return true
    }
    const tooSlow = () => {
      if (!slow.includes(peerId)) slow.push(peerId)
    }
    ask(peerId, { isLast, asked, begun: () => cancel(), tooSlow }).then(
      (got) => {
        running--
        if (got === undefined) return askAnother()
        cancel()
        if (isOver) return leave(got)
        end()
        resolve({ peerId, got })
      },
      (error) => {
        running--
        cancel()
        end()
        reject(error)
      }
    )
  }
  askNext()
  return promise
}
