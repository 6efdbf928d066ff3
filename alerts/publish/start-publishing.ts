// Wires the publisher of events, of SLOs and of faults: to the brokers that are configured, round after round while this process leads.

import { openKafkajsProduce } from '../../ingest/kafka/kafkajs-produce.ts'
import { kafkaSecurity } from '../../ingest/kafka/security.ts'
import { readFiguresAt } from '../../query/promises/status-store.ts'
import { loadSlos, type Slos } from '../../query/promises/slos.ts'
import type { Registry } from '../../query/registry/registry.ts'
import type { AlertsConfig } from '../config.ts'
import { startRounds, type LeadingParts } from '../rounds.ts'
import { faultEventFeed, sloEventFeed, verdictEventFeed } from './event-feed.ts'
import { buildPublishMetrics } from './publish-metrics.ts'
import { buildPublisher } from './publisher.ts'
import { sloEvent, type SloEvent } from './slo-event.ts'
import { buildTransitionFeed, type ToldTransition } from './transition-feed.ts'

/** Its rows in slo_publishers. */
const NAME = 'kafka'
const FAULTS_NAME = 'kafka-faults'
const VERDICTS_NAME = 'kafka-verdicts'
const ROUND_MS = 1000
/** What fails is tried again, later and later. */
const PAUSE_MS_MAX = 30_000

/** Does nothing without brokers. Connects in the background; nothing waits for it. */
export function startPublishing(config: AlertsConfig, parts: LeadingParts): void {
  const { store, registry, database, lifecycle, health, logger, clock, isLeading } = parts
  const topic = config.SURETY_EVENTS_TOPIC
  if (config.KAFKA_BROKERS.length === 0 || topic === 'none') return
  const port = openKafkajsProduce({
    brokers: config.KAFKA_BROKERS,
    clientId: 'surety-events',
    // The topic may be missing until there is something to tell; then it is said.
    topics: [],
    words: { ready: 'events are published', away: 'events wait in their order and are sent then' },
    ...kafkaSecurity(config),
    logger,
  })
  const metrics = buildPublishMetrics(parts.metrics.registry)
  const publisher = buildPublisher({
    feeds: [
      sloEventFeed(buildTransitionFeed(database, NAME), buildEventsOf(store, registry)),
      faultEventFeed(database, FAULTS_NAME),
      verdictEventFeed(database, VERDICTS_NAME),
    ],
    port,
    topic,
    isLeading,
    metrics,
    logger,
    now: () => clock.now(),
  })
  const rounds = startRounds({
    firstMs: ROUND_MS,
    everyMs: ROUND_MS,
    pauseMsMax: PAUSE_MS_MAX,
    round: () => publisher.round(),
    failed: (error) => logger.error({ err: error }, 'events could not be read; it is tried again'),
  })
  health.register('events', () => {
    const trouble = rounds.trouble()
    return trouble === undefined ? publisher.heldUp() : `Events cannot be read: ${trouble}`
  })
  lifecycle.add('events', async () => {
    await rounds.stop()
    await port.close()
  })
}

/** Events with what the registry says of their SLOs now and what was said of them then. */
export function buildEventsOf(store: LeadingParts['store'], registry: Registry) {
  let known: Slos | undefined
  return async (transitions: readonly ToldTransition[]): Promise<SloEvent[]> => {
    if (known === undefined || known.changeNumber !== (await registry.changeNumber()))
      known = await loadSlos(registry)
    const figures = await readFiguresAt(
      store,
      transitions.map(({ slo, objective, group, judgedAtMs }) => ({
        slo,
        objective,
        group,
        atMs: judgedAtMs,
      })),
    )
    const { slos } = known
    return transitions.map((one, place) => sloEvent(one, slos.get(one.slo), figures.get(place)))
  }
}
