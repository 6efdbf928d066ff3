// What the slices of SLOs come to over a period, group by group: sums of the engine where events are counted, time slices one by one
// where they are judged. Excluded time is told apart, never lost.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { readSlices, sumSlices } from '../measure/slice-store.ts'
import { unitMs, type Budgeting } from '../slo/budgeting.ts'
import { judgedTimeSlices, type Timeslices } from '../slo/composite-timeslices.ts'
import { compositeSlices } from '../slo/composite.ts'
import { countWindow } from '../slo/count-window.ts'
import { excludedSlices, type ExcludedStretch } from '../slo/exclusion.ts'
import { countWithin, mergeRanges, type SliceRange } from '../slo/slice-ranges.ts'
import { emptyColumns, stateOf, type SliceColumns } from '../slo/slices.ts'
import type { Counts, WindowFigures } from '../slo/window-figures.ts'
import { fittedCounts } from './fitted-counts.ts'
import type { Judged, Slo } from './slos.ts'

/** The slices of a period that are counted. */
export type Span = {
  readonly fromMs: number
  /** What lies behind it is not complete yet. */
  readonly countedToMs: number
  readonly endMs: number
}

/** One part of what is judged, in one group. */
export type PartFigures = { readonly figures: WindowFigures; readonly firstSecond: number | undefined }
/** Group → part by part; a part without slices in the group counts nothing. Of a composite of Timeslices one for the whole. */
export type GroupFigures = ReadonlyMap<string, readonly PartFigures[]>
export type BadMinutes = { readonly all: number; readonly net: number }

const SERIES_AT_ONCE = 1000
/** Slices read at once: a month of ten-second ones. */
const READ_SECONDS = 31 * 86_400

const count = z.coerce.number()
const badMinutes = statement(
  new URL('./bad-minutes.sql', import.meta.url),
  z.object({
    series: z.array(z.string()),
    step: z.number().int(),
    is_together: z.number().int(),
    from: z.number().int(),
    to: z.number().int(),
    excluded_from: z.array(z.string()),
    excluded_to: z.array(z.string()),
  }),
  z.object({ item: z.string(), slo_group: z.string(), minutes: count, minutes_net: count }),
)

type Together = {
  readonly stepMs: Slo['stepMs']
  readonly excluded: readonly SliceRange[]
  readonly slos: Slo[]
}

/** SLOs with slices of one length and the same excluded time are asked for together. */
export function alike(
  slos: readonly Slo[],
  stretchesOf: (slo: Slo) => readonly ExcludedStretch[],
): readonly Together[] {
  const kinds = new Map<string, Together>()
  for (const slo of slos) {
    const excluded = excludedSlices(stretchesOf(slo), slo.stepMs)
    const key = JSON.stringify([slo.stepMs, excluded])
    const kind = kinds.get(key) ?? { stepMs: slo.stepMs, excluded, slos: [] }
    kind.slos.push(slo)
    kinds.set(key, kind)
  }
  return [...kinds.values()]
}

const judgedByEvents = ({ compiled }: Judged) => compiled.policy.budgeting.method === 'Occurrences'

/** @returns by SLO and place of the judged in it @throws StoreError */
export async function periodFigures(
  store: Pick<Store, 'ask'>,
  { stepMs, excluded, slos }: Together,
  span: Span,
): Promise<ReadonlyMap<Judged, GroupFigures>> {
  const found = new Map<Judged, GroupFigures>()
  const all = slos.flatMap(({ judged }) => judged)
  const summed = all.filter(judgedByEvents)
  const series = [...new Set(summed.flatMap(({ parts }) => parts.map((part) => part.series)))]
  const bySeries = await eventSums(store, series, stepMs, excluded, span)
  const none = noEvents(stepMs, excluded, span)
  for (const judged of summed)
    found.set(
      judged,
      grouped(judged, (one) => bySeries.get(one) ?? new Map<string, PartFigures>(), none),
    )
  for (const judged of all)
    if (!judgedByEvents(judged))
      found.set(judged, await timeSliceFigures(store, judged, stepMs, excluded, span))
  return found
}

function grouped(
  { parts }: Judged,
  figuresOf: (series: string) => ReadonlyMap<string, PartFigures>,
  none: PartFigures,
): GroupFigures {
  const groups = groupsOf(parts.flatMap(({ series }) => [...figuresOf(series).keys()]))
  return new Map(
    [...groups]
      .toSorted()
      .map((group) => [group, parts.map(({ series }) => figuresOf(series).get(group) ?? none)]),
  )
}

