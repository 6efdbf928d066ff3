// OpenSLO's duration shorthand: a positive whole number and one of m h d w M Q Y, in this case. Source: OpenSLO v1,
// "Duration shorthand"; go-sdk's lengths of M, Q and Y where a plain number of seconds is wanted.

export type DurationUnit = 'm' | 'h' | 'd' | 'w' | 'M' | 'Q' | 'Y'
export type Duration = { readonly count: number; readonly unit: DurationUnit }

const SECONDS: Readonly<Record<DurationUnit, number>> = {
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  M: 30 * 86_400,
  Q: 90 * 86_400,
  Y: 365 * 86_400,
}

/** @returns undefined when the text is no duration */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([1-9]\d{0,5})([mhdwMQY])$/.exec(text)
  if (match === null) return undefined
  return { count: Number(match[1]), unit: match[2] as DurationUnit }
}

/** Days of 24 hours; months, quarters and years of 30, 90 and 365 of them, as rolling windows have them. */
export function durationSeconds({ count, unit }: Duration): number {
  return count * SECONDS[unit]
}
