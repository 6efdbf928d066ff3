// The lost requests of one business transaction, each put down to the span that is responsible. At most a thousand traces are
// looked at, a hundred at a time in order of time, so that each look reads a part of the range.

import { z } from 'zod'
import { sqlMillisecond, statement, type Store } from '../../ingest/store/store.ts'
import type { TimeRange } from '../time-range.ts'
import { journeyLimits, journeyLimitsShape, type JourneyScope } from './journeys.ts'
import { responsibleSpan, type Said } from './responsible-span.ts'

const count = z.coerce.number()
const Entry = z
  .tuple([z.string(), z.string(), z.string(), count, count, count])
  .transform(([, trace, span, weight, startMs, durationNs]) => ({ trace, span, weight, startMs, durationNs }))
type Entry = z.infer<typeof Entry>
const lossesQuestion = statement(
  new URL('./journey-losses.sql', import.meta.url),
  z.object({ ...journeyLimitsShape, code: z.string() }),
  z.object({
    requests: count,
    lost: count,
    lost_entries: count,
    p95: z.number().nullable(),
    entries: z.array(Entry),
  }),
)

const SAID: readonly Said[] = ['nothing', 'served', 'failed', 'failed-by-code']
const TraceRow = z.object({
  trace: z.string(),
  spans: count,
  shape: z.array(z.tuple([z.string(), z.string(), z.number(), z.number()])),
  failed: z.array(
    z.tuple([z.string(), z.string(), z.string(), z.string(), z.string(), z.string(), z.coerce.bigint()]),
  ),
})
type TraceRow = z.infer<typeof TraceRow>
const tracesQuestion = statement(
  new URL('./journey-traces.sql', import.meta.url),
  z.object({ traces: z.array(z.string()), from: z.string(), to: z.string() }),
  TraceRow,
)

/** Who is responsible for a lost request. */
export type Culprit = {
  readonly service: string
  readonly version: string
  readonly operation: string
  readonly system: string
  /** Name of the far side, where the span is a call that nobody answered. */
  readonly peer: string
}
/** gap: spans of the trace are missing; too-large: it has more spans than are looked at. */
export type Unknown = 'gap' | 'too-large'

export type Loss = {
  readonly culprit: Culprit | Unknown
  /** Thousandths of a request. */
  readonly weight: number
  readonly entries: number
  /** Up to three. */
  readonly exampleTraceIds: readonly string[]
}

export type JourneyLosses = {
  /** Thousandths, as are lost and attributed. */
  readonly requests: number
  readonly lost: number
  readonly p95Ns: number | undefined
  readonly lostEntries: number
  /** Looked at: all of them, or a uniform sample by trace id. */
  readonly entries: number
  /** What the losses add up to, exactly. */
  readonly attributed: number
  /** Largest first. */
  readonly losses: readonly Loss[]
}

const SPANS_MAX = 2000
const TRACES_A_LOOK = 100
// Clocks of other machines.
const CLOCKS_MS = 60_000
const EXAMPLES_MAX = 3

/** @param within  at its end, entries whose other spans are still on their way are put down to whoever is known to have failed */
export async function journeyLosses(
  store: Pick<Store, 'ask'>,
  code: string,
  within: TimeRange,
  scope: JourneyScope,
): Promise<JourneyLosses> {
  const [row] = await store.ask(lossesQuestion, { ...journeyLimits(within, scope), code }, { lane: 'heavy' })
  const entries = row?.entries ?? []
  const culprits = await culpritsOf(store, entries)
  return {
    requests: row?.requests ?? 0,
    lost: row?.lost ?? 0,
    p95Ns: row === undefined || row.requests === 0 ? undefined : (row.p95 ?? undefined),
    lostEntries: row?.lost_entries ?? 0,
    entries: entries.length,
    attributed: entries.reduce((sum, { weight }) => sum + weight, 0),
    losses: tally(entries, culprits),
  }
}

/** @returns in the order of the entries */
async function culpritsOf(
  store: Pick<Store, 'ask'>,
  entries: readonly Entry[],
): Promise<(Culprit | Unknown)[]> {
  const traces = new Map<string, TraceRow>()
  const inTime = entries.toSorted((a, b) => a.startMs - b.startMs)
  for (let at = 0; at < inTime.length; at += TRACES_A_LOOK) {
    const part = inTime.slice(at, at + TRACES_A_LOOK)
    const fromMs = Math.min(...part.map(({ startMs }) => startMs)) - CLOCKS_MS
    const toMs = Math.max(...part.map(({ startMs, durationNs }) => startMs + durationNs / 1e6)) + CLOCKS_MS
    const wanted = [...new Set(part.map(({ trace }) => trace))]
    const asked = { traces: wanted, from: sqlMillisecond(Math.max(0, fromMs)), to: sqlMillisecond(toMs) }
    for (const row of await store.ask(tracesQuestion, asked, { lane: 'heavy' })) traces.set(row.trace, row)
  }
  return entries.map(({ trace, span }) => {
    const row = traces.get(trace)
    return row === undefined ? 'gap' : culpritIn(row, span)
  })
}

function culpritIn({ spans, shape, failed }: TraceRow, entry: string): Culprit | Unknown {
  if (spans > SPANS_MAX) return 'too-large'
  const known = new Map(failed.map((one) => [one[0], one]))
  const shapes = shape.map(([span, parent, kind, said]) => ({
    span,
    parent,
    kind,
    said: SAID[said] ?? 'served',
    endNs: known.get(span)?.[6] ?? 0n,
  }))
  const responsible = responsibleSpan(entry, shapes)
  const found = responsible.kind === 'span' ? known.get(responsible.span) : undefined
  if (found === undefined) return 'gap'
  const [span, service, version, operation, system, peer] = found
  // Whoever answered has a name of his own.
  const isAnswered = shapes.some(({ parent }) => parent === span)
  return { service, version, operation, system, peer: isAnswered ? '' : peer }
}

function tally(entries: readonly Entry[], culprits: readonly (Culprit | Unknown)[]): Loss[] {
  const losses = new Map<string, Loss>()
  entries.forEach(({ trace, weight }, index) => {
    const culprit = culprits[index] ?? 'gap'
    const key = JSON.stringify(culprit)
    const known = losses.get(key) ?? { culprit, weight: 0, entries: 0, exampleTraceIds: [] }
    const examples = known.exampleTraceIds
    const isNew = examples.length < EXAMPLES_MAX && !examples.includes(trace)
    losses.set(key, {
      culprit,
      weight: known.weight + weight,
      entries: known.entries + 1,
      exampleTraceIds: isNew ? [...examples, trace] : examples,
    })
  })
  return [...losses.entries()]
    .toSorted(([a, one], [b, other]) => other.weight - one.weight || (a < b ? -1 : 1))
    .map(([, loss]) => loss)
}
