// How much a sender may send per second: a bucket that fills at a steady rate and holds one second's worth.

import type { Clock } from './clock.ts'

/** Units are the caller's: requests, bytes. */
export interface Allowance {
  /** ms until the next unit may be spent; 0 now */
  waitMs(): number
  /** Takes the amount, into debt if need be: the size of a body is known only after it has come. */
  spend(amount: number): void
}

/** @param perSecond above 0; below 1 the bucket still holds one unit, which then takes longer to fill */
export function buildAllowance(perSecond: number, clock: Clock): Allowance {
  const capacity = Math.max(1, perSecond)
  let level = capacity
  let filledAt = clock.now()

  function fill(): void {
    const now = clock.now()
    // A clock that was set back gives nothing and takes nothing.
    level = Math.min(capacity, level + (Math.max(0, now - filledAt) * perSecond) / 1000)
    filledAt = now
  }

  return {
    waitMs() {
      fill()
      // Filling in fractions loses the last digits: a billionth of a unit is not worth a second's wait.
      return level >= 1 - 1e-9 ? 0 : Math.ceil(((1 - level) * 1000) / perSecond)
    },
    spend(amount) {
      fill()
      level -= amount
    },
  }
}
