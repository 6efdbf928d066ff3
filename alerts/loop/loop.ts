// The one loop that measures slices, judges them and keeps what changed. One Surety of a registry leads; the others wait. A cycle
// either happens as a whole or is due again: slices are written, sums fed, every missed instant judged in order, and states kept
// with their transitions in one transaction.
//
// States: waiting (another leads) → catching up (tracks begin where judging ended) → cycles, until the lead is lost or it stops.

import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Logger } from '../../ingest/runtime/logger.ts'
import { StoreError, type Store } from '../../ingest/store/store.ts'
import type { MeasuredSlice } from '../../query/measure/measured-slice.ts'
import { measureSlices, type MeasuredAll } from '../../query/measure/measure.ts'
import type { RequestQuestion } from '../../query/measure/families.ts'
import type { SliceQuestion } from '../../query/measure/question.ts'
import { measureRequests } from '../../query/measure/requests.ts'
import { revisionAt, sumSlices, writeSlices } from '../../query/measure/slice-store.ts'
import { loadSlos, type Slo } from '../../query/promises/slos.ts'
import { writeFigures, writeStatuses } from '../../query/promises/status-store.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { dueCycles } from '../../query/slo/cycles.ts'
import { missingGroups, trackGroups, type GroupTrack } from '../../query/slo/missing-groups.ts'
import { stateAtStart } from '../../query/slo/slo-state.ts'
import { windowAt } from '../../query/slo/slo-window.ts'
import { buildBackfill, type BackfillLimits } from './backfill.ts'
import { Book, STEPS, type StepMs } from './book.ts'
import { Changes } from './changes.ts'
import { every } from './every.ts'
import { differing, feed } from './feed.ts'
import { fillPages, fillTracks } from './fill.ts'
import { fittedCounts as fitted } from '../../query/promises/fitted-counts.ts'
import { lateSince } from './late-slices.ts'
import { applyApproved, reviewSettled } from './settled-past.ts'
import type { LoopMetrics } from './loop-metrics.ts'
import {
  buildStateStore,
  LeadLost,
  type Changed,
  type KeptState,
  type NumberedLead,
  type Progress,
} from './state-store.ts'
import {
  allSums,
  buildTrack,
  excludeAhead,
  fingerprintOf,
  judge,
  judgeFailed,
  statusRow,
  trackId,
  type Track,
} from './track.ts'

/** How long after its end a slice is complete enough to be judged; what comes later changes it. */
const DELAY_MS: Readonly<Record<StepMs, number>> = { 10_000: 2000, 60_000: 10_000 }
/** Newest slices that every cycle measures again: as far as being heard afterwards says something of them (measure/heard.ts). */
const REMEASURED: Readonly<Record<StepMs, number>> = { 10_000: 7, 60_000: 3 }
/** Of metrics, which come by scrapes and batches of their own. */
const REMEASURED_METRICS_MS = 300_000
/** What comes later than this changes nothing by itself. */
export const ALLOWANCE_MS = 3_600_000
/** The open slice of ten seconds is judged so often. */
const OPEN_MS = 2000
/** Late slices are looked for so often. */
const LATE_MS = 10_000
/** What came later than the allowance is looked at so often, and so far back. */
const SETTLED_MS = 60_000
const SETTLED_REACH_MS = 86_400_000
/** Decisions on corrections are looked for so often. */
const DECISIONS_MS = 2000
/** Figures of every SLO are kept once a minute. */
const FIGURES_MS = 60_000
/** History that grew is counted so often while it grows; where that takes long, for a tenth of the time. */
const REFILL_MS = 5000
const REFILL_PART = 10
/** Instants judged one by one after a pause. */
const CATCH_UP_MAX = 1440

export type LoopParts = {
  readonly store: Store
  readonly registry: Registry
  readonly database: Database
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: LoopMetrics
  readonly limits: BackfillLimits
}

export interface SloLoop {
  /** Does whatever is due; never two at a time. */
  tick(): Promise<void>
  /** Whether this process leads. */
  isLeading(): boolean
  stop(): Promise<void>
}

