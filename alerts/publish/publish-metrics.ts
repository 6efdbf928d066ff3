// What the publisher says of itself, in Prometheus' form.

import { Counter, Gauge, type Registry } from 'prom-client'

export type PublishMetrics = ReturnType<typeof buildPublishMetrics>

export function buildPublishMetrics(registry: Registry) {
  const registers = [registry]
  return {
    published: new Counter({
      name: 'surety_events_published_total',
      help: 'Events that Kafka acknowledged, by type; after a crash some are sent again',
      labelNames: ['type'] as const,
      registers,
    }),
    failures: new Counter({
      name: 'surety_events_failures_total',
      help: 'Batches of events that Kafka did not take; they are sent again',
      registers,
    }),
    waiting: new Gauge({
      name: 'surety_events_waiting',
      help: 'Events that were not sent yet; 0 where another process leads',
      registers,
    }),
    oldestSeconds: new Gauge({
      name: 'surety_events_oldest_waiting_seconds',
      help: 'Age of the oldest event that was not sent yet; 0 when none waits',
      registers,
    }),
  }
}
