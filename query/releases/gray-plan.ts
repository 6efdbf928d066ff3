// Gray steps as they were planned beside those that were told: teller, branch, region, whole bank. Pure.

import { addDays, startOfDate } from '../calendar/zoned-time.ts'
import type { ReleaseScope } from '../../ingest/records/release-step.ts'
import type { OrderItem } from '../registry/kinds/release-order.ts'
import type { Release } from './release.ts'
import { EVERYBODY, isLimited, levelOf } from './scope-width.ts'

export const GRAY_STEP_STATES = ['planned', 'done', 'late', 'skipped'] as const
export type GrayStep = {
  readonly scope: ReleaseScope
  /** Until when it was to be. */
  readonly byMs: number
  readonly state: (typeof GRAY_STEP_STATES)[number]
  /** When a scope as wide as this was told first. */
  readonly observedAtMs: number | undefined
}

export function grayPlan(
  item: OrderItem,
  release: Release | undefined,
  timeZone: string,
  nowMs: number,
): readonly GrayStep[] {
  const told = (release?.stages ?? []).filter(
    ({ kind }) => kind === 'started' || kind === 'step' || kind === 'ready' || kind === 'completed',
  )
  const observed = item.steps.map((step) => {
    const scope = scopeOf(step.scope)
    return told.find(({ kind, scope: seen }) => isTold(seen, kind) && covers(seen, scope))?.atMs
  })
  return item.steps.map(({ date, at, scope }, index) => {
    const byMs = date === undefined ? Date.parse(at ?? '') : startOfDate(addDays(date, 1), timeZone)
    const observedAtMs = observed[index]
    const nextAtMs = observed[index + 1]
    // The same event brought this step and the next one: this one never was.
    const isSkipped = observedAtMs !== undefined && nextAtMs === observedAtMs
    const isLate = (observedAtMs ?? nowMs) > byMs
    const state = isSkipped ? 'skipped' : isLate ? 'late' : observedAtMs === undefined ? 'planned' : 'done'
    return { scope: scopeOf(scope), byMs, state, observedAtMs }
  })
}

export const scopeOf = (given: NonNullable<OrderItem['scope']> | undefined): ReleaseScope =>
  given === undefined ? EVERYBODY : { selectors: given.selectors, weightPercent: given.weightPercent }

/** A step that tells no scope says nothing of it, unless it is the last one. */
const isTold = (scope: ReleaseScope, kind: string) =>
  isLimited(scope) || scope.weightPercent !== undefined || kind === 'completed' || kind === 'ready'

/** Whether a scope takes in another one: wider, or the same attribute with all of its values. */
export function covers(seen: ReleaseScope, planned: ReleaseScope): boolean {
  if ((seen.weightPercent ?? 100) < (planned.weightPercent ?? 100)) return false
  if (levelOf(seen) !== levelOf(planned)) return levelOf(seen) > levelOf(planned)
  return planned.selectors.every(({ attribute, values }) => {
    const own = seen.selectors.find((one) => one.attribute === attribute)
    return own !== undefined && (own.match !== 'exact' || values.every((value) => own.values.includes(value)))
  })
}
