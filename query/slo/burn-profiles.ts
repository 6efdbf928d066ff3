// The burn profiles we ship, as data with their sources. Arithmetic lives in burn-profile.ts.

import type { BurnPair, BurnProfile } from './burn-profile.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Windows = Pick<BurnPair, 'id' | 'severity' | 'longWindowMs' | 'shortWindowMs'>

const pageFast: Windows = { id: 'page-1h', severity: 'page', longWindowMs: HOUR, shortWindowMs: 5 * MINUTE }
const pageSlow: Windows = {
  id: 'page-6h',
  severity: 'page',
  longWindowMs: 6 * HOUR,
  shortWindowMs: 30 * MINUTE,
}
const ticketFast: Windows = {
  id: 'ticket-1d',
  severity: 'ticket',
  longWindowMs: DAY,
  shortWindowMs: 2 * HOUR,
}
const ticketSlow: Windows = {
  id: 'ticket-3d',
  severity: 'ticket',
  longWindowMs: 3 * DAY,
  shortWindowMs: 6 * HOUR,
}

const workbookPercents = [
  { ...pageFast, budgetPercent: 2 },
  { ...pageSlow, budgetPercent: 5 },
  { ...ticketFast, budgetPercent: 10 },
  { ...ticketSlow, budgetPercent: 10 },
]

export const workbook30d: BurnProfile = {
  name: 'workbook-30d',
  periodMs: 30 * DAY,
  pairs: workbookPercents,
  source:
    'Google SRE Workbook, ch. 5 "Alerting on SLOs", table 5-8 and method 6 (sre.google/workbook/alerting-on-slos)',
}

export const workbook28d: BurnProfile = {
  name: 'workbook-28d',
  periodMs: 28 * DAY,
  pairs: workbookPercents,
  source:
    'Workbook percentages over 28 days, as in slok/sloth:internal/alert/windows/google-28d.yaml (Apache-2.0), commit 0e395d8',
}

export const sevenDays: BurnProfile = {
  name: '7d',
  periodMs: 7 * DAY,
  pairs: [
    { ...pageFast, budgetPercent: 8 },
    { ...pageSlow, budgetPercent: 12.5 },
    { ...ticketFast, budgetPercent: 20 },
    { ...ticketSlow, budgetPercent: 42 },
  ],
  source: 'slok/sloth:examples/windows/7d.yaml (Apache-2.0), commit 0e395d8',
}

export const calendarMonth: BurnProfile = {
  name: 'calendar-month',
  periodMs: 30 * DAY,
  pairs: workbookPercents,
  source:
    'Workbook factors of 30 days, unchanged for months of 28 to 31: the fast page spends 1.9 to 2.1 % of the month, and thresholds do not move on the first',
}

export const burnProfiles: readonly BurnProfile[] = [workbook30d, workbook28d, sevenDays, calendarMonth]

/**
 * The profile for a period that has none of its own: Workbook percentages, windows that fit into the period.
 * A ready one is taken where there is one.
 */
export function profileForPeriod(periodMs: number): BurnProfile {
  const ready = burnProfiles.find((profile) => profile !== calendarMonth && profile.periodMs === periodMs)
  if (ready !== undefined) return ready
  return {
    name: `workbook-${Math.round(periodMs / HOUR)}h`,
    periodMs,
    pairs: workbookPercents.filter((pair) => pair.longWindowMs < periodMs),
    source: `Workbook percentages applied to a period of ${periodMs / DAY} days; pairs with windows as long as the period are left out`,
  }
}
