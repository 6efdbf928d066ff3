// What the role `alerts` reads from its environment: what every role reads, and where events go.

import { z } from 'zod'
import { IngestConfig, RuntimeConfig } from '../ingest/config.ts'

export const AlertsConfig = RuntimeConfig.extend({
  // The same brokers that telemetry comes from; without them nothing is published.
  ...IngestConfig.pick({
    KAFKA_BROKERS: true,
    SURETY_KAFKA_TLS: true,
    SURETY_KAFKA_TLS_CA_FILE: true,
    SURETY_KAFKA_TLS_CERT_FILE: true,
    SURETY_KAFKA_TLS_KEY_FILE: true,
    SURETY_KAFKA_SASL_MECHANISM: true,
    SURETY_KAFKA_SASL_USERNAME: true,
    SURETY_KAFKA_SASL_PASSWORD: true,
  }).shape,
  /** Topic of SLO events, CloudEvents in structured mode; `none` publishes nothing. */
  SURETY_EVENTS_TOPIC: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be a name of a Kafka topic, or none')
    .default('surety_events'),
  /** Ed25519 key that records of release windows are signed with: PKCS#8 in PEM, or its seed in Base64. Unset: they are not signed. */
  SURETY_SIGNING_KEY: z.string().min(1).optional(),
  /** File with that key; goes before the other. */
  SURETY_SIGNING_KEY_FILE: z.string().min(1).optional(),
})
export type AlertsConfig = Readonly<z.output<typeof AlertsConfig>>
