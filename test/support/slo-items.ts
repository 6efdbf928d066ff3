// SLOs as the API tells them, for tests of what is made of them.

import type { SloItem, SloSide } from '../../query/http/slo-schemas.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()

export function sloSide(sliRatio: number | null, target: number, coverage = 1): SloSide {
  return {
    sliRatio,
    burnRate: sliRatio === null ? null : (1 - sliRatio) / (1 - target),
    coverage,
    kind: sliRatio === null ? 'no-data' : 'known',
    good: Math.round((sliRatio ?? 0) * 100_000),
    total: sliRatio === null ? 0 : 100_000,
  }
}

/** A healthy SLO of 99.5 % over 30 days, but for what is given. */
export function sloItem(given: Partial<SloItem> & { readonly slo: string }, nowMs = Date.now()): SloItem {
  const target = given.target ?? 0.995
  const net = sloSide(0.9991, target)
  const burn = (windowSeconds: number) => ({
    windowSeconds,
    net: sloSide(0.9992, target),
    gross: sloSide(0.9992, target),
  })
  const since = iso(nowMs - 90 * MINUTE)
  const quiet = {
    phase: 'inactive',
    since,
    hold: 'none',
    by: 'traffic',
    longBurnRate: 0.16,
    shortBurnRate: 0.16,
  } as const
  return {
    objective: 0,
    objectiveName: '',
    group: null,
    groupKey: '',
    displayName: given.slo,
    description: '',
    service: 'gateway',
    system: 'service-gateway',
    tier: 'critical',
    owner: 'platform',
    target,
    budgetingMethod: 'Occurrences',
    sliKinds: ['availability'],
    isComposite: false,
    windowText: '30d',
    stepSeconds: 10,
    generation: 1,
    condition: 'healthy',
    since,
    isFrozen: false,
    sentences: { en: '82% of the 30-day budget is left.', 'zh-CN': '30 天错误预算剩余 82%。' },
    window: { from: iso(nowMs - 30 * 1440 * MINUTE), to: iso(nowMs), end: iso(nowMs), net, gross: net },
    budget: {
      unit: 'events',
      allowed: 500,
      spent: 90,
      remaining: 410,
      remainingRatio: 0.82,
      isEstimate: false,
    },
    budgetGross: null,
    burnRates: [300, 1800, 3600, 21_600].map(burn),
    pairs: [
      {
        id: 'page-1h',
        severity: 'page',
        factor: 14.4,
        longWindowSeconds: 3600,
        shortWindowSeconds: 300,
        ...quiet,
      },
      {
        id: 'page-6h',
        severity: 'page',
        factor: 6,
        longWindowSeconds: 21_600,
        shortWindowSeconds: 1800,
        ...quiet,
      },
    ],
    pace: null,
    outage: { phase: 'inactive', since },
    silence: { phase: 'heard', since },
    failures: { count: 0, since, message: null },
    lastGood: null,
    knownFrom: iso(nowMs - 40 * 1440 * MINUTE),
    backfill: null,
    isMissing: false,
    hint: null,
    groups: null,
    judgedAt: iso(nowMs - 2000),
    toldAt: iso(nowMs - 1000),
    ...given,
  }
}

/** Half of the requests fail. */
export function outageItem(given: Partial<SloItem> & { readonly slo: string }, nowMs = Date.now()): SloItem {
  const target = given.target ?? 0.995
  const net = sloSide(0.98, target)
  const bad = { windowSeconds: 300, net: sloSide(0.5, target), gross: sloSide(0.5, target) }
  const plain = sloItem(given, nowMs)
  return {
    ...plain,
    condition: 'outage',
    since: iso(nowMs - 2 * MINUTE),
    sentences: {
      en: 'Outage since 10:00: most requests fail; the 30-day budget is overspent by 40%.',
      'zh-CN': '自 10:00 起中断：多数请求失败；30 天错误预算已超支 40%。',
    },
    window: plain.window === null ? null : { ...plain.window, net, gross: net },
    budget: {
      unit: 'events',
      allowed: 500,
      spent: 700,
      remaining: -200,
      remainingRatio: -0.4,
      isEstimate: false,
    },
    burnRates: [bad, ...plain.burnRates.slice(1)],
    outage: { phase: 'firing', since: iso(nowMs - 2 * MINUTE) },
    ...given,
  }
}
