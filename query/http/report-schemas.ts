// The API contract of reports: SLOs over a calendar period, and the downtime of systems. Shapes only.

import { z } from 'zod'

const instant = z.string().describe('RFC 3339 in UTC')
const zone = z.string().max(64).default('Asia/Shanghai').describe('IANA zone that the period is of')

export const SloReportQuery = z.object({
  period: z.string().max(20).describe('2026-10, 2026-Q3, 2026 or 2026-W45'),
  timeZone: zone,
  lang: z.enum(['en', 'zh-CN']).default('en').describe('of html and csv'),
  format: z.enum(['json', 'html', 'csv']).default('json'),
  system: z.string().max(512).optional(),
  service: z.string().max(512).optional(),
})
export type SloReportQuery = z.infer<typeof SloReportQuery>

const Budget = z.object({
  unit: z.enum(['events', 'slices']),
  allowed: z.number().describe('bad units that the whole period allows'),
  spent: z.number(),
  remaining: z.number().describe('signed'),
  remainingRatio: z.number().describe('1 − spent ÷ allowed, signed'),
  isEstimate: z.boolean().describe('events of a period that is not over, from its pace so far'),
})
const Figures = z.object({
  kind: z
    .enum(['known', 'no-data', 'no-traffic', 'excluded'])
    .describe('what the period allows to say; no-data: less is known than the coverage floor'),
  sliRatio: z.number().nullable().describe('good ÷ total as missingData says; null unless kind is known'),
  good: z.number().describe('as counted: events (Occurrences), else time slices'),
  total: z.number(),
  bad: z.number(),
  coverage: z.number().nullable().describe('known part of the period so far, 0–1; null when all is excluded'),
  budget: Budget.nullable(),
})
export type ReportFigures = z.infer<typeof Figures>

const Transition = z.object({
  at: instant,
  subject: z.enum(['outage', 'budget']),
  from: z.string(),
  to: z.string(),
})

const Item = z.object({
  objective: z.number().int(),
  objectiveName: z.string(),
  group: z.record(z.string(), z.string()).nullable(),
  groupKey: z.string(),
  isComposite: z.boolean(),
  target: z.number(),
  budgetingMethod: z.enum(['Occurrences', 'Timeslices', 'RatioTimeslices']),
  unit: z.enum(['events', 'slices']),
  withExclusions: Figures.describe('excluded time does not count'),
  withoutExclusions: Figures.describe('as if nothing were excluded'),
  badMinutes: z.number().int().describe('minutes in which an event failed; excluded ones left out'),
  badMinutesWithoutExclusions: z.number().int(),
  knownFrom: instant.nullable().describe('first known slice in the period'),
  transitions: z.array(Transition).describe('outages, and the budget of the SLO window'),
})
export type ReportItem = z.infer<typeof Item>

const Exclusion = z.object({
  name: z.string(),
  reason: z.string(),
  approver: z.string(),
  ticket: z.string(),
  enteredAt: instant,
  stretches: z.array(z.object({ from: instant, to: instant, isRetroactive: z.boolean() })),
  isCut: z.boolean().describe('it recurs more often than is listed'),
})

const ReportSlo = z.object({
  slo: z.string(),
  displayName: z.string(),
  description: z.string(),
  service: z.string(),
  system: z.string().nullable(),
  owner: z.string().nullable(),
  tier: z.string().nullable(),
  windowText: z.string().describe('window of the SLO itself; the report counts the period'),
  missingData: z.enum(['freeze', 'bad', 'good', 'ignore']),
  coverageFloor: z.number(),
  generation: z.number().int(),
  generationChanges: z
    .array(
      z.object({
        at: instant,
        from: z.number().nullable(),
        to: z.number(),
        actor: z.string(),
        reason: z.string(),
      }),
    )
    .describe('in the period: what is asked changed; all figures are of the question as it is now'),
  exclusions: z.array(Exclusion),
  definition: z.unknown().describe('as it is executed: every default filled in'),
  questions: z
    .array(z.object({ series: z.string(), text: z.string() }))
    .describe('SQL, or what a metric is asked'),
  items: z.array(Item),
})
export type ReportSlo = z.infer<typeof ReportSlo>

export const SloReportReply = z.object({
  period: z.string(),
  timeZone: z.string(),
  from: instant,
  to: instant.describe('end of the period, exclusive'),
  countedTo: instant.describe('what is counted ends here; before the end of a period that is not over'),
  isOver: z.boolean(),
  madeAt: instant,
  slos: z.array(ReportSlo),
  unmeasured: z.array(z.object({ slo: z.string(), reasons: z.array(z.string()) })),
  areTransitionsCut: z.boolean().describe('there are more transitions than are listed'),
})
export type SloReport = z.infer<typeof SloReportReply>

export const DowntimeQuery = z.object({
  year: z.coerce.number().int().min(2000).max(2099).optional().describe('default: the one that runs'),
  timeZone: zone,
})
export const DowntimeReply = z.object({
  from: instant,
  to: instant.describe('end of the year, or now'),
  items: z
    .array(
      z.object({
        system: z.string(),
        tier: z.enum(['critical', 'general', 'office']),
        allowedSeconds: z.number().nullable().describe('unplanned, a year'),
        unplannedSeconds: z
          .number()
          .describe('slices in which at least half of the events of a source failed, of at least 20'),
        plannedSeconds: z.number().describe('the same where all failing sources are excluded'),
        knownFrom: instant.nullable(),
        coverage: z.number().nullable().describe('known part of the range, of the best known source, 0–1'),
        sources: z
          .array(z.object({ slo: z.string(), objective: z.number().int() }))
          .describe('availability and journeys'),
      }),
    )
    .describe('by name'),
})
export type DowntimeReply = z.infer<typeof DowntimeReply>
