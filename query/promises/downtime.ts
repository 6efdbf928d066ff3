// How much of its yearly allowance each system has used: time in which an SLO of its availability, or a journey of it, was down by the
// outage rule. What was agreed not to count is told apart.

import { reportPeriod } from '../calendar/report-period.ts'
import { dateOf } from '../calendar/zoned-time.ts'
import type { DowntimeReply } from '../http/report-schemas.ts'
import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { SystemSpec } from '../registry/kinds/systems.ts'
import type { Registry } from '../registry/registry.ts'
import { TIERS } from '../registry/tiers.ts'
import { excludedSlices, expandExclusions } from '../slo/exclusion.ts'
import type { Indicator } from '../slo/model.ts'
import { changedRanges, mergeRanges, type SliceRange } from '../slo/slice-ranges.ts'
import { iso } from '../time-range.ts'
import type { AskDown, DownSeries } from './down-slices.ts'
import type { Slo, Slos } from './slos.ts'

type Source = { readonly slo: Slo; readonly objective: number; readonly series: string }
type Item = DowntimeReply['items'][number]

/** @param year  undefined: the one that runs in the zone */
export async function downtimeOf(
  parts: { readonly askDown: AskDown; readonly registry: Registry; readonly nowMs: number },
  { slos }: Slos,
  scope: ReadScope,
  year: number | undefined,
  timeZone: string,
): Promise<DowntimeReply> {
  const { askDown, registry, nowMs } = parts
  const period = reportPeriod(String(year ?? dateOf(nowMs, timeZone).slice(0, 4)), timeZone)
  if (period === undefined) throw new RangeError(`${year} is no year of this century`)
  const { fromMs } = period
  const toMs = Math.max(fromMs, Math.min(period.toMs, nowMs))
  const bySystem = Map.groupBy([...slos.values()].flatMap(sourcesOf), ({ slo }) => slo.system)
  const range = { fromSecond: Math.ceil(fromMs / 1000), toSecond: Math.floor(toMs / 1000) }
  const read = new Map<string, DownSeries>()
  // Whoever asks, the question is the same: what a caller may not read is left out of the answer.
  for (const [stepMs, sources] of Map.groupBy([...bySystem.values()].flat(), ({ slo }) => slo.stepMs)) {
    const series = [...new Set(sources.map((source) => source.series))].toSorted()
    for (const [name, one] of await askDown({ series, stepSeconds: stepMs / 1000, ...range }))
      read.set(name, one)
  }
  const items: Item[] = []
  for (const system of await registry.all(['system'])) {
    if (!mayRead(scope, system.name)) continue
    const { tier, recovery } = system.spec as SystemSpec
    items.push({
      system: system.name,
      tier,
      allowedSeconds: recovery?.downtimeSecondsPerYear ?? TIERS[tier].downtimeSecondsPerYear,
      ...usedBy(bySystem.get(system.name) ?? [], read, { fromMs, toMs }),
    })
  }
  return { from: iso(fromMs), to: iso(toMs), items }
}

/** What tells that a system is down: its availability, and its journeys. Groups are parts of it and tell nothing of the whole. */
function sourcesOf(slo: Slo): Source[] {
  const { definition, judged, system } = slo
  if (system === undefined) return []
  return judged.flatMap(({ objective, parts, isComposite }) =>
    parts.flatMap(({ series }, place) => {
      const promised = definition.objectives[isComposite ? place : objective]
      const indicator = definition.indicators[promised?.indicator ?? -1]
      return indicator !== undefined && tellsDowntime(indicator)
        ? [{ slo, objective: isComposite ? place : objective, series }]
        : []
    }),
  )
}

/** Slow answers and return codes of customers' mistakes are no downtime. */
const tellsDowntime = (indicator: Indicator) =>
  indicator.kind === 'requests' &&
  indicator.good.withinMs === undefined &&
  indicator.groupBy.length === 0 &&
  (indicator.isEntry || indicator.good.returnCodes === undefined)

function usedBy(
  sources: readonly Source[],
  read: ReadonlyMap<string, DownSeries>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Omit<Item, 'system' | 'tier' | 'allowedSeconds'> {
  const unplanned: SliceRange[] = []
  const down: SliceRange[] = []
  let firstSecond: number | undefined
  let coverage: number | undefined
  for (const { slo, series } of sources) {
    const one = read.get(series)
    const stepSeconds = slo.stepMs / 1000
    coverage = Math.max(coverage ?? 0, ((one?.knownSlices ?? 0) * slo.stepMs) / Math.max(1, toMs - fromMs))
    if (one?.firstSecond === undefined) continue
    firstSecond = Math.min(firstSecond ?? one.firstSecond, one.firstSecond)
    const excluded = excludedSlices(expandExclusions(slo.exclusions, fromMs, toMs).stretches, slo.stepMs).map(
      ({ from, to }) => ({ from: from * stepSeconds, to: to * stepSeconds }),
    )
    down.push(...one.down)
    unplanned.push(...without(one.down, excluded))
  }
  // Down for one and not excluded for it is down, whatever others agreed to.
  const counted = mergeRanges(unplanned)
  return {
    unplannedSeconds: lengthOf(counted),
    plannedSeconds: lengthOf(without(mergeRanges(down), counted)),
    knownFrom: firstSecond === undefined ? null : iso(firstSecond * 1000),
    coverage: coverage === undefined ? null : Math.min(1, coverage),
    sources: sources.map(({ slo, objective }) => ({ slo: slo.name, objective })),
  }
}

/** What lies in the ranges and not in the others. */
function without(ranges: readonly SliceRange[], others: readonly SliceRange[]): SliceRange[] {
  const merged = mergeRanges(others)
  return changedRanges(merged, mergeRanges([...ranges, ...others]), 0, Number.MAX_SAFE_INTEGER).map(
    ({ from, to }) => ({ from, to }),
  )
}

const lengthOf = (ranges: readonly SliceRange[]) => ranges.reduce((sum, { from, to }) => sum + to - from, 0)
