// Rules of what stands by itself or inside an SLO: SLIs, alert policies, alert conditions.

import type { Path, Tell } from './problem.ts'
import type { AlertConditionSpecV1, AlertPolicySpecV1, SliSpecV1 } from './schema-v1.ts'

export function checkSli(spec: SliSpecV1, path: Path, tell: Tell): void {
  const { thresholdMetric, ratioMetric } = spec
  if (!exactlyOne({ thresholdMetric, ratioMetric }, path, tell)) return
  if (ratioMetric === undefined) return
  const at = [...path, 'ratioMetric']
  const { good, bad, total, raw, rawType } = ratioMetric
  if (!exactlyOne({ total, raw }, at, tell)) return
  if (raw !== undefined) {
    if (good !== undefined || bad !== undefined)
      tell(
        'error',
        'one-of',
        at,
        'has raw, which is a ratio already, and good or bad',
        'leave out good and bad, or put total in place of raw',
      )
    if (rawType === undefined)
      tell('error', 'required', at, 'has raw and no rawType', 'say rawType: success or failure')
    return
  }
  if (rawType !== undefined)
    tell('warning', 'ignored-field', [...at, 'rawType'], 'means nothing without raw', 'leave it out')
  exactlyOne({ good, bad }, at, tell)
}

/** Whether exactly one of some members is there; tells when not. */
export function exactlyOne(members: Readonly<Record<string, unknown>>, path: Path, tell: Tell): boolean {
  const names = Object.keys(members)
  const there = names.filter((one) => members[one] !== undefined)
  if (there.length === 1) return true
  const [code, what] =
    there.length === 0
      ? (['required', `has none of ${names.join(', ')}`] as const)
      : (['one-of', `has ${there.join(' and ')}`] as const)
  tell('error', code, path, what, `keep exactly one of ${names.join(', ')}`)
  return false
}

export function checkPolicy({ conditions }: AlertPolicySpecV1, path: Path, tell: Tell): void {
  conditions.forEach((condition, index) => {
    if ('spec' in condition) checkCondition(condition.spec, [...path, 'conditions', index, 'spec'], tell)
  })
}

export function checkCondition(
  { condition: { op, threshold } }: AlertConditionSpecV1,
  path: Path,
  tell: Tell,
): void {
  if (op === 'lt' || op === 'lte')
    tell(
      'warning',
      'threshold',
      [...path, 'condition', 'op'],
      `fires while the burn rate is ${op === 'lt' ? 'below' : 'at most'} ${threshold}`,
      `a budget burns above a rate: did you mean «${op === 'lt' ? 'gt' : 'gte'}»?`,
    )
}
