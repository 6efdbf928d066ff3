// Waiting whose patience is counted in what has happened meanwhile, not in seconds: on a busy machine things happen later,
// and they are no less right. Should nothing happen at all, the test's own time ends it.

const LOOK_EVERY_MS = 100

export type Patience = {
  /** How much has happened so far; never less than before. */
  readonly happened: () => number | Promise<number>
  /** So much more may happen while one waits. */
  readonly max: number
}

/**
 * @returns a function that checks again and again until the check does not throw, and returns what it did
 * @throws from that function, what the check threw after `max` more had happened
 */
export function buildEventually({ happened, max }: Patience) {
  return async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
    const giveUpAt = (await happened()) + max
    for (;;) {
      // Asked before the check, so that the last check sees all of it.
      const isOver = (await happened()) >= giveUpAt
      try {
        return await check()
      } catch (error) {
        if (isOver) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }
}
