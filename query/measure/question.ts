// What one series of slices asks of the telemetry: an indicator, in steps. A new generation answers another question.

import type {
  Dimension,
  MetricRatioIndicator,
  MetricThresholdIndicator,
  ProbeIndicator,
  RequestIndicator,
} from '../slo/model.ts'

export type MeasuredIndicator =
  RequestIndicator | ProbeIndicator | MetricRatioIndicator | MetricThresholdIndicator

export type SliceQuestion<Indicator extends MeasuredIndicator = MeasuredIndicator> = {
  /** Names the series of slices; the SLO's id in the registry and the indicator's place. */
  readonly series: string
  readonly generation: number
  readonly stepSeconds: 10 | 60
  readonly indicator: Indicator
}

/** Events are kept in thousandths: a sampled span counts for what it stands for. */
export const EVENT_SCALE = 1000

/** Columns of spans, and of the request rollups where `isRollup`. */
export const COLUMNS: Readonly<Record<Dimension, { readonly column: string; readonly isRollup: boolean }>> = {
  service: { column: 'service', isRollup: true },
  operation: { column: 'operation', isRollup: true },
  version: { column: 'version', isRollup: true },
  system: { column: 'system', isRollup: true },
  site: { column: 'site', isRollup: true },
  zone: { column: 'zone', isRollup: true },
  cluster: { column: 'cluster', isRollup: true },
  channel: { column: 'channel', isRollup: true },
  region: { column: 'region', isRollup: true },
  branch: { column: 'branch', isRollup: false },
  teller: { column: 'teller', isRollup: false },
  txnCode: { column: 'txn_code', isRollup: false },
  clientVersion: { column: 'client_version', isRollup: false },
  caller: { column: 'caller', isRollup: false },
  route: { column: 'route', isRollup: false },
  environment: { column: 'environment', isRollup: false },
}
