// OpenSLO's duration shorthand: a positive whole number and one of m h d w M Q Y, in this case. Source: OpenSLO v1,
// "Duration shorthand"; go-sdk's lengths of M, Q and Y where a plain length is wanted.

export type DurationUnit = 'm' | 'h' | 'd' | 'w' | 'M' | 'Q' | 'Y'
export type Duration = { readonly count: number; readonly unit: DurationUnit }

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const LENGTHS: Readonly<Record<DurationUnit, number>> = {
  m: MINUTE,
  h: 60 * MINUTE,
  d: DAY,
  w: 7 * DAY,
  M: 30 * DAY,
  Q: 90 * DAY,
  Y: 365 * DAY,
}

/** @returns undefined when the text is no duration */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([1-9]\d{0,5})([mhdwMQY])$/.exec(text)
  if (match === null) return undefined
  return { count: Number(match[1]), unit: match[2] as DurationUnit }
}

/** Days of 24 hours; months, quarters and years of 30, 90 and 365 of them, as rolling windows have them. */
export function durationMs({ count, unit }: Duration): number {
  return count * LENGTHS[unit]
}

/** Length of a time slice: a duration, or a bare number of minutes. undefined for what is neither. */
export function sliceMs(written: string | number | undefined): number | undefined {
  if (typeof written === 'number') return written * MINUTE
  const duration = parseDuration(written ?? '')
  return duration === undefined ? undefined : durationMs(duration)
}
