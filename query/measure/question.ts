// What one series of slices asks of the telemetry: an indicator, in steps. A series is named by its question, so that equal questions
// are measured once, and another one never reads slices that answer something else.

import { createHash } from 'node:crypto'
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
  /** Fingerprint of the rest. */
  readonly series: string
  readonly stepSeconds: 10 | 60
  readonly indicator: Indicator
}

export function questionOf<Indicator extends MeasuredIndicator>(
  indicator: Indicator,
  stepSeconds: 10 | 60,
): SliceQuestion<Indicator> {
  const series = createHash('sha256')
    .update(JSON.stringify([indicator, stepSeconds]))
    .digest('hex')
    .slice(0, 32)
  return { series, stepSeconds, indicator }
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
