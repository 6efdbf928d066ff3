// Statuses in events: slices are counted in thousandths, what people read is not.

import type { BudgetFigures } from '../slo/error-budget.ts'
import { EVENT_SCALE } from '../measure/question.ts'
import type { Side, SloStatus, WindowStatus } from '../slo/slo-status.ts'

/** @param status  counted in thousandths of events */
export function inEvents(status: SloStatus): SloStatus {
  return {
    ...status,
    window: windowInEvents(status.window),
    budget: budgetInEvents(status.budget),
    budgetGross: budgetInEvents(status.budgetGross),
    burns: status.burns.map(({ windowMs, status: one }) => ({ windowMs, status: windowInEvents(one) })),
  }
}

const windowInEvents = (window: WindowStatus | undefined) =>
  window && { ...window, net: sideInEvents(window.net), gross: sideInEvents(window.gross) }

const sideInEvents = (side: Side): Side => ({
  ...side,
  counts: { ...side.counts, good: side.counts.good / EVENT_SCALE, total: side.counts.total / EVENT_SCALE },
})

const budgetInEvents = (budget: BudgetFigures | undefined): BudgetFigures | undefined =>
  budget?.unit === 'events'
    ? {
        ...budget,
        allowed: budget.allowed / EVENT_SCALE,
        spent: budget.spent / EVENT_SCALE,
        remaining: budget.remaining / EVENT_SCALE,
      }
    : budget
