// An SLO as it is executed: what a document says, made definite, with every default filled in. Types and constants only; where
// definitions come from (openslo/), what they are counted from (measure/) and how they are judged never live here.

/** What a request came to; derived at ingest and stored. */
export const OUTCOMES = ['ok', 'business_reject', 'business_error', 'shed', 'system_error'] as const
export type Outcome = (typeof OUTCOMES)[number]
/** Good unless an SLO says otherwise: what the customer did is not our failure. */
export const GOOD_OUTCOMES: readonly Outcome[] = ['ok', 'business_reject']

/** What requests are selected and grouped by, each a column of its own; anything else is an attribute. */
export const DIMENSIONS = [
  'service',
  'operation',
  'version',
  'system',
  'site',
  'zone',
  'cluster',
  'channel',
  'region',
  'branch',
  'teller',
  'txnCode',
  'clientVersion',
  'caller',
  'route',
  'environment',
] as const
export type Dimension = (typeof DIMENSIONS)[number]

export type Subject =
  | { readonly kind: 'dimension'; readonly name: Dimension }
  /** Of the span, else of its resource. */
  | { readonly kind: 'attribute'; readonly key: string }

/** A request fits when its subject has one of the values, or none of them when excluded. */
export type Selection = {
  readonly subject: Subject
  readonly isExcluded: boolean
  /** Sorted, each once. */
  readonly values: readonly string[]
}

/** A request is good when all of it holds. */
export type GoodRequest = {
  readonly outcomes: readonly Outcome[]
  /** Largest good duration, inclusive, ms; exact to a nanosecond. */
  readonly withinMs: number | undefined
  /** A request without a code has the empty one. */
  readonly returnCodes: { readonly isExcluded: boolean; readonly codes: readonly string[] } | undefined
}

export type RequestIndicator = {
  readonly kind: 'requests'
  /** All must fit; sorted, so that equal questions are equal. */
  readonly where: readonly Selection[]
  readonly good: GoodRequest
  /** Only spans without a parent: a journey, judged where the customer comes in. */
  readonly isEntry: boolean
  readonly traffic: readonly string[]
  /** Each combination of values is an SLO of its own. */
  readonly groupBy: readonly Subject[]
  /** Groups beyond it are refused with their number. */
  readonly groupsMax: number
  /** What is judged instead in slices with fewer requests than `totalMin`. */
  readonly fallback: { readonly totalMin: number; readonly probe: ProbeIndicator } | undefined
}

export type MetricMatcher = {
  readonly label: string
  readonly op: '=' | '!=' | '=~' | '!~'
  /** Of =~ and !~ a pattern of RE2 that must fit the whole value. */
  readonly value: string
}
export type MetricSelector = { readonly metric: string; readonly matchers: readonly MetricMatcher[] }

/** Every sample is an event, good from 1 on. */
export type ProbeIndicator = { readonly kind: 'probe' } & MetricSelector

/** Events that a metric counts: how much counters grew, or what samples add up to. */
export type MetricEvents = MetricSelector & { readonly counted: 'increase' | 'sum' }

export type MetricRatioIndicator = {
  readonly kind: 'metric-ratio'
  readonly total: MetricEvents
  readonly part: MetricEvents
  /** What the part counts. */
  readonly partIs: 'good' | 'bad'
}

export const METRIC_FUNCTIONS = [
  'avg',
  'min',
  'max',
  'last',
  'sum',
  'rate',
  'increase',
  'p50',
  'p95',
  'p99',
] as const
export type MetricFunction = (typeof METRIC_FUNCTIONS)[number]
export const OPERATORS = ['lt', 'lte', 'gt', 'gte'] as const
export type Operator = (typeof OPERATORS)[number]

/** Every step is an event, good when the metric's value over it compares. */
export type MetricThresholdIndicator = {
  readonly kind: 'metric-threshold'
  readonly query: MetricSelector & { readonly function: MetricFunction }
  readonly op: Operator
  readonly value: number
}

/** Another SLO's events, in a composite. */
export type SloIndicator = { readonly kind: 'slo'; readonly slo: string }

export type Indicator =
  RequestIndicator | ProbeIndicator | MetricRatioIndicator | MetricThresholdIndicator | SloIndicator