/** Before the first group came, slices without one stood for all of them. */
function groupsOf(found: readonly string[]): readonly string[] {
  const groups = new Set(found)
  if (groups.size > 1) groups.delete('')
  return groups.size === 0 ? [''] : [...groups].toSorted()
}

const rangeOf = (stepMs: number, { fromMs, countedToMs }: Span): SliceRange => {
  const from = Math.ceil(fromMs / stepMs)
  return { from, to: Math.max(from, Math.floor(countedToMs / stepMs)) }
}

async function eventSums(
  store: Pick<Store, 'ask'>,
  series: readonly string[],
  stepMs: number,
  excluded: readonly SliceRange[],
  span: Span,
): Promise<ReadonlyMap<string, ReadonlyMap<string, PartFigures>>> {
  const stepSeconds = stepMs / 1000
  const { from, to } = rangeOf(stepMs, span)
  const found = new Map<string, Map<string, PartFigures>>()
  for (let place = 0; place < series.length; place += SERIES_AT_ONCE) {
    const rows = await sumSlices(
      store,
      {
        series: series.slice(place, place + SERIES_AT_ONCE),
        stepSeconds,
        fromSecond: from * stepSeconds,
        toSecond: to * stepSeconds,
      },
      secondsOf(excluded, stepSeconds),
    )
    for (const row of rows) {
      const groups = found.get(row.series) ?? new Map<string, PartFigures>()
      const figures = eventFigures(row.all, row.excluded, stepMs, excluded, span)
      groups.set(row.group, { figures, firstSecond: row.all.known > 0 ? row.firstSecond : undefined })
      found.set(row.series, groups)
    }
  }
  return found
}

const NOTHING = { good: 0, total: 0, known: 0, empty: 0 }
const noEvents = (stepMs: number, excluded: readonly SliceRange[], span: Span): PartFigures => ({
  figures: eventFigures(NOTHING, NOTHING, stepMs, excluded, span),
  firstSecond: undefined,
})

function eventFigures(
  all: Omit<Counts, 'expected'>,
  left: Omit<Counts, 'expected'>,
  stepMs: number,
  excluded: readonly SliceRange[],
  span: Span,
): WindowFigures {
  const { from, to } = rangeOf(stepMs, span)
  const expected = to - from
  return {
    fromMs: from * stepMs,
    toMs: to * stepMs,
    endMs: span.endMs,
    wholeUnits: Math.floor(span.endMs / stepMs) - from,
    gross: { ...all, expected },
    net: {
      good: all.good - left.good,
      total: all.total - left.total,
      known: all.known - left.known,
      empty: all.empty - left.empty,
      expected: expected - countWithin(excluded, from, to),
    },
  }
}

type Held = { readonly columns: SliceColumns; readonly firstSecond: number | undefined }

/** Part by part, but for a composite of Timeslices, whose slices are bad when they are bad for any part: that is one. */
async function timeSliceFigures(
  store: Pick<Store, 'ask'>,
  { compiled, parts, isComposite }: Judged,
  stepMs: number,
  excluded: readonly SliceRange[],
  span: Span,
): Promise<GroupFigures> {
  const { budgeting } = compiled.policy
  const steps = unitMs(budgeting, stepMs) / stepMs
  const from = Math.ceil(span.fromMs / stepMs / steps) * steps
  const range = { from, to: Math.max(from, Math.floor(span.countedToMs / stepMs / steps) * steps) }
  const read = new Map<string, ReadonlyMap<string, Held>>()
  for (const { series } of parts)
    if (!read.has(series)) read.set(series, await readColumns(store, series, stepMs, range))
  const groups = groupsOf([...read.values()].flatMap((held) => [...held.keys()]))
  const nothing: Held = {
    columns: emptyColumns(stepMs, range.from, range.to - range.from),
    firstSecond: undefined,
  }
  return new Map(
    groups.map((group) => {
      const held = parts.map(({ series }) => read.get(series)?.get(group) ?? nothing)
      if (isComposite && budgeting.method === 'Timeslices') {
        const whole = compositeSlices(
          held.map(({ columns }, place) =>
            judgedTimeSlices(columns, timeslicesOf(parts[place]?.budgeting, budgeting)),
          ),
        )
        const firsts = held.flatMap(({ firstSecond }) => firstSecond ?? [])
        const units = (one: SliceRange) => ({
          from: Math.floor(one.from / steps),
          to: Math.ceil(one.to / steps),
        })
        const figures = countWindow(
          whole,
          { ...budgeting, timeSliceTarget: 1 },
          units(range),
          mergeRanges(excluded.map(units)),
          span.endMs,
        )
        return [group, [{ figures, firstSecond: firsts.length === 0 ? undefined : Math.min(...firsts) }]]
      }
      const figures = held.map(({ columns, firstSecond }, place) => ({
        figures: countWindow(columns, parts[place]?.budgeting ?? budgeting, range, excluded, span.endMs),
        firstSecond,
      }))
      return [group, figures]
    }),
  )
}

