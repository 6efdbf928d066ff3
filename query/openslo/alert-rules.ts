// Alert policies of an SLO with everything they refer to. A reference that leads nowhere is told where references are checked.

import type { AlertRule } from '../slo/model.ts'
import { durationMs, parseDuration } from './duration.ts'
import type { Path, Tell } from './problem.ts'
import type { Resolver } from './references.ts'
import type { AlertPolicySpecV1, SloSpecV1 } from './schema-v1.ts'

export function alertRulesOf({ alertPolicies = [] }: SloSpecV1, resolve: Resolver): AlertRule[] {
  return alertPolicies.flatMap((written) => {
    if (!('alertPolicyRef' in written)) return rulesOf(written.metadata.name, written.spec, resolve)
    const policy = resolve('AlertPolicy', written.alertPolicyRef)
    return policy === undefined ? [] : rulesOf(policy.metadata.name, policy.spec, resolve)
  })
}

function rulesOf(policy: string, spec: AlertPolicySpecV1, resolve: Resolver): AlertRule[] {
  const targets = spec.notificationTargets.flatMap((written) => {
    const target = 'targetRef' in written ? resolve('AlertNotificationTarget', written.targetRef) : written
    return target === undefined ? [] : [{ name: target.metadata.name, target: target.spec.target }]
  })
  return spec.conditions.flatMap((written): AlertRule[] => {
    const condition = 'conditionRef' in written ? resolve('AlertCondition', written.conditionRef) : written
    if (condition === undefined) return []
    const { severity, condition: burn } = condition.spec
    const length = (text: string | undefined) => {
      const duration = parseDuration(text ?? '')
      return duration === undefined ? 0 : durationMs(duration)
    }
    return [
      {
        policy,
        condition: condition.metadata.name,
        severity,
        op: burn.op,
        burnRate: burn.threshold,
        lookbackMs: length(burn.lookbackWindow),
        alertAfterMs: length(burn.alertAfter),
        when: {
          noData: spec.alertWhenNoData ?? false,
          resolved: spec.alertWhenResolved ?? false,
          breaching: spec.alertWhenBreaching ?? false,
        },
        targets,
      },
    ]
  })
}

/** A rule that can never fire is refused. @param targets  of the objectives it watches */
export function checkBurnRates(rules: readonly AlertRule[], targets: readonly number[], tell: Tell): void {
  const most = round(1 / (1 - Math.max(...targets)))
  const path: Path = ['spec', 'alertPolicies']
  for (const { op, burnRate, condition } of rules)
    if ((op === 'gt' && burnRate >= most) || (op === 'gte' && burnRate > most))
      tell(
        'error',
        'burn-threshold',
        path,
        `burn rate ${burnRate} of «${condition}» can never be exceeded: max burn rate is ${most}`,
        'take a lower threshold',
      )
}

// 1 / (1 − 0.9) is 10.000000000000002 in binary fractions.
const round = (value: number) => Number(value.toPrecision(12))
