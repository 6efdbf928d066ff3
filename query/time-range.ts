// Ranges of time as people write them: RFC 3339, `now`, `-15m`. Pure; the clock is an argument.

export type TimeRange = { readonly fromMs: number; readonly toMs: number }

export type RangeProblem = { readonly place: 'from' | 'to'; readonly message: string }

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** The longest range an answer covers, by its finest table. */
const RANGE_DAYS_MAX = 400

/**
 * @returns the range, or what is wrong with it
 */
export function parseRange(from: string, to: string, nowMs: number): TimeRange | RangeProblem {
  const fromMs = parseInstant(from, nowMs)
  const toMs = parseInstant(to, nowMs)
  if (fromMs === undefined) return { place: 'from', message: 'is not a date that exists' }
  if (toMs === undefined) return { place: 'to', message: 'is not a date that exists' }
  if (fromMs >= toMs) return { place: 'from', message: 'must lie before to' }
  if (toMs - fromMs > RANGE_DAYS_MAX * UNIT_MS.d)
    return { place: 'from', message: `a range covers at most ${RANGE_DAYS_MAX} days` }
  return { fromMs, toMs }
}

/** @returns ms since epoch; undefined when there is no such day or time */
export function parseInstant(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs
  const relative = /^-(\d+)([smhd])$/.exec(text)
  if (relative !== null) return nowMs - Number(relative[1]) * UNIT_MS[relative[2] as keyof typeof UNIT_MS]
  const ms = Date.parse(text)
  // 30 February would be read as 2 March.
  const day = text.slice(0, 10)
  const isDay = !Number.isNaN(ms) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
  return isDay ? ms : undefined
}

/** @param text  a count and s, m, h or d: `15m` */
export function durationMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

/** The bucket of `stepMs` that an instant lies in. */
export function floorTo(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** An instant as the engine's DateTime('UTC') reads it. */
export function sqlSecond(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

/** A range to the second, as those who ask at the same time mean the same. */
export function toSecond({ fromMs, toMs }: TimeRange): TimeRange {
  const from = floorTo(fromMs, 1000)
  return { fromMs: from, toMs: Math.max(from + 1000, floorTo(toMs, 1000)) }
}
