// The engine under test, as a judge.

import type { FaultCase } from '../../query/blame/case.ts'
import type { Explanation } from '../../query/http/fault-schemas.ts'
import type { Judge } from './judge.ts'

/** @throws Error when there is no engine yet */
export async function loadEngine(): Promise<Judge> {
  const address = new URL('../../query/blame/explain.ts', import.meta.url).href
  const { explain } = (await import(address)) as { explain: (of: FaultCase) => Explanation }
  return {
    name: 'surety',
    judge: (of) => {
      const explanation = explain(of)
      return {
        verdict: explanation.verdict,
        ranked: explanation.ranked.map(({ release, posterior }) => ({ release, posterior })),
        set: explanation.set,
        rollback: explanation.rollback?.steps.map(({ release }) => release),
        explanation,
      }
    },
  }
}
