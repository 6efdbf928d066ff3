// A broker that asks for TLS and a password, as a bank's does: each SASL mechanism, a wrong password, a wrong CA.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import type { IngestStatusReply } from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { makeCertificate, type Certificate } from '../support/certificates.ts'
import { openKafkaProducer, type KafkaProducer } from '../support/kafka-producer.ts'
import { eventually, startSurety } from '../support/surety.ts'

const TOPIC = 'otlp_spans'
const folder = mkdtempSync(join(tmpdir(), 'surety-secured-'))
// Made for this run; nothing outside it has it.
const password = crypto.randomUUID()
let certificate: Certificate
let broker: Broker
let producer: KafkaProducer

beforeAll(async () => {
  certificate = makeCertificate(folder, 'broker')
  const keyStoreFile = join(folder, 'broker.pem')
  writeFileSync(
    keyStoreFile,
    `${readFileSync(certificate.keyFile, 'utf8')}${readFileSync(certificate.certFile, 'utf8')}`,
  )
  broker = await openBroker({
    directory: join(folder, 'kafka'),
    topics: [{ topic: TOPIC, partitions: 1 }],
    secured: { keyStoreFile, users: { surety: password } },
  })
  producer = await openKafkaProducer(broker.brokers)
  const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
  await producer.send(TOPIC, 0, bankRequests({ seed: 1, requests: 5, spansPerRequest: 10, startNs }))
})

afterAll(async () => {
  await producer.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

const secured = (mechanism: string) => ({
  KAFKA_BROKERS: broker.securedBrokers.join(','),
  SURETY_KAFKA_GROUP: `group-${mechanism}-${crypto.randomUUID()}`,
  SURETY_KAFKA_TLS: '1',
  SURETY_KAFKA_TLS_CA_FILE: certificate.certFile,
  SURETY_KAFKA_SASL_MECHANISM: mechanism,
  SURETY_KAFKA_SASL_USERNAME: 'surety',
  SURETY_KAFKA_SASL_PASSWORD: password,
})

test.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
  'spans come in over TLS with %s',
  async (mechanism) => {
    const surety = await startSurety(secured(mechanism))
    try {
      const { spans } = await eventually(
        () => surety.get<IngestStatusReply>('/api/v1/ingest/status'),
        (status) => status.spans.rows > 0,
      )
      expect(spans.rows).toBe(50)
    } finally {
      await surety.stop()
    }
  },
)

test.each([
  { name: 'a wrong password', change: () => ({ SURETY_KAFKA_SASL_PASSWORD: 'wrong' }) },
  {
    name: 'a CA that did not sign the broker',
    change: () => ({ SURETY_KAFKA_TLS_CA_FILE: makeCertificate(folder, 'other').certFile }),
  },
])('$name is said by /readyz, and nothing else stops', async ({ change }) => {
  const surety = await startSurety({ ...secured('scram-sha-512'), ...change(), SURETY_LOG_LEVEL: 'silent' })
  try {
    const reason = await eventually(
      async () => {
        const { parts } = (await (await fetch(`${surety.url}/readyz`)).json()) as {
          parts: { part: string; reason?: string }[]
        }
        return parts.find(({ part }) => part === 'kafka')?.reason ?? ''
      },
      (text) => /authenti|password|certificate|TLS|SASL/i.test(text),
    )
    expect(reason).not.toContain(password)
    const [body = Buffer.alloc(0)] = bankRequests({
      seed: 9,
      requests: 1,
      spansPerRequest: 4,
      startNs: BigInt(Date.now() - 1000) * 1_000_000n,
    })
    expect((await surety.send(body)).status).toBe(200)
  } finally {
    await surety.stop()
  }
})
