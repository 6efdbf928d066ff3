// Brings sums to what the store knows: whole windows by sums that the engine makes, the newest slices one by one, and pages of
// those that are about to leave long windows.

import type { Store } from '../../ingest/store/store.ts'
import { readColumns, type ReadColumns } from '../../query/measure/slice-columns.ts'
import { sumSlices, type SeriesRange, type SumsRow } from '../../query/measure/slice-store.ts'
import { EMPTY, emptyColumns, MEASURED, type SliceColumns } from '../../query/slo/slices.ts'
import type { SliceRange } from '../../query/slo/slice-ranges.ts'
import type { WindowTotals } from '../../query/slo/window-figures.ts'
import type { WindowSums } from '../../query/slo/window-sums.ts'
import { fittedCounts } from '../../query/promises/fitted-counts.ts'
import { allSums, excludedOf, headMsOf, type Track } from './track.ts'

type Member = {
  readonly track: Track
  readonly series: string
  readonly group: string
  readonly sums: WindowSums
}

const NO_SUMS: WindowTotals = {
  all: { good: 0, total: 0, known: 0, empty: 0 },
  excluded: { good: 0, total: 0, known: 0, empty: 0 },
}
/** Pages hold what leaves within an hour. */
const PAGE_MS = 3_600_000

function membersOf(tracks: readonly Track[]): Member[] {
  return tracks.flatMap((track) =>
    allSums(track).map(({ series, sums }) => ({
      track,
      series,
      group: track.probe?.sums === sums ? '' : track.group,
      sums,
    })),
  )
}

const keyOf = ({ series, group }: { readonly series: string; readonly group: string }) => `${series}/${group}`

/**
 * Everything anew at the tracks' heads. All of them have slices of one length.
 * @throws StoreError
 */
export async function fillTracks(store: Pick<Store, 'ask'>, tracks: readonly Track[]): Promise<void> {
  const [first] = tracks
  if (first === undefined) return
  const { stepMs } = first.slo
  const members = membersOf(tracks)
  const heldFrom = Math.min(...members.map(({ sums }) => sums.head - sums.heldSlices))
  const head = Math.max(...members.map(({ sums }) => sums.head))
  const held = await readColumns(store, rangeOf(members, stepMs, { from: heldFrom, to: head }))
  const totals = await totalsOf(store, members.filter(isByEvents), stepMs)
  for (const member of members) {
    const { sums, track } = member
    const key = keyOf(member)
    if (!isByEvents(member)) continue
    const excluded = excludedSeconds(track)
    const found = sums.windows.flatMap(
      (_, window) => totals.get(`${key}@${rangeKey(sums.bounds(window), excluded)}`) ?? [],
    )
    // At the beginning of a month burn windows reach further back than it: what leaves them is not unknown.
    const known = found.flatMap(({ all, firstSecond }) => (all.known === 0 ? [] : [firstSecond]))
    const firstSecond = known.length === 0 ? undefined : Math.min(...known)
    know(track, firstSecond, Math.max(0, ...found.map(({ all }) => all.total)))
    const hot = columnsOf(held.get(key), stepMs, { from: sums.head - sums.heldSlices, to: sums.head })
    const knownFrom = firstSecond === undefined ? sums.head : Math.floor((firstSecond * 1000) / stepMs)
    sums.start(hot, knownFrom, sums.head, (range) => {
      const one = totals.get(`${key}@${rangeKey(range, excluded)}`)
      return one === undefined ? NO_SUMS : { all: one.all, excluded: one.excluded }
    })
  }
  await loadAnew(
    store,
    members.filter((member) => !isByEvents(member)),
    stepMs,
  )
  await fillPages(store, tracks)
}

const isByEvents = ({ track }: Member) => track.judged.compiled.policy.budgeting.method === 'Occurrences'

/** Time slices cannot be made of sums: slices of the longest window are read. @param members  all of their tracks */
async function loadAnew(
  store: Pick<Store, 'ask'>,
  members: readonly Member[],
  stepMs: number,
): Promise<void> {
  const columns = new Map<WindowSums, SliceColumns>()
  for (const member of members) {
    const { sums, track } = member
    const from = Math.min(...sums.windows.map((_, window) => sums.bounds(window).from))
    const range = { from, to: sums.head }
    const own = (await readColumns(store, rangeOf([member], stepMs, range))).get(keyOf(member))
    know(track, own?.starts[own.known.indexOf(1)], own?.totals.reduce((sum, total) => sum + total, 0) ?? 0)
    const read = columnsOf(own, stepMs, range)
    columns.set(sums, read)
    sums.load(read, sums.head)
  }
  for (const { whole, parts } of new Set(members.map(({ track }) => track)))
    whole?.load(parts.flatMap(({ sums }) => columns.get(sums) ?? []))
}

function know(track: Track, firstSecond: number | undefined, total: number): void {
  if (total > 0) track.isMatched = true
  if (firstSecond === undefined) return
  track.knownFromMs = Math.min(firstSecond * 1000, track.knownFromMs ?? Number.POSITIVE_INFINITY)
}

/**
 * Pages of slices that are about to leave, read when those at hand end; and windows that are torn, because their slices were not
 * at hand, made anew.
 * @throws StoreError
 */
