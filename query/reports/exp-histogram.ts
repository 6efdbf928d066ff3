// Exponential histograms over time: what each point adds to the one before it, at one scale, with resets. Pure.

import type { Bucket } from './bucket-quantile.ts'

export type ExpPoint = {
  readonly id: string
  /** Instants in ms since epoch; `started` 0 when the point does not say. */
  readonly at: number
  readonly started: number
  readonly count: number
  /** null when not sent */
  readonly sum: number | null
  readonly scale: number
  readonly zeroCount: number
  readonly posOffset: number
  readonly pos: readonly number[]
  readonly negOffset: number
  readonly neg: readonly number[]
}

/** Observations by signed bucket: what one point adds. */
export type ExpIncrease = {
  readonly id: string
  readonly at: number
  readonly count: number
  readonly sum: number
  readonly zero: number
  /** Bucket index → observations, at `scale`. */
  readonly pos: ReadonlyMap<number, number>
  readonly neg: ReadonlyMap<number, number>
  readonly scale: number
}

/**
 * @param points   by series, then by time
 * @param isDelta  points are increases themselves
 * @param sinceMs  where points are read from: a series that began later counts whole
 */
export function expIncreases(points: readonly ExpPoint[], isDelta: boolean, sinceMs: number): ExpIncrease[] {
  const increases: ExpIncrease[] = []
  let before: ExpPoint | undefined
  for (const point of points) {
    const last: ExpPoint | undefined = before?.id === point.id ? before : undefined
    before = point
    const whole = { ...point, sum: point.sum ?? 0, zero: point.zeroCount, ...mapsOf(point, point.scale) }
    if (isDelta || (last !== undefined && isReset(last, point))) increases.push(whole)
    else if (last === undefined) {
      if (point.started >= sinceMs) increases.push(whole)
    } else increases.push(difference(last, point))
  }
  return increases
}

function isReset(last: ExpPoint, point: ExpPoint): boolean {
  return point.started > last.at || point.count < last.count || point.zeroCount < last.zeroCount
}

function difference(last: ExpPoint, point: ExpPoint): ExpIncrease {
  const scale = Math.min(last.scale, point.scale)
  const [now, then] = [mapsOf(point, scale), mapsOf(last, scale)]
  return {
    id: point.id,
    at: point.at,
    scale,
    count: point.count - last.count,
    sum: (point.sum ?? 0) - (last.sum ?? 0),
    zero: point.zeroCount - last.zeroCount,
    pos: minus(now.pos, then.pos),
    neg: minus(now.neg, then.neg),
  }
}

function mapsOf(point: ExpPoint, scale: number) {
  const shift = 2 ** (point.scale - scale)
  const map = (offset: number, counts: readonly number[]) => {
    const found = new Map<number, number>()
    counts.forEach((count, index) => {
      const bucket = Math.floor((offset + index) / shift)
      if (count > 0) found.set(bucket, (found.get(bucket) ?? 0) + count)
    })
    return found
  }
  return { pos: map(point.posOffset, point.pos), neg: map(point.negOffset, point.neg) }
}

function minus(now: ReadonlyMap<number, number>, then: ReadonlyMap<number, number>): Map<number, number> {
  return new Map([...now].map(([bucket, count]) => [bucket, Math.max(0, count - (then.get(bucket) ?? 0))]))
}

/** The increase as buckets of values. */
export function bucketsOf({ scale, pos, neg, zero }: ExpIncrease): Bucket[] {
  const base = 2 ** (2 ** -scale)
  const isExponential = true
  return [
    ...[...neg].map(([index, count]) => ({
      from: -(base ** (index + 1)),
      to: -(base ** index),
      count,
      isExponential,
    })),
    { from: 0, to: 0, count: zero },
    ...[...pos].map(([index, count]) => ({
      from: base ** index,
      to: base ** (index + 1),
      count,
      isExponential,
    })),
  ]
}