/** A business transaction from the customer's side. */
export const isJourney = (indicator: Indicator): boolean => indicator.kind === 'requests' && indicator.isEntry

export const BUDGETING_METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const
export type BudgetingMethod = (typeof BUDGETING_METHODS)[number]
export type Budgeting =
  | { readonly method: 'Occurrences' }
  | {
      readonly method: 'Timeslices'
      readonly timeSliceMs: number
      readonly timeSliceTarget: number
      readonly emptySlices: 'good' | 'ignore'
    }
  | { readonly method: 'RatioTimeslices'; readonly timeSliceMs: number }

export type SloWindow =
  | { readonly kind: 'rolling'; readonly durationMs: number }
  | {
      readonly kind: 'calendar'
      readonly unit: 'day' | 'week' | 'month' | 'quarter' | 'year'
      readonly count: number
      readonly timeZone: string
      /** Local start of one window, `2026-01-01 00:00:00`. */
      readonly start: string
    }

export type SloObjective = {
  readonly displayName: string
  /** 0 to below 1. */
  readonly targetRatio: number
  readonly budgeting: Budgeting
  /** Place in `indicators`. */
  readonly indicator: number
  /** In a composite; 1 elsewhere. */
  readonly weight: number
}

export const TIERS = ['critical', 'general', 'office'] as const
export type Tier = (typeof TIERS)[number]
export const SEVERITIES = ['page', 'ticket'] as const
export type Severity = (typeof SEVERITIES)[number]
export const MISSING_DATA = ['freeze', 'bad', 'good', 'ignore'] as const
export type MissingData = (typeof MISSING_DATA)[number]

/** One alert policy of OpenSLO with what it refers to: a single window, beside the burn profile. */
export type AlertRule = {
  readonly policy: string
  readonly condition: string
  readonly severity: string
  readonly op: Operator
  readonly burnRate: number
  readonly lookbackMs: number
  readonly alertAfterMs: number
  readonly when: { readonly noData: boolean; readonly resolved: boolean; readonly breaching: boolean }
  /** Names of notification targets and what each is. */
  readonly targets: readonly { readonly name: string; readonly target: string }[]
}

export type SloDefinition = {
  readonly name: string
  readonly displayName: string
  readonly description: string
  readonly service: string
  readonly labels: Readonly<Record<string, readonly string[]>>
  /** Undefined: that of the service's system. */
  readonly tier: Tier | undefined
  /** Undefined: by the tier, 10,000 for critical, else 60,000. */
  readonly stepMs: 10_000 | 60_000 | undefined
  readonly window: SloWindow
  /** Each that is measured, once; objectives may share one. */
  readonly indicators: readonly Indicator[]
  readonly objectives: readonly SloObjective[]
  /** Objectives with indicators of their own add up to one; undefined for all others. */
  readonly composite: { readonly targetRatio: number } | undefined
  /** Name; undefined: the one for the window's length. */
  readonly burnProfile: string | undefined
  /** Severities of the burn profile that are on. */
  readonly severities: readonly Severity[]
  /** Fewer events wake nobody; undefined: the default of the budgeting method. */
  readonly minTotal: number | undefined
  readonly minBad: number | undefined
  /** Failing part of one slice that is an outage; undefined: by the tier; off: never. */
  readonly outage: { readonly failingRatio: number; readonly totalMin: number } | 'off' | undefined
  readonly missingData: MissingData
  /** Known part of a window from which it is judged, 0–1. */
  readonly coverageFloor: number
  readonly alertRules: readonly AlertRule[]
}

/** Step that slices of an SLO have, given the tier of its system where it says none itself. */
export function stepMsOf(
  { stepMs, tier }: Pick<SloDefinition, 'stepMs' | 'tier'>,
  systemTier?: Tier,
): 10_000 | 60_000 {
  return stepMs ?? ((tier ?? systemTier) === 'critical' ? 10_000 : 60_000)
}

/** What is counted, as plain data: when it changes, stored slices answer another question. */
export function questionOf({ indicators }: Pick<SloDefinition, 'indicators'>): unknown {
  return indicators
}