export async function fillPages(store: Pick<Store, 'ask'>, tracks: readonly Track[]): Promise<void> {
  const [first] = tracks
  if (first === undefined) return
  const { stepMs } = first.slo
  const ahead = PAGE_MS / stepMs
  const members = membersOf(tracks)
  // Asked for a little before they are needed, so that one cycle's pages come in one question.
  const wanted = members.flatMap((member) =>
    member.sums.wantedTails(1).map(({ window, from }) => ({ member, window, from, to: from + ahead })),
  )
  for (const [, ranges] of Map.groupBy(wanted, ({ from, to }) => `${from}-${to}`)) {
    const [{ from, to }] = ranges as [(typeof ranges)[number]]
    const range = rangeOf(
      ranges.map(({ member }) => member),
      stepMs,
      { from, to },
    )
    const rows = await readColumns(store, range)
    for (const { member, window } of ranges)
      member.sums.fillTail(window, columnsOf(rows.get(keyOf(member)), stepMs, { from, to }))
  }
  await fillWholes(store, tracks, stepMs)
  const isTorn = (sums: WindowSums | undefined) =>
    sums?.windows.some((_, window) => sums.figures(window) === undefined) === true
  const tornTracks = tracks.filter(
    (track) => isTorn(track.whole?.sums) || allSums(track).some(({ sums }) => isTorn(sums)),
  )
  await loadAnew(
    store,
    membersOf(tornTracks).filter((member) => !isByEvents(member)),
    stepMs,
  )
  const torn = members.filter((member) => isByEvents(member) && isTorn(member.sums))
  if (torn.length > 0) {
    const totals = await totalsOf(store, torn, stepMs)
    for (const member of torn)
      for (const [window] of member.sums.windows.entries()) {
        if (!member.sums.isTorn(window)) continue
        const found = totals.get(
          `${keyOf(member)}@${rangeKey(member.sums.bounds(window), excludedSeconds(member.track))}`,
        )
        member.sums.reload(
          window,
          found === undefined ? NO_SUMS : { all: found.all, excluded: found.excluded },
        )
      }
  }
}

/** Pages of composites that have sums of their own, made of their parts'. */
async function fillWholes(
  store: Pick<Store, 'ask'>,
  tracks: readonly Track[],
  stepMs: number,
): Promise<void> {
  for (const track of tracks) {
    const { whole } = track
    if (whole === undefined) continue
    const members = membersOf([track])
    const ahead = Math.ceil(PAGE_MS / whole.sums.stepMs)
    for (const { window, from } of whole.sums.wantedTails(1)) {
      const range = whole.stepsOf({ from, to: from + ahead })
      const rows = await readColumns(store, rangeOf(members, stepMs, range))
      const columns = members.map((member) => columnsOf(rows.get(keyOf(member)), stepMs, range))
      whole.sums.fillTail(window, whole.combine(columns))
    }
  }
}

function rangeOf(members: readonly Member[], stepMs: number, { from, to }: SliceRange): SeriesRange {
  const series = new Set(members.map((member) => member.series))
  const seconds = stepMs / 1000
  return {
    series: [...series],
    stepSeconds: seconds,
    fromSecond: from * seconds,
    toSecond: to * seconds,
  }
}

const excludedCache = new WeakMap<Track, { headMs: number; seconds: readonly SliceRange[] }>()

/** What is excluded, as seconds; worked out once a head. */
function excludedSeconds(track: Track): readonly SliceRange[] {
  const headMs = headMsOf(track)
  const cached = excludedCache.get(track)
  if (cached?.headMs === headMs) return cached.seconds
  const step = track.slo.stepMs / 1000
  const seconds = excludedOf(track, headMs).map(({ from, to }) => ({ from: from * step, to: to * step }))
  excludedCache.set(track, { headMs, seconds })
  return seconds
}

const rangeKey = ({ from, to }: SliceRange, excluded: readonly SliceRange[]) =>
  `${from}-${to}:${excluded.map((one) => `${one.from}-${one.to}`).join(',')}`

/** Sums of every window of the members; windows of the same bounds and exclusions are one question. */
async function totalsOf(
  store: Pick<Store, 'ask'>,
  members: readonly Member[],
  stepMs: number,
): Promise<ReadonlyMap<string, SumsRow>> {
  const wanted = new Map<string, { range: SliceRange; excluded: readonly SliceRange[]; members: Member[] }>()
  for (const member of members) {
    const excluded = excludedSeconds(member.track)
    for (const [window] of member.sums.windows.entries()) {
      const range = member.sums.bounds(window)
      const key = rangeKey(range, excluded)
      const entry = wanted.get(key) ?? { range, excluded, members: [] }
      entry.members.push(member)
      wanted.set(key, entry)
    }
  }
  const found = new Map<string, SumsRow>()
  for (const [key, { range, excluded, members: asking }] of wanted) {
    if (range.to <= range.from) continue
    for (const row of await sumSlices(store, rangeOf(asking, stepMs, range), excluded))
      found.set(`${keyOf(row)}@${key}`, row)
  }
  return found
}

export function columnsOf(
  read: ReadColumns | undefined,
  stepMs: number,
  { from, to }: SliceRange,
): SliceColumns {
  const columns = emptyColumns(stepMs, from, to - from)
  if (read === undefined) return columns
  for (const [place, start] of read.starts.entries()) {
    const index = (start * 1000) / stepMs - from
    if (index < 0 || index >= columns.total.length) continue
    columns.revision[index] = read.revisions[place] ?? 0
    if (read.known[place] !== 1) continue
    const { good, total } = fittedCounts({ good: read.goods[place] ?? 0, total: read.totals[place] ?? 0 })
    columns.good[index] = good
    columns.total[index] = total
    columns.state[index] = total === 0 ? EMPTY : MEASURED
  }
  return columns
}
