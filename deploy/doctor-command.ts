// `surety doctor`: looks at everything that commonly keeps Surety from working, and says what to do.

import { readMasking } from '../ingest/masking.ts'
import { readHooks } from '../ingest/releases/hooks/open-hooks.ts'
import { readReturnCodes } from '../ingest/return-codes.ts'
import type { IngestConfig } from '../ingest/config.ts'
import { retentionOf } from '../ingest/process.ts'
import { storeTarget } from '../ingest/store-target.ts'
import { ConfigError } from '../ingest/runtime/config.ts'
import { buildApiClient } from './api-client.ts'
import { access } from './doctor/access.ts'
import { fail, findingsText, ok, worst, type Finding } from './doctor/finding.ts'
import { kafka } from './doctor/kafka.ts'
import { dataDirectory, ports } from './doctor/machine.ts'
import { store } from './doctor/store.ts'
import { readEnvironment, ROLES } from './environment.ts'

export const DOCTOR_HELP = `surety doctor [--json]

Looks at the configuration, the data directory and its disk, the store (opened, or the running Surety at SURETY_URL; of a
ClickHouse server also version, schema, disks and replicas), its parts, dead letters and clock, tokens and certificates, Kafka and the ports. Each finding is ok, to look at, or broken, with a remedy. Changes
nothing. Ends with 0, or 1 when something is broken.`

export async function doctorCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const findings = await examine()
  const state = worst(findings)
  console.log(
    values['json'] === true ? JSON.stringify({ state, findings }, undefined, 2) : findingsText(findings),
  )
  return state === 'fail' ? 1 : 0
}

async function examine(): Promise<Finding[]> {
  let config: IngestConfig
  try {
    config = readEnvironment(ROLES, process.env)
    readReturnCodes(config.SURETY_RETURN_CODE_MAP)
    readHooks(config)
    readMasking(config.SURETY_MASKING)
    storeTarget(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) =>
      fail('configuration', problem, 'Correct the variable; README lists them all. The other looks need it.'),
    )
  }
  const machine = await dataDirectory(config.SURETY_DATA_DIR)
  const kept = machine.some(({ state }) => state === 'fail')
    ? { findings: [], isRunning: false }
    : await store(
        { dataDir: config.SURETY_DATA_DIR, server: storeTarget(config), retention: retentionOf(config) },
        buildApiClient(process.env),
        Date.now(),
      )
  const wanted = {
    SURETY_HTTP_PORT: config.SURETY_HTTP_PORT,
    SURETY_OTLP_HTTP_PORT: config.SURETY_OTLP_HTTP_PORT,
  }
  return [
    ok('configuration', 'is accepted'),
    ...machine,
    ...(await access(config, Date.now())),
    ...kept.findings,
    ...(await kafka(config.KAFKA_BROKERS, config.SURETY_KAFKA_GROUP, [config.SURETY_KAFKA_TOPIC_SPANS])),
    ...(kept.isRunning ? [] : await ports(wanted, config.SURETY_HOST)),
  ]
}
