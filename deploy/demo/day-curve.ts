// How busy the bank is through its day. Pure: an instant goes in, a share of the day's peak comes out.

/** The night's share of the peak: never so quiet that a newcomer sees an empty chart. */
export const NIGHT_SHARE = 0.4

// China keeps one zone without daylight saving, so a fixed offset is exact.
const SHANGHAI_OFFSET_MS = 8 * 3_600_000
const DAY_MS = 24 * 3_600_000

type Peak = { readonly hour: number; readonly widthHours: number; readonly height: number }

/** Ten in the morning is the day's peak; half past two is the second, a little lower; evenings belong to the phone. */
const PEAKS: readonly Peak[] = [
  { hour: 10, widthHours: 1.6, height: 1 },
  { hour: 14.5, widthHours: 1.8, height: 0.9 },
  { hour: 20, widthHours: 1.5, height: 0.45 },
]

/** Hour of the day in Shanghai, in [0, 24). */
export function shanghaiHour(atMs: number): number {
  return ((((atMs + SHANGHAI_OFFSET_MS) % DAY_MS) + DAY_MS) % DAY_MS) / 3_600_000
}

/**
 * Share of the day's peak.
 *
 * @param atMs milliseconds since 1970 in UTC
 * @returns a ratio in [NIGHT_SHARE, 1]
 */
export function dayShare(atMs: number): number {
  const hour = shanghaiHour(atMs)
  const heights = PEAKS.map((peak) => {
    const apart = Math.abs(hour - peak.hour)
    const distance = Math.min(apart, 24 - apart)
    return peak.height * Math.exp(-((distance / peak.widthHours) ** 2) / 2)
  })
  return NIGHT_SHARE + (1 - NIGHT_SHARE) * Math.min(1, Math.max(...heights))
}

/** Share of entry requests that come from branch counters: most in opening hours, self-service halls at night. */
export function counterShare(atMs: number): number {
  const hour = shanghaiHour(atMs)
  return hour >= 8.5 && hour < 17.5 ? 0.45 : 0.35
}