export function buildSloLoop(parts: LoopParts): SloLoop {
  const { store, registry, database, clock, logger, metrics, limits } = parts
  const states = buildStateStore(database)
  const book = new Book()
  const backfill = buildBackfill(store, database, book, limits, () => clock.now())
  let lead: NumberedLead | undefined
  let kept = new Map<string, KeptState>()
  let changeNumber = -1
  /** Changes that are in memory and could not be kept yet. */
  let pending: Changed[] = []
  const heads = new Map<StepMs, number>()
  const failedAtMs = new Map<StepMs, number>()
  /** First slice that is still to be measured, of series that failed. */
  const owed = new Map<string, number>()
  const groupTracks = new Map<string, GroupTrack>()
  const fingerprints = new Map<string, string>()
  const isOpenDue = every(OPEN_MS)
  let toldMs = 0
  const isLateDue = every(LATE_MS)
  let lateSeenMs = 0
  const isFiguresDue = every(FIGURES_MS)
  const isSettledDue = every(SETTLED_MS)
  const isDecisionsDue = every(DECISIONS_MS)
  let oldestLateMs: number | undefined
  let refillAtMs = 0
  const toRefill = new Set<Slo>()

  async function takeLead(): Promise<boolean> {
    if (lead !== undefined) return true
    const taken = await states.lead()
    if (taken === undefined) return false
    try {
      await begin()
    } catch (error) {
      await taken.release()
      throw error
    }
    lead = taken
    void taken.ended.then(() => {
      if (lead === taken) lead = undefined
    })
    logger.info({}, 'this process measures and judges SLOs')
    return true
  }

  /** Everything anew from what is kept: where judging ended, what states were. */
  async function begin(): Promise<void> {
    for (const { name } of Array.from(book.slos())) book.leave(name)
    fingerprints.clear()
    changeNumber = -1
    pending = []
    owed.clear()
    groupTracks.clear()
    kept = await states.states()
    const nowMs = clock.now()
    lateSeenMs = nowMs - ALLOWANCE_MS
    let isGap = false
    for (const stepMs of STEPS) {
      const { instantsMs, leftOut } = dueCycles(
        await states.judgedToMs(stepMs),
        nowMs,
        stepMs,
        DELAY_MS[stepMs],
        CATCH_UP_MAX,
      )
      const first = instantsMs[0] ?? Math.floor((nowMs - DELAY_MS[stepMs]) / stepMs) * stepMs + stepMs
      heads.set(stepMs, first / stepMs - 1)
      if (leftOut > 0) {
        isGap = true
        metrics.missed.inc(leftOut)
        logger.warn({ leftOut, stepMs }, 'instants too far back were left out; their slices are measured')
      }
    }
    const earliest = Math.min(...STEPS.map((stepMs) => (heads.get(stepMs) ?? 0) * stepMs))
    if (isGap) await backfill.again(earliest)
  }

  const headOf = (stepMs: StepMs) => heads.get(stepMs) ?? 0
  const groupsOf = (series: string) => book.groupsOf(series)

  async function readDefinitions(): Promise<void> {
    if ((await registry.changeNumber()) === changeNumber) return
    const loaded = await loadSlos(registry)
    const gone = [...book.slos()].filter(({ name }) => !loaded.slos.has(name))
    for (const slo of gone) {
      await states.forget(book.leave(slo.name).map(({ id }) => id))
      fingerprints.delete(slo.name)
    }
    const changed = [...loaded.slos.values()].filter((slo) => fingerprints.get(slo.name) !== printOf(slo))
    for (const slo of changed) {
      for (const track of book.leave(slo.name))
        kept.set(track.id, { fingerprint: track.fingerprint, state: track.state })
      book.enter(slo)
    }
    await backfill.enter(changed.map((slo) => ({ slo, knownFromMs: headOf(slo.stepMs) * slo.stepMs })))
    for (const stepMs of STEPS) await addTracks(changed.filter((slo) => slo.stepMs === stepMs))
    await backfill.retain(
      new Set([...loaded.slos.values()].flatMap(({ questions }) => questions.map(({ series }) => series))),
    )
    // What failed on the way is done again.
    for (const slo of changed) fingerprints.set(slo.name, printOf(slo))
    changeNumber = loaded.changeNumber
    metrics.slos.set(loaded.slos.size)
  }

  /** Tracks of SLOs for the groups that the store knows, or one without a group. */
  async function addTracks(slos: readonly Slo[]): Promise<void> {
    const [first] = slos
    if (first === undefined) return
    const { stepMs } = first
    const head = headOf(stepMs)
    const grouped = slos.filter(isGrouped)
    const fromMs = Math.min(
      ...grouped.flatMap(({ judged }) =>
        judged.map(({ compiled }) => windowAt(compiled.policy.window, head * stepMs - 1).fromMs),
      ),
    )
    const rows =
      grouped.length === 0
        ? []
        : await sumSlices(store, {
            series: grouped.flatMap(({ questions }) => questions.map(({ series }) => series)),
            stepSeconds: stepMs / 1000,
            fromSecond: Math.floor(fromMs / 1000),
            toSecond: (head * stepMs) / 1000,
          })
    const counted = new Map<string, string[]>()
    for (const { series, group, all } of rows)
      if (all.total > 0) counted.set(series, [...(counted.get(series) ?? []), group])
    const tracks = slos.flatMap((slo) => {
      const groups = isGrouped(slo) ? (counted.get(slo.questions[0]?.series ?? '') ?? []) : ['']
      return (groups.length === 0 ? [''] : groups).flatMap((group) => tracksFor(slo, group, head))
    })
    for (const track of tracks) book.add(track)
    await fillTracks(store, tracks)
  }

  function tracksFor(slo: Slo, group: string, head: number): Track[] {
    return slo.judged.map((judged) => {
      const id = trackId(slo, judged, group)
      const known = kept.get(id)
      const state =
        known !== undefined && known.fingerprint === fingerprintOf(slo, judged)
          ? known.state
          : stateAtStart(slo.generation, head * slo.stepMs)
      return buildTrack(slo, judged, group, head, state)
    })
  }

  /** Groups that were not seen before begin; the one without a group that stood for them ends. */
  async function admitGroups(stepMs: StepMs, slices: readonly MeasuredSlice[]): Promise<void> {
    const seen = groupsSeen(slices)
    const begun: Track[] = []
    for (const slo of book.slos()) {
      if (slo.stepMs !== stepMs || !isGrouped(slo)) continue
      for (const group of seen.get(slo.questions[0]?.series ?? '') ?? []) {
        const [judged] = slo.judged
        if (judged === undefined || book.track(trackId(slo, judged, group)) !== undefined) continue
        begun.push(...tracksFor(slo, group, headOf(stepMs)))
        for (const one of slo.judged) {
          const alone = book.track(trackId(slo, one, ''))
          if (alone !== undefined) book.remove(alone)
        }
      }
    }
    for (const track of begun) book.add(track)
    await fillTracks(store, begun)
  }

  /** Slices of questions, each from where it is owed. A store that cannot answer now is nobody's fault. */
  async function measure(
    questions: readonly SliceQuestion[],
    stepMs: StepMs,
    from: number,
    head: number,
  ): Promise<MeasuredAll> {
    const seconds = stepMs / 1000
    const fromOf = ({ series, indicator }: SliceQuestion) => {
      const again =
        indicator.kind === 'requests' ? from : Math.min(from, head - REMEASURED_METRICS_MS / stepMs)
      return Math.max(head - ALLOWANCE_MS / stepMs, Math.min(again, owed.get(series) ?? again))
    }
    const all: {
      slices: MeasuredSlice[]
      tooManyGroups: Map<string, number>
      failures: Map<string, string>
    } = {
      slices: [],
      tooManyGroups: new Map(),
      failures: new Map(),
    }
    for (const [first, together] of Map.groupBy(questions, fromOf)) {
      const measured = await measureSlices(store, together, first * seconds, head * seconds, groupsOf)
      for (const slice of measured.slices) all.slices.push(slice)
      for (const [series, count] of measured.tooManyGroups) all.tooManyGroups.set(series, count)
      for (const [series, why] of measured.failures) all.failures.set(series, why)
    }
    for (const { series } of questions) {
      if (!all.failures.has(series)) owed.delete(series)
      else if (!owed.has(series)) owed.set(series, from)
    }
    return all
  }

  async function closedCycle(stepMs: StepMs, nowMs: number): Promise<void> {
    const before = headOf(stepMs)
    const head = Math.floor((nowMs - DELAY_MS[stepMs]) / stepMs)
    if (head <= before) return
    const questions = book.questions(stepMs)
    let measured: MeasuredAll
    try {
      measured = await measure(questions, stepMs, before - REMEASURED[stepMs], head)
    } catch (error) {
      await failAll(stepMs, head, nowMs, error)
      return
    }
    await admitGroups(stepMs, measured.slices)
    const changed = differing(book, measured.slices)
    await writeSlices(store, changed, nowMs, `slices:${stepMs}:${before}-${head}:${nowMs}`)
    const tracks = book.tracks(stepMs)
    const changes = replay(tracks, changed, before, head, measured, nowMs)
    heads.set(stepMs, head)
    failedAtMs.delete(stepMs)
    tellGroups(stepMs, changed, head)
    const missed = Math.max(0, head - before - 1)
    if (missed > 0) metrics.missed.inc(missed)
    await keepChanges(changes, { stepMs, judgedToMs: head * stepMs, missed }, nowMs)
    for (const track of tracks) excludeAhead(track)
    await fillPages(store, tracks)
    await tellStatuses(tracks, nowMs)
    metrics.cycles.inc({ step: String(stepMs / 1000) })
  }

  /** Every instant in order: slices begin, what was measured of them is put, all are judged. */
  function replay(
    tracks: readonly Track[],
    slices: readonly MeasuredSlice[],
    before: number,
    head: number,
    { failures, tooManyGroups }: MeasuredAll,
    nowMs: number,
  ): Changed[] {
    const revision = revisionAt(nowMs)
    const byInstant = Map.groupBy(slices, ({ startSecond, stepSeconds }) =>
      Math.max(before + 1, startSecond / stepSeconds + 1),
    )
    const changes = new Changes()
    for (let instant = before + 1; instant <= head; instant += 1) {
      for (const track of tracks) for (const { sums } of allSums(track)) sums.advanceTo(instant)
      for (const slice of byInstant.get(instant) ?? []) {
        feed(book, slice, revision)
        metrics.slices.inc()
      }
      for (const track of tracks) {
        const why = track.parts.map(({ series }) => failures.get(series)).find((one) => one !== undefined)
        const evaluation = why === undefined ? judge(track) : judgeFailed(track, instant * track.slo.stepMs)
        changes.take(track, evaluation)
        const series = track.parts[0]?.series ?? ''
        track.extras = {
          ...track.extras,
          failure: why,
          tooManyGroups: tooManyGroups.get(series),
          backfill: backfill.progressOf(track.slo),
        }
      }
    }
    learn(tracks, slices)
    return changes.all()
  }

  /** Since when something is known, and that something was counted at all. */
  function learn(tracks: readonly Track[], slices: readonly MeasuredSlice[]): void {
    const unlearned = new Map<string, Track[]>()
    for (const track of tracks) {
      if (track.knownFromMs !== undefined && track.isMatched) continue
      for (const { series } of track.parts) {
        const key = `${series}/${track.group}`
        unlearned.set(key, [...(unlearned.get(key) ?? []), track])
      }
    }
    if (unlearned.size === 0) return
    for (const { series, group, total, startSecond, isKnown } of slices) {
      if (!isKnown) continue
      for (const track of unlearned.get(`${series}/${group}`) ?? []) {
        track.knownFromMs ??= startSecond * 1000
        if (total > 0) track.isMatched = true
      }
    }
  }

  /** The store does not answer: nothing was learnt, and every due instant stays due. Told once an instant. */
  async function failAll(stepMs: StepMs, head: number, nowMs: number, error: unknown): Promise<void> {
    if (!(error instanceof StoreError)) throw error
    if (failedAtMs.get(stepMs) === head) return
    failedAtMs.set(stepMs, head)
    logger.warn({ err: error, stepMs }, 'slices could not be measured; it is tried again')
    const changes = new Changes()
    for (const track of book.tracks(stepMs)) {
      changes.take(track, judgeFailed(track, head * stepMs))
      track.extras = { ...track.extras, failure: error.message }
    }
    await keepChanges(changes.all(), undefined, nowMs)
    // Of a store that does not answer nobody can read it either; one that answers some questions takes it.
    await tellStatuses(book.tracks(stepMs), nowMs).catch(() => undefined)
  }

  function tellGroups(stepMs: StepMs, slices: readonly MeasuredSlice[], head: number): void {
    const lately = ((head - REMEASURED[stepMs]) * stepMs) / 1000
    const seen = groupsSeen(slices.filter(({ startSecond }) => startSecond >= lately))
    for (const slo of book.slos()) {
      if (slo.stepMs !== stepMs || !isGrouped(slo)) continue
      const series = slo.questions[0]?.series ?? ''
      const known =
        groupTracks.get(series) ?? [...book.groupsOf(series)].map((group) => ({ group, missedCycles: 0 }))
      const { track } = trackGroups(known, seen.get(series) ?? new Set())
      groupTracks.set(series, track)
      const missing = new Set(missingGroups(track))
      for (const one of book.tracksOf(slo)) one.extras = { ...one.extras, isMissing: missing.has(one.group) }
    }
  }

  async function keepChanges(
    changes: readonly Changed[],
    progress: Progress | undefined,
    nowMs: number,
  ): Promise<void> {
    pending.push(...changes)
    if (lead === undefined) throw new LeadLost('another process judges SLOs by now')
    const together = new Changes()
    together.join(pending)
    await states.keep(lead.epoch, together.all(), progress, nowMs)
    for (const { track, transitions } of pending)
      for (const { subject } of transitions) metrics.transitions.inc({ subject, slo: track.slo.name })
    pending = []
  }

  async function openCycle(nowMs: number): Promise<void> {
    if (!isOpenDue(nowMs)) return
    const stepMs = 10_000
    const head = headOf(stepMs)
    const tracks = book
      .tracks(stepMs)
      .filter(
        ({ judged }) => !judged.isComposite && judged.compiled.policy.budgeting.method === 'Occurrences',
      )
    if (tracks.length === 0) return
    const asked = new Set(tracks.flatMap((track) => track.parts.map(({ series }) => series)))
    const { slices } = await measureRequests(
      store,
      book
        .questions(stepMs)
        .filter((one): one is RequestQuestion => asked.has(one.series) && one.indicator.kind === 'requests'),
      head * 10,
      (head + 1) * 10,
      undefined,
      true,
    )
    const counts = new Map(slices.map((slice) => [`${slice.series}/${slice.group}`, fitted(slice)]))
    const changes = new Changes()
    // Within the slice, so that its end is judged by itself.
    const atMs = Math.min(nowMs, (head + 1) * stepMs - 1)
    for (const track of tracks) {
      const open = counts.get(`${track.parts[0]?.series ?? ''}/${track.group}`)
      if (open !== undefined && open.total > 0) changes.take(track, judge(track, { ...open, atMs }))
    }
    const told = changes.all()
    await keepChanges(told, undefined, nowMs)
    await tellStatuses(
      told.map(({ track }) => track),
      nowMs,
    )
  }

  /** What came late within the allowance is measured again; sums take the difference, states what it means from now on. */
  async function lateCycle(nowMs: number): Promise<void> {
    if (!isLateDue(nowMs)) return
    const settledMs = Math.min(...STEPS.map((stepMs) => (headOf(stepMs) - REMEASURED[stepMs]) * stepMs))
    const { oldestMs, seenToMs } = await lateSince(store, lateSeenMs, settledMs)
    lateSeenMs = seenToMs
    if (oldestMs === undefined) return
    oldestLateMs = Math.min(oldestMs, oldestLateMs ?? oldestMs)
    for (const stepMs of STEPS) {
      const head = headOf(stepMs)
      const from = Math.max(Math.floor(oldestMs / stepMs), head - ALLOWANCE_MS / stepMs)
      if (from >= head - REMEASURED[stepMs]) continue
      const questions = book.questions(stepMs).filter(({ indicator }) => indicator.kind === 'requests')
      const seconds = stepMs / 1000
      const { slices } = await measureSlices(
        store,
        questions,
        from * seconds,
        (head - REMEASURED[stepMs]) * seconds,
        groupsOf,
      )
      await admitGroups(stepMs, slices)
      const changed = differing(book, slices)
      if (changed.length === 0) continue
      await writeSlices(store, changed, nowMs, `late:${stepMs}:${from}-${head}:${nowMs}`)
      const revision = revisionAt(nowMs)
      for (const slice of changed) feed(book, slice, revision)
      metrics.lateSlices.inc(changed.length)
    }
  }

  async function settledCycle(nowMs: number): Promise<void> {
    if (oldestLateMs === undefined || !isSettledDue(nowMs)) return
    for (const stepMs of STEPS) {
      const seconds = stepMs / 1000
      const to = (headOf(stepMs) - ALLOWANCE_MS / stepMs) * seconds
      const from = Math.floor(Math.max(oldestLateMs, nowMs - SETTLED_REACH_MS) / stepMs) * seconds
      const questions = book.questions(stepMs).filter(({ indicator }) => indicator.kind === 'requests')
      if (from >= to || questions.length === 0) continue
      const range = { from, to, stepSeconds: seconds }
      refill(await reviewSettled(store, database, questions, range, groupsOf, nowMs))
    }
    oldestLateMs = undefined
  }

  async function decisionsCycle(nowMs: number): Promise<void> {
    if (!isDecisionsDue(nowMs)) return
    refill(await applyApproved(store, database, nowMs))
  }

  /** Counted anew from the store, with the history that grows. */
  function refill(series: ReadonlySet<string>): void {
    if (series.size === 0) return
    for (const slo of book.slos()) if (slo.questions.some((one) => series.has(one.series))) toRefill.add(slo)
  }

  async function tellStatuses(tracks: readonly Track[], nowMs: number): Promise<void> {
    if (tracks.length === 0) return
    // Two tellings in one millisecond would be one; the later one counts.
    toldMs = Math.max(nowMs, toldMs + 1)
    await writeStatuses(
      store,
      tracks.map((track) => statusRow(track, toldMs)),
    )
  }

  async function figuresCycle(nowMs: number): Promise<void> {
    if (!isFiguresDue(nowMs)) return
    await writeFigures(
      store,
      book.tracks().map((track) => statusRow(track, nowMs)),
    )
  }

  async function backfillCycle(nowMs: number): Promise<void> {
    const grown = await backfill.step(nowMs)
    for (const slo of grown ?? []) toRefill.add(slo)
    if (toRefill.size === 0 || (grown !== undefined && nowMs < refillAtMs)) return
    const slos = [...toRefill].filter((slo) => book.slo(slo.name) === slo)
    toRefill.clear()
    for (const stepMs of STEPS) {
      const some = slos.filter((slo) => slo.stepMs === stepMs)
      // History brings groups that are not there now.
      for (const slo of some.filter(isGrouped))
        for (const track of book.tracksOf(slo)) {
          kept.set(track.id, { fingerprint: track.fingerprint, state: track.state })
          book.remove(track)
        }
      await addTracks(some.filter(isGrouped))
      await fillTracks(
        store,
        some.filter((slo) => !isGrouped(slo)).flatMap((slo) => book.tracksOf(slo)),
      )
      for (const slo of some)
        for (const track of book.tracksOf(slo))
          track.extras = { ...track.extras, backfill: backfill.progressOf(slo) }
      await tellStatuses(
        some.flatMap((slo) => book.tracksOf(slo)),
        nowMs,
      )
    }
    const tookMs = clock.now() - nowMs
    refillAtMs = clock.now() + Math.max(REFILL_MS, REFILL_PART * tookMs)
  }

  async function work(): Promise<void> {
    if (!(await takeLead())) return
    const begunMs = clock.now()
    await readDefinitions()
    if (pending.length > 0) await keepChanges([], undefined, begunMs)
    for (const stepMs of STEPS) await closedCycle(stepMs, clock.now())
    await openCycle(clock.now())
    await lateCycle(clock.now())
    await settledCycle(clock.now())
    await decisionsCycle(clock.now())
    await figuresCycle(clock.now())
    await backfillCycle(clock.now())
    metrics.seconds.observe((clock.now() - begunMs) / 1000)
  }

  let running: Promise<void> | undefined
  return {
    tick() {
      running ??= work()
        .catch(async (error: unknown) => {
          if (!(error instanceof LeadLost)) throw error
          logger.warn({}, 'another process judges SLOs by now; this one waits')
          await lead?.release()
          lead = undefined
        })
        .finally(() => {
          running = undefined
        })
      return running
    },
    isLeading: () => lead !== undefined,
    async stop() {
      await running?.catch(() => undefined)
      await lead?.release()
    },
  }
}

const isGrouped = ({ definition }: Slo) =>
  definition.indicators.some((indicator) => indicator.kind === 'requests' && indicator.groupBy.length > 0)

/** Groups that counted something, by series. */
function groupsSeen(slices: readonly MeasuredSlice[]): ReadonlyMap<string, ReadonlySet<string>> {
  const seen = new Map<string, Set<string>>()
  for (const { series, group, total } of slices)
    if (group !== '' && total > 0) seen.set(series, (seen.get(series) ?? new Set<string>()).add(group))
  return seen
}

/** Everything that a track is built from. */
const printOf = ({ id, definition, generation, tier, stepMs, exclusions }: Slo) =>
  JSON.stringify([id, definition, generation, tier, stepMs, exclusions])