const timeslicesOf = (own: Budgeting | undefined, otherwise: Timeslices) =>
  own?.method === 'Timeslices' ? own : otherwise

/** By group. */
async function readColumns(
  store: Pick<Store, 'ask'>,
  series: string,
  stepMs: number,
  { from, to }: SliceRange,
): Promise<ReadonlyMap<string, Held>> {
  const stepSeconds = stepMs / 1000
  const groups = new Map<string, { readonly columns: SliceColumns; firstSecond: number | undefined }>()
  for (let second = from * stepSeconds; second < to * stepSeconds; second += READ_SECONDS) {
    const slices = await readSlices(store, {
      series: [series],
      stepSeconds,
      fromSecond: second,
      toSecond: Math.min(second + READ_SECONDS, to * stepSeconds),
    })
    for (const slice of slices) {
      const held = groups.get(slice.group) ?? {
        columns: emptyColumns(stepMs, from, to - from),
        firstSecond: undefined,
      }
      groups.set(slice.group, held)
      const index = slice.startSecond / stepSeconds - from
      const { good, total } = fittedCounts(slice)
      held.columns.good[index] = good
      held.columns.total[index] = total
      held.columns.state[index] = stateOf(slice)
      if (slice.isKnown) held.firstSecond ??= slice.startSecond
    }
  }
  return groups
}

/** @returns by judged and group @throws StoreError */
export async function periodBadMinutes(
  store: Pick<Store, 'ask'>,
  { stepMs, excluded, slos }: Together,
  span: Span,
): Promise<(judged: Judged, group: string) => BadMinutes> {
  const stepSeconds = stepMs / 1000
  const { from, to } = rangeOf(stepMs, span)
  const ask = async (series: readonly string[], isTogether: boolean) => {
    if (series.length === 0 || to <= from) return []
    return store.ask(
      badMinutes,
      {
        series: [...series],
        step: stepSeconds,
        is_together: Number(isTogether),
        from: from * stepSeconds,
        to: to * stepSeconds,
        excluded_from: secondsOf(excluded, stepSeconds).map((one) => String(one.from)),
        excluded_to: secondsOf(excluded, stepSeconds).map((one) => String(one.to)),
      },
      { lane: 'heavy', secondsMax: 120 },
    )
  }
  const all = slos.flatMap(({ judged }) => judged)
  const found = new Map<string, BadMinutes>()
  const take = (rows: Awaited<ReturnType<typeof ask>>, whole: string) => {
    for (const { item, slo_group, minutes, minutes_net } of rows)
      found.set(JSON.stringify([item === '' ? whole : item, slo_group]), { all: minutes, net: minutes_net })
  }
  const single = [
    ...new Set(all.filter(({ parts }) => parts.length === 1).map(({ parts }) => parts[0]?.series ?? '')),
  ]
  for (let place = 0; place < single.length; place += SERIES_AT_ONCE)
    take(await ask(single.slice(place, place + SERIES_AT_ONCE), false), '')
  for (const judged of all)
    if (judged.parts.length > 1) take(await ask([...new Set(seriesOf(judged))], true), wholeOf(judged))
  return (judged, group) => found.get(JSON.stringify([wholeOf(judged), group])) ?? { all: 0, net: 0 }
}

const seriesOf = ({ parts }: Judged) => parts.map(({ series }) => series)
const wholeOf = (judged: Judged) => seriesOf(judged).join('+')

const secondsOf = (ranges: readonly SliceRange[], stepSeconds: number) =>
  ranges.map(({ from, to }) => ({ from: from * stepSeconds, to: to * stepSeconds }))
