// The fake side of the produce port, for unit tests: a list, and answers that the test decides.

import type { Produced, ProducePort, ProduceRecord } from './produce.ts'

export interface MemoryProduce extends ProducePort {
  /** Every record that was written, oldest first. */
  readonly written: readonly ProduceRecord[]
  /** The next answers, in order; when they are used up everything is acknowledged. */
  answerNext(...answers: readonly Produced[]): void
  /** Answers wait until the returned function is called. */
  hold(): () => void
}

export function openMemoryProduce(): MemoryProduce {
  const written: ProduceRecord[] = []
  const answers: Produced[] = []
  let gate: Promise<void> = Promise.resolve()
  return {
    written,
    answerNext: (...next) => void answers.push(...next),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    async send(record) {
      await gate
      const answer = answers.shift() ?? { kind: 'acknowledged' }
      if (answer.kind === 'acknowledged') written.push(record)
      return answer
    },
    notReadyReason: () => undefined,
    close: () => Promise.resolve(),
  }
}
