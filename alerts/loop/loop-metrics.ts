// What the loop says of itself, in Prometheus' form.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type LoopMetrics = ReturnType<typeof buildLoopMetrics>

export function buildLoopMetrics(registry: Registry) {
  const registers = [registry]
  return {
    slos: new Gauge({ name: 'surety_slo_definitions', help: 'SLOs that are measured and judged', registers }),
    cycles: new Counter({
      name: 'surety_slo_cycles_total',
      help: 'Cycles of closed slices, by the length of slices in seconds',
      labelNames: ['step'] as const,
      registers,
    }),
    missed: new Counter({
      name: 'surety_slo_missed_cycles_total',
      help: 'Instants that were judged late or left out',
      registers,
    }),
    slices: new Counter({
      name: 'surety_slo_slices_total',
      help: 'Slices that were new or different',
      registers,
    }),
    lateSlices: new Counter({
      name: 'surety_slo_late_slices_total',
      help: 'Slices that late telemetry changed',
      registers,
    }),
    transitions: new Counter({
      name: 'surety_slo_transitions_total',
      help: 'Changes of state, by what changed',
      labelNames: ['subject', 'slo'] as const,
      registers,
    }),
    failures: new Counter({
      name: 'surety_slo_loop_failures_total',
      help: 'Rounds of the loop that failed and are tried again',
      registers,
    }),
    seconds: new Histogram({
      name: 'surety_slo_round_seconds',
      help: 'How long a round of the loop took',
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15, 60],
      registers,
    }),
  }
}
