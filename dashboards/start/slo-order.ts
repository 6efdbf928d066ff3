// Which SLO is looked at first: worst conditions first, groups folded under their SLO, and what a filter leaves. Pure.

import type { Condition, SloItem } from '../../query/http/slo-schemas.ts'

/** One line of the list: an SLO's objective, or all its groups under the worst of them. */
export type SloLine = {
  readonly key: string
  readonly worst: SloItem
  /** Worst first; empty without groups. */
  readonly groups: readonly SloItem[]
}

/** Worst first, as the API's contract orders its conditions. */
export const worstFirst = [
  'outage',
  'burning-fast',
  'burning-slow',
  'error',
  'no-data',
  'excluded',
  'exhausted',
  'insufficient-events',
  'no-traffic',
  'healthy',
] as const satisfies readonly Condition[]

const ranks = new Map<Condition, number>(worstFirst.map((condition, rank) => [condition, rank]))
const tierRanks = { critical: 0, general: 1, office: 2 } as const

/** One line per objective of an SLO, worst first. */
export function foldGroups(items: readonly SloItem[]): SloLine[] {
  const folds = Map.groupBy(items.toSorted(byWorst), lineKeyOf)
  // Insertion order is the order of the worst of each.
  return [...folds].flatMap(([key, [worst, ...others]]) => {
    if (worst === undefined) return []
    const isGrouped = worst.group !== null || others.length > 0
    return [{ key, worst, groups: isGrouped ? [worst, ...others] : [] }]
  })
}

/** The line that an item stands in. */
export function lineKeyOf({ slo, objective }: Pick<SloItem, 'slo' | 'objective'>): string {
  return `${slo}\n${objective}`
}

/** What is judged by itself, as a key that no other has. */
export function itemKey(which: Pick<SloItem, 'slo' | 'objective' | 'groupKey'>): string {
  return `${which.slo}\n${which.objective}\n${which.groupKey}`
}

/** Worst condition first, then critical systems, then the smaller budget; names decide the rest, so that rows stand still. */
export function byWorst(a: SloItem, b: SloItem): number {
  return (
    rankOf(a.condition) - rankOf(b.condition) ||
    tierRank(a) - tierRank(b) ||
    (a.budget?.remainingRatio ?? Infinity) - (b.budget?.remainingRatio ?? Infinity) ||
    byText(a.displayName || a.slo, b.displayName || b.slo) ||
    byText(itemKey(a), itemKey(b))
  )
}

/** @returns place in the order, 0 the worst; a condition of a newer API comes before the healthy ones */
export function rankOf(condition: Condition): number {
  return ranks.get(condition) ?? worstFirst.length - 1.5
}

/** Whether every word of the filter is somewhere in what names the item. */
export function fitsFilter(item: SloItem, filter: string): boolean {
  const named = [
    item.displayName,
    item.slo,
    item.objectiveName,
    item.service,
    item.system ?? '',
    item.owner ?? '',
    ...Object.entries(item.group ?? {}).flat(),
  ]
    .join('\n')
    .toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => named.includes(word))
}

/** The worst condition of each system's SLOs. */
export function worstBySystem(items: readonly SloItem[]): ReadonlyMap<string, Condition> {
  const found = new Map<string, Condition>()
  for (const { system, condition } of items) {
    if (system === null) continue
    const worst = found.get(system)
    if (worst === undefined || rankOf(condition) < rankOf(worst)) found.set(system, condition)
  }
  return found
}

// Infinity − Infinity is no number, and falls through to the names as it should.
function tierRank({ tier }: SloItem): number {
  return tier === null ? 3 : tierRanks[tier]
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
