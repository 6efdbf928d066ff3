// Wires verdicts and records of windows: round after round while this process leads.

import { readFileSync } from 'node:fs'
import { ConfigError } from '../../ingest/runtime/config.ts'
import { buildLandscape } from '../../query/profiles/landscape.ts'
import { signerOf, type Signer } from '../../query/windows/record-chain.ts'
import { windowPlan } from '../../query/windows/release-window.ts'
import type { AlertsConfig } from '../config.ts'
import { startRounds, type LeadingParts } from '../rounds.ts'
import { buildVerdictLoop } from './verdict-loop.ts'
import { buildVerdictMetrics } from './verdict-metrics.ts'
import { writeWindowRecords } from './window-records.ts'

const ROUND_MS = 30_000
/** Until the loop that decides who leads has asked for it. */
const FIRST_MS = 2000
const PAUSE_MS_MAX = 300_000

/** @throws ConfigError when the signing key cannot be read */
export function startVerdicts(config: AlertsConfig, parts: LeadingParts): void {
  const { registry, lifecycle, health, logger, isLeading } = parts
  const signer = signerFrom(config)
  const metrics = buildVerdictMetrics(parts.metrics.registry)
  const loop = buildVerdictLoop({ ...parts, metrics, landscape: buildLandscape(registry) })
  const plan = windowPlan(
    config.SURETY_RELEASE_WINDOW,
    config.SURETY_RELEASE_WINDOW_VERDICT_AT,
    config.SURETY_TIME_ZONE,
  )
  const rounds = startRounds({
    firstMs: FIRST_MS,
    everyMs: ROUND_MS,
    pauseMsMax: PAUSE_MS_MAX,
    async round() {
      if (!isLeading()) {
        metrics.due.set(0)
        return
      }
      await loop.round()
      await writeWindowRecords({ ...parts, metrics, plan, signer })
    },
    failed(error) {
      metrics.failures.inc()
      logger.error({ err: error }, 'a round of verdicts failed; it is tried again')
    },
  })
  health.register('release verdicts', () => {
    const trouble = rounds.trouble()
    return Promise.resolve(trouble === undefined ? undefined : `releases are not judged: ${trouble}`)
  })
  lifecycle.add('release verdicts', () => rounds.stop())
}

function signerFrom(config: AlertsConfig): Signer | undefined {
  const { SURETY_SIGNING_KEY: key, SURETY_SIGNING_KEY_FILE: file } = config
  if (key === undefined && file === undefined) return undefined
  const name = file === undefined ? 'SURETY_SIGNING_KEY' : 'SURETY_SIGNING_KEY_FILE'
  try {
    return signerOf(file === undefined ? (key ?? '') : readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError([`${name}: ${error instanceof Error ? error.message : String(error)}`])
  }
}
