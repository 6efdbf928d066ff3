// Tiers of systems, from the guideline for financial clouds (金融云上云指引). Presets: a system may say otherwise.

export const TIER_NAMES = ['critical', 'general', 'office'] as const
export type TierName = (typeof TIER_NAMES)[number]

export type Tier = {
  readonly rtoSeconds: number
  readonly rpoSeconds: number
  /** Unplanned. */
  readonly downtimeSecondsPerYear: number
  /** A ratio; says not quite the same as the seconds, so both are tracked. */
  readonly availability: number
}

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

export const TIERS: Readonly<Record<TierName, Tier>> = {
  critical: {
    rtoSeconds: 2 * MINUTE,
    rpoSeconds: 0,
    downtimeSecondsPerYear: 5 * MINUTE,
    availability: 0.99999,
  },
  general: { rtoSeconds: 4 * HOUR, rpoSeconds: HOUR, downtimeSecondsPerYear: 10 * HOUR, availability: 0.999 },
  office: { rtoSeconds: DAY, rpoSeconds: DAY, downtimeSecondsPerYear: 4 * DAY, availability: 0.99 },
}
