// From a trace's spans to the order and indentation of a waterfall. Pure.

import type { TraceReply } from '../../query/http/schemas.ts'

export type Span = TraceReply['spans'][number]

export type TraceRow = {
  readonly span: Span
  readonly depth: number
  /** The parent is named but not stored; the span is shown as a root. */
  readonly orphan: boolean
  /** Offset from the beginning of the trace, ms. */
  readonly offsetMs: number
}

export type TraceTree = {
  readonly rows: readonly TraceRow[]
  /** From the first start to the last end, ms. */
  readonly durationMs: number
  readonly startAt: string | undefined
}

/**
 * Depth first, children by start. Spans that name each other as parents, or themselves, still appear, each once.
 *
 * @param spans in any order
 */
export function traceTree(spans: readonly Span[]): TraceTree {
  const sorted = spans
    .map((span) => ({ span, startNs: nanoseconds(span.startAt) }))
    .toSorted((a, b) => (a.startNs < b.startNs ? -1 : Number(a.startNs > b.startNs)))
  const first = sorted[0]
  if (first === undefined) return { rows: [], durationMs: 0, startAt: undefined }
  const known = new Set(spans.map((span) => span.spanId))
  const children = Map.groupBy(sorted, ({ span }) => span.parentSpanId ?? '')
  const rows: TraceRow[] = []
  const done = new Set<Span>()
  // A stack of our own: a trace deep as its hostile sender likes must not exhaust the browser's.
  const visit = (root: (typeof sorted)[number], orphan: boolean) => {
    const open = [{ entry: root, depth: 0, orphan }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { entry, depth } = next
      if (done.has(entry.span)) continue
      done.add(entry.span)
      const offsetMs = Number(entry.startNs - first.startNs) / 1e6
      rows.push({ span: entry.span, depth, orphan: next.orphan, offsetMs })
      const below = entry.span.spanId === '' ? [] : (children.get(entry.span.spanId) ?? [])
      for (const child of below.toReversed()) open.push({ entry: child, depth: depth + 1, orphan: false })
    }
  }
  for (const entry of sorted) {
    const parent = entry.span.parentSpanId
    if (parent === null || parent === '') visit(entry, false)
    else if (!known.has(parent)) visit(entry, true)
  }
  // What is left goes round in circles; its earliest span serves as root.
  for (const entry of sorted) if (!done.has(entry.span)) visit(entry, true)
  const durationMs = Math.max(...rows.map((row) => row.offsetMs + row.span.durationMs))
  return { rows, durationMs, startAt: first.span.startAt }
}

/** Nanoseconds since 1970 from RFC 3339 with up to nine decimals; Date keeps three, which orders spans wrongly. */
function nanoseconds(at: string): bigint {
  const decimals = /\.(\d{1,9})/.exec(at)?.[1] ?? ''
  const wholeMs = Date.parse(at.replace(/\.\d+/, ''))
  if (Number.isNaN(wholeMs)) return 0n
  return BigInt(wholeMs) * 1_000_000n + BigInt(decimals.padEnd(9, '0'))
}
