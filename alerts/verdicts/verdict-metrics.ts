// What the loop of verdicts says of itself, in Prometheus' form.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type VerdictMetrics = ReturnType<typeof buildVerdictMetrics>

export function buildVerdictMetrics(registry: Registry) {
  const registers = [registry]
  return {
    judged: new Counter({
      name: 'surety_verdicts_total',
      help: 'Judgements of releases, by what was said',
      labelNames: ['verdict'] as const,
      registers,
    }),
    failures: new Counter({
      name: 'surety_verdict_failures_total',
      help: 'Judgements and rounds that failed; they are tried again',
      registers,
    }),
    due: new Gauge({
      name: 'surety_verdicts_due',
      help: 'Releases that were due and are left for the next round; 0 where another process leads',
      registers,
    }),
    seconds: new Histogram({
      name: 'surety_verdict_seconds',
      help: 'Time that one judgement took, reading included',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    records: new Counter({
      name: 'surety_release_window_records_total',
      help: 'Records of release windows that were written, by whether they are signed',
      labelNames: ['signed'] as const,
      registers,
    }),
  }
}
