// Many may write side by side; a recovery wants the tables to itself. Whoever waits for the whole is served before
// new sharers, so a steady stream of batches cannot starve it.

export interface Gate {
  /** Runs beside other sharers. */
  shared<T>(work: () => Promise<T>): Promise<T>
  /** Runs when no one else does. */
  alone<T>(work: () => Promise<T>): Promise<T>
}

export function buildGate(): Gate {
  const sharers = new Set<Promise<unknown>>()
  let turn: Promise<unknown> = Promise.resolve()

  return {
    async shared(work) {
      await turn
      const mine = work()
      sharers.add(mine)
      try {
        return await mine
      } finally {
        sharers.delete(mine)
      }
    },
    alone(work) {
      const mine = turn.then(async () => {
        await Promise.allSettled(sharers)
        return work()
      })
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}
