// Wires the role `alerts`: the loop that measures and judges SLOs, with one leader among all Suretys of a registry, the loop that finds
// faults and has them explained, verdicts on releases, and what they publish.

import { doorlessProblems, IngestConfig, runtimeProblems } from '../ingest/config.ts'
import { kafkaSecurityProblems } from '../ingest/kafka/security.ts'
import { runAlone, runProcess, type ProcessParts } from '../ingest/process.ts'
import { readConfig } from '../ingest/runtime/config.ts'
import { databaseTarget } from '../query/database-target.ts'
import { openRegistry } from '../query/open-registry.ts'
import type { Database } from '../query/registry/database.ts'
import type { Registry } from '../query/registry/registry.ts'
import { AlertsConfig } from './config.ts'
import { startFaults } from './faults/start-faults.ts'
import { buildLoopMetrics } from './loop/loop-metrics.ts'
import { buildSloLoop, type SloLoop } from './loop/loop.ts'
import { startPublishing } from './publish/start-publishing.ts'
import { startVerdicts } from './verdicts/start-verdicts.ts'

const TICK_MS = 1000
/** A round that fails is tried again, later and later. */
const PAUSE_MS_MAX = 30_000

export type AlertsParts = ProcessParts & { readonly database: Database; readonly registry: Registry }

export type AlertsRole = { readonly loop: SloLoop }

export function start(config: AlertsConfig, parts: AlertsParts): AlertsRole {
  const { lifecycle, metrics, logger, health } = parts
  const loopMetrics = buildLoopMetrics(metrics.registry)
  const loop = buildSloLoop({
    ...parts,
    metrics: loopMetrics,
    limits: {
      spansDays: config.SURETY_RETENTION_SPANS_DAYS,
      requests10sDays: config.SURETY_RETENTION_10S_DAYS,
      requests1mDays: config.SURETY_RETENTION_1M_DAYS,
      metricsDays: config.SURETY_RETENTION_METRICS_DAYS,
    },
  })
  let failures = 0
  let isStopped = false
  let timer: NodeJS.Timeout
  let lastFailure: string | undefined
  const round = async () => {
    try {
      await loop.tick()
      failures = 0
      lastFailure = undefined
    } catch (error) {
      failures += 1
      lastFailure = error instanceof Error ? error.message : String(error)
      loopMetrics.failures.inc()
      logger.error({ err: error }, 'a round of the SLO loop failed; it is tried again')
    }
    if (!isStopped) timer = setTimeout(() => void round(), Math.min(PAUSE_MS_MAX, TICK_MS * 2 ** failures))
  }
  timer = setTimeout(() => void round(), 0)
  health.register('slo loop', () =>
    Promise.resolve(failures > 2 ? `SLOs are not judged: ${lastFailure ?? ''}` : undefined),
  )
  lifecycle.add('SLO loop', async () => {
    isStopped = true
    clearTimeout(timer)
    await loop.stop()
  })
  const isLeading = () => loop.isLeading()
  startFaults({ ...parts, isLeading })
  startVerdicts(config, { ...parts, isLeading })
  startPublishing(config, { ...parts, isLeading })
  return { loop }
}

if (import.meta.main) {
  process.exitCode = await runAlone(() => {
    const config = readConfig(AlertsConfig, process.env, Object.keys(IngestConfig.shape), (values) => [
      ...runtimeProblems(values),
      ...kafkaSecurityProblems(values),
      ...doorlessProblems(values),
    ])
    return runProcess(config, async (parts) => {
      const { database, registry } = await openRegistry(
        databaseTarget(config),
        () => new Date(parts.clock.now()),
      )
      parts.lifecycle.add('registry', () => database.close())
      start(config, { ...parts, database, registry })
    })
  })
}
