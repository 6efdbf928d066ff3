// Which span of a trace a lost request is put down to: the deepest one that failed itself while nothing below it did. Pure; where
// traces come from never stands here.

/** What a span says about itself. */
export type Said =
  /** Internal, and no status set: neither well nor failed. */
  | 'nothing'
  | 'served'
  | 'failed'
  /** By its return code, which travels in the body of the answer: the call above it may well have been served. */
  | 'failed-by-code'

export type SpanShape = {
  readonly span: string
  /** Not the id of a span: none. */
  readonly parent: string
  /** By OpenTelemetry's number. */
  readonly kind: number
  readonly said: Said
  /** Of failed ones, ns since epoch. */
  readonly endNs: bigint
}

export type Responsible =
  | { readonly kind: 'span'; readonly span: string }
  /** A span names a parent that is not there: what failed may be what is missing. */
  | { readonly kind: 'gap' }

const NO_PARENT = '0'.repeat(16)
const CLIENT = 3
const hasFailed = ({ said }: SpanShape) => said === 'failed' || said === 'failed-by-code'

/**
 * Follows failures downwards. A failure below a call that was served was absorbed there and is not followed, unless it is told by a
 * return code; internal spans that say nothing are looked through.
 * @param entry  the span that was lost
 * @param spans  all that are known of its trace; one span given twice counts once
 * @returns of several that are as deep the one that ended last
 */
export function responsibleSpan(entry: string, spans: readonly SpanShape[]): Responsible {
  const byId = new Map(spans.map((shape) => [shape.span, shape]))
  const shapes = [...byId.values()]
  const first = byId.get(entry)
  if (first === undefined) return { kind: 'gap' }
  if (shapes.some(({ parent }) => parent !== NO_PARENT && !byId.has(parent))) return { kind: 'gap' }
  const children = Map.groupBy(shapes, ({ parent }) => parent)
  let best = { shape: first, depth: 0 }
  // Spans that are their own ancestors are visited once.
  const seen = new Set([entry])
  const waiting = [{ shape: first, depth: 0, isBelowServedCall: false }]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const shape of children.get(at.shape.span) ?? []) {
      if (seen.has(shape.span)) continue
      seen.add(shape.span)
      const next = { shape, depth: at.depth + 1, isBelowServedCall: false }
      if (at.isBelowServedCall) {
        if (shape.said !== 'failed-by-code') continue
        waiting.push(next)
      } else if (hasFailed(shape) || shape.said === 'nothing') waiting.push(next)
      else if (shape.kind === CLIENT) waiting.push({ ...next, isBelowServedCall: true })
      if (hasFailed(shape) && isDeeper(next, best)) best = next
    }
  }
  return { kind: 'span', span: best.shape.span }
}

type Reached = { readonly shape: SpanShape; readonly depth: number }

/** The deepest has no failing child that is followed, for that one would be deeper. */
function isDeeper(one: Reached, other: Reached): boolean {
  if (one.depth !== other.depth) return one.depth > other.depth
  if (one.shape.endNs !== other.shape.endNs) return one.shape.endNs > other.shape.endNs
  return one.shape.span < other.shape.span
}
