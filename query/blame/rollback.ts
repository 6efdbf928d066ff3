// What to take back, when somebody is blamed: as little as will help, callers before what they call. It is a suggestion; nothing here acts.

import type { z } from 'zod'
import type { Rollback, RollbackStep, Told } from '../http/fault-schemas.ts'
import type { Candidate, FaultCase } from './case.ts'
import { order } from './place-causes.ts'
import * as words from './words.ts'

/**
 * @param answer  indexes of candidates that together explain the fault
 * @param relief  excess that they explain ÷ all excess
 */
export function rollbackOf(
  faultCase: FaultCase,
  answer: readonly number[],
  relief: number,
): z.infer<typeof Rollback> {
  const depth = depths(faultCase.calls)
  const chosen = answer
    .flatMap((index) => {
      const candidate = faultCase.candidates[index]
      return candidate === undefined ? [] : [candidate]
    })
    .toSorted(
      (a, b) =>
        (depth.get(a.release.service) ?? 0) - (depth.get(b.release.service) ?? 0) ||
        order(a.release.id, b.release.id),
    )
  const warnings: Told[] = []
  for (const { release } of chosen) {
    const schema = faultCase.candidates.find(
      (other) =>
        other.release.id !== release.id &&
        other.release.service === release.service &&
        other.release.changeType === 'schema',
    )
    if (schema !== undefined) warnings.push(words.rollbackWords.schema(release.service))
    if (release.orderId !== '') warnings.push(words.rollbackWords.order(release.orderId))
  }
  for (const candidate of chosen)
    if (!candidate.release.isReversible)
      warnings.push(words.rollbackWords.irreversible(words.releaseName(candidate)))
  return {
    steps: chosen.map(stepOf),
    expectedReliefRatio: Math.min(1, Math.max(0, Number(relief.toPrecision(6)))),
    warnings: [...new Map(warnings.map((warning) => [warning.en, warning])).values()],
    isUnderWay:
      chosen.length > 0 &&
      chosen.every(
        ({ release, isBeingRolledBack }) =>
          (isBeingRolledBack && release.isReversible) ||
          release.stages.some(
            ({ kind }) => kind === 'rolled_back' || kind === 'aborted' || kind === 'removed',
          ),
      ),
  }
}

function stepOf(candidate: Candidate): z.infer<typeof RollbackStep> {
  const { release } = candidate
  const name = words.releaseName(candidate)
  const base = { release: release.id, toVersion: release.versionFrom }
  if (!release.isReversible)
    return { ...base, action: 'none-irreversible', text: words.rollbackWords['none-irreversible'](name) }
  if (release.changeType === 'config' || release.changeType === 'flag') {
    const parameters = release.parameterChanges
      .slice(0, 5)
      .map(({ name: parameter, before }) => `${parameter}${before === undefined ? '' : ` = ${before}`}`)
      .join(', ')
    return {
      ...base,
      action: 'revert-parameter',
      text: words.rollbackWords['revert-parameter'](name, parameters),
    }
  }
  const scope = words.scopeName(candidate)
  if (scope !== '')
    return { ...base, action: 'withdraw-scope', text: words.rollbackWords['withdraw-scope'](name, scope) }
  return {
    ...base,
    action: 'roll-back-version',
    text: words.rollbackWords['roll-back-version'](release.service || release.target, release.versionFrom),
  }
}

/** How many calls a service is away from where requests come in: 0 for those that nobody calls. Cycles end the walk. */
function depths(calls: readonly (readonly [string, string])[]): ReadonlyMap<string, number> {
  const callees = new Set(calls.map(([, callee]) => callee))
  const depth = new Map<string, number>()
  let front = [...new Set(calls.map(([caller]) => caller))]
    .filter((service) => !callees.has(service))
    .sort(order)
  for (let level = 0; front.length > 0 && level < 50; level++) {
    const next = new Set<string>()
    for (const service of front) {
      if (depth.has(service)) continue
      depth.set(service, level)
      for (const [caller, callee] of calls) if (caller === service && !depth.has(callee)) next.add(callee)
    }
    front = [...next].sort(order)
  }
  return depth
}
