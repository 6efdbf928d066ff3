// From the API's points to the points of a line: gaps stay gaps, and figures whose seconds are still arriving are
// held back. Pure.

/** One line: `undefined` where there is no figure. */
export type Line = {
  readonly name: string
  readonly points: readonly LinePoint[]
}

export type LinePoint = {
  readonly atMs: number
  readonly value: number | undefined
  /** What the tooltip says of this point; a figure without its base misleads. */
  readonly told: string
}

export type Window = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number }

/** Spans arrive up to some seconds late; a rate over them would dip at the right edge of every chart. */
const settleMs = 3000

/** From this age on, the share of late spans in an open point is too small to be seen. */
const openPointMs = 30_000

/**
 * Seconds of a point that have passed and settled, to divide a count by.
 *
 * @returns undefined while the point is too young to carry a rate
 */
export function settledSeconds(atMs: number, { toMs, stepMs }: Window): number | undefined {
  const passedMs = Math.min(stepMs, toMs - atMs)
  if (toMs - atMs < Math.min(stepMs, openPointMs) + settleMs) return undefined
  return passedMs / 1000
}

/** The time that a reply covers, in points of `stepSeconds`. */
export function windowOf(reply: { readonly from: string; readonly to: string }, stepSeconds: number): Window {
  return { fromMs: Date.parse(reply.from), toMs: Date.parse(reply.to), stepMs: stepSeconds * 1000 }
}

/**
 * A point for every step of the window. The API leaves out what it has not seen, and a line drawn across such a
 * hole would claim figures nobody measured.
 */
export function onGrid<Point extends { readonly at: string }>(
  points: readonly Point[],
  { fromMs, toMs, stepMs }: Window,
): readonly { readonly atMs: number; readonly point: Point | undefined }[] {
  const byInstant = new Map(points.map((point) => [Date.parse(point.at), point]))
  const grid: { atMs: number; point: Point | undefined }[] = []
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs < toMs; atMs += stepMs) {
    grid.push({ atMs, point: byInstant.get(atMs) })
    byInstant.delete(atMs)
  }
  // Points off our grid (steps of an unusual origin) are still facts.
  for (const [atMs, point] of byInstant) if (atMs >= fromMs && atMs < toMs) grid.push({ atMs, point })
  return grid.toSorted((a, b) => a.atMs - b.atMs)
}

/**
 * Stretches in which no line has a figure, for hatching. Shorter ones than three steps are left to the broken line.
 *
 * @returns pairs of instants, start inclusive, end exclusive
 */
export function gaps(lines: readonly Line[], { fromMs, toMs, stepMs }: Window): readonly [number, number][] {
  const known = lines
    .flatMap((line) => line.points.filter((point) => point.value !== undefined).map((point) => point.atMs))
    .toSorted((a, b) => a - b)
  const found: [number, number][] = []
  let end = fromMs
  for (const atMs of [...known, toMs]) {
    if (atMs - end >= 3 * stepMs) found.push([end, atMs])
    end = Math.max(end, atMs + stepMs)
  }
  return found
}
