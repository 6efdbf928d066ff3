// Who is responsible for lost requests. Their traces are looked at a hundred at a time in order of time, so that each look reads a
// part of the range.

import { z } from 'zod'
import { sqlMillisecond, statement, type Store } from '../../ingest/store/store.ts'
import { responsibleSpan, type Said } from './responsible-span.ts'

const SAID: readonly Said[] = ['nothing', 'served', 'failed', 'failed-by-code']
const TraceRow = z.object({
  trace: z.string(),
  spans: z.coerce.number(),
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

const SPANS_MAX = 2000
const TRACES_A_LOOK = 100
// Clocks of other machines.
const CLOCKS_MS = 60_000

/** A span that failed in what it was asked for. */
export type LostSpan = {
  /** Hexadecimal, as is the span. */
  readonly trace: string
  readonly span: string
  readonly startMs: number
  readonly durationNs: number
}

/** @returns in the order of the lost spans @throws StoreError */
export async function culpritsOf(
  store: Pick<Store, 'ask'>,
  lost: readonly LostSpan[],
): Promise<(Culprit | Unknown)[]> {
  const traces = new Map<string, TraceRow>()
  const inTime = lost.toSorted((a, b) => a.startMs - b.startMs)
  for (let at = 0; at < inTime.length; at += TRACES_A_LOOK) {
    const part = inTime.slice(at, at + TRACES_A_LOOK)
    const fromMs = Math.min(...part.map(({ startMs }) => startMs)) - CLOCKS_MS
    const toMs = Math.max(...part.map(({ startMs, durationNs }) => startMs + durationNs / 1e6)) + CLOCKS_MS
    const wanted = [...new Set(part.map(({ trace }) => trace))]
    const asked = { traces: wanted, from: sqlMillisecond(Math.max(0, fromMs)), to: sqlMillisecond(toMs) }
    for (const row of await store.ask(tracesQuestion, asked, { lane: 'heavy' })) traces.set(row.trace, row)
  }
  return lost.map(({ trace, span }) => {
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
