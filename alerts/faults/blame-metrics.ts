// What finding and explaining faults says of itself, in Prometheus' form.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type BlameMetrics = ReturnType<typeof buildBlameMetrics>

export function buildBlameMetrics(registry: Registry) {
  const registers = [registry]
  return {
    alarms: new Counter({
      name: 'surety_blame_alarms_total',
      help: 'Alarms by origin and what became of them: new fault, joined one, known, refused because too many are open',
      labelNames: ['origin', 'result'] as const,
      registers,
    }),
    open: new Gauge({ name: 'surety_blame_open_faults', help: 'Faults that are not over', registers }),
    waiting: new Gauge({
      name: 'surety_blame_scheduled_faults',
      help: 'Faults that will be explained again',
      registers,
    }),
    decisions: new Counter({
      name: 'surety_blame_decisions_total',
      help: 'Explanations kept, by verdict',
      labelNames: ['verdict'] as const,
      registers,
    }),
    failures: new Counter({
      name: 'surety_blame_failures_total',
      help: 'Rounds and explanations that failed or took too long; they are tried again',
      labelNames: ['step'] as const,
      registers,
    }),
    seconds: new Histogram({
      name: 'surety_blame_explanation_seconds',
      help: 'How long one explanation took',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30],
      registers,
    }),
    lateSeconds: new Gauge({
      name: 'surety_blame_late_seconds',
      help: 'How long the fault that waits longest is due',
      registers,
    }),
    findSeconds: new Histogram({
      name: 'surety_blame_find_seconds',
      help: 'How long a round of looking for faults took',
      buckets: [0.02, 0.1, 0.25, 0.5, 1, 2, 5, 10],
      registers,
    }),
  }
}
