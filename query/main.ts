// Wires the role `query`: the API and the pages, on the application that the process serves.

import { doorlessProblems, IngestConfig, runtimeProblems } from '../ingest/config.ts'
import { runAlone, runProcess, type ProcessParts } from '../ingest/process.ts'
import { readConfig } from '../ingest/runtime/config.ts'
import { QueryConfig } from './config.ts'
import { api, registerOpenApi } from './http/api.ts'
import { pages } from './http/routes/pages.ts'
import type { KafkaStatus } from './reports/ingest-status.ts'

export type QueryParts = Pick<ProcessParts, 'store' | 'app' | 'metrics' | 'clock' | 'traces'> & {
  /** What the ingest role in this process knows of its partitions; null when there is none. */
  readonly kafkaStatus: () => KafkaStatus | null
  /** What the page of an empty store tells people to send traces to. */
  readonly otlpTracesUrl?: string
}

/** The OpenAPI document must have been registered on the application before any route (`registerOpenApi`). */
export async function start(config: QueryConfig, parts: QueryParts): Promise<void> {
  const { app, otlpTracesUrl } = parts
  await app.register(api, {
    ...parts,
    retentionSpansDays: config.SURETY_RETENTION_SPANS_DAYS,
    retentionMinutesDays: config.SURETY_RETENTION_1M_DAYS,
    searchKeys: config.SURETY_SEARCH_KEYS,
  })
  await app.register(pages, otlpTracesUrl === undefined ? {} : { otlpTracesUrl })
}

if (import.meta.main) {
  process.exitCode = await runAlone(() => {
    const config = readConfig(QueryConfig, process.env, Object.keys(IngestConfig.shape), (values) => [
      ...runtimeProblems(values),
      ...doorlessProblems(values),
    ])
    return runProcess(config, async (parts) => {
      await registerOpenApi(parts.app)
      await start(config, { ...parts, kafkaStatus: () => null })
    })
  })
}
