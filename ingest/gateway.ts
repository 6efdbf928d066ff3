// Wires the gateway (SURETY_GATEWAY): what the OTLP doors take goes to Kafka, to the topics that consumers read.

import type { IngestConfig } from './config.ts'
import { openKafkajsProduce } from './kafka/kafkajs-produce.ts'
import { DIGEST_HEADER } from './kafka/produce.ts'
import { kafkaSecurity } from './kafka/security.ts'
import { buildForward, type ForwardParts } from './otlp/forward.ts'
import type { Take, Takes } from './otlp/take.ts'
import type { SeriesRegister } from './pipeline/series-register.ts'
import type { SignalName, SignalPath } from './pipeline/signal.ts'
import type { ProcessParts } from './process.ts'

type GatewayParts = Pick<ProcessParts, 'lifecycle' | 'health' | 'logger'> &
  Pick<ForwardParts, 'budget' | 'clock' | 'metrics'> & {
    readonly config: IngestConfig
    readonly paths: Readonly<Record<SignalName, Pick<SignalPath, 'words' | 'prepare' | 'fromJson'>>>
  }

/** Connects in the background; until Kafka answers, senders are asked to come again. */
export function openGateway(parts: GatewayParts): Takes {
  const { config, paths, budget, clock, metrics, logger, lifecycle, health } = parts
  const topics: Readonly<Record<SignalName, string>> = {
    traces: config.SURETY_KAFKA_TOPIC_SPANS,
    metrics: config.SURETY_KAFKA_TOPIC_METRICS,
    logs: config.SURETY_KAFKA_TOPIC_LOGS,
  }
  const port = openKafkajsProduce({
    brokers: config.KAFKA_BROKERS,
    clientId: 'surety-gateway',
    // The other topics may be missing, as for the consumer; who sends such requests is told.
    topics: [topics.traces],
    ...kafkaSecurity(config),
    logger,
  })
  lifecycle.add('gateway', () => port.close())
  health.register('gateway to kafka', () => port.notReadyReason())
  logger.info({ brokers: config.KAFKA_BROKERS, topics }, 'OTLP doors hand requests to Kafka')

  function takeOf(name: SignalName): Take {
    const topic = topics[name]
    return buildForward({
      signal: { ...paths[name], name },
      budget,
      clock,
      metrics,
      // The digest is the key, too: a repeated request comes to the partition of the first one, where its consumer
      // knows it; digests spread evenly.
      produce: (digest, value) =>
        port.send({ topic, key: digest, value, headers: { [DIGEST_HEADER]: digest } }),
    })
  }
  return { traces: takeOf('traces'), metrics: takeOf('metrics'), logs: takeOf('logs') }
}

/** Judges a message of metrics without remembering its series: bounds are kept where series are stored. */
export const UNBOUNDED_REGISTER: SeriesRegister = {
  seed: 0,
  admit: () => ({ unstored: [], verdicts: undefined }),
  hasUnstored: () => false,
  stored: () => undefined,
  size: () => 0,
}
