// Wires verdicts and records of windows: round after round while this process leads.

import { readFileSync } from 'node:fs'
import type { ProcessParts } from '../../ingest/process.ts'
import { ConfigError } from '../../ingest/runtime/config.ts'
import { buildLandscape } from '../../query/profiles/landscape.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { signerOf, type Signer } from '../../query/windows/record-chain.ts'
import { windowPlan } from '../../query/windows/release-window.ts'
import type { AlertsConfig } from '../config.ts'
import { buildVerdictLoop } from './verdict-loop.ts'
import { buildVerdictMetrics } from './verdict-metrics.ts'
import { writeWindowRecords } from './window-records.ts'

const ROUND_MS = 30_000
/** Until the loop that decides who leads has asked for it. */
const FIRST_MS = 2000
const PAUSE_MS_MAX = 300_000

export type VerdictRoleParts = Pick<
  ProcessParts,
  'store' | 'lifecycle' | 'health' | 'metrics' | 'logger' | 'clock'
> & {
  readonly database: Database
  readonly registry: Registry
  readonly isLeading: () => boolean
}

/** @throws ConfigError when the signing key cannot be read */
export function startVerdicts(config: AlertsConfig, parts: VerdictRoleParts): void {
  const { registry, lifecycle, health, logger, isLeading } = parts
  const signer = signerFrom(config)
  const metrics = buildVerdictMetrics(parts.metrics.registry)
  const loop = buildVerdictLoop({ ...parts, metrics, landscape: buildLandscape(registry) })
  const plan = windowPlan(
    config.SURETY_RELEASE_WINDOW,
    config.SURETY_RELEASE_WINDOW_VERDICT_AT,
    config.SURETY_TIME_ZONE,
  )
  let failures = 0
  let lastFailure = ''
  let isStopped = false
  let timer: NodeJS.Timeout
  let running: Promise<void> = Promise.resolve()
  const round = async () => {
    try {
      if (isLeading()) {
        await loop.round()
        await writeWindowRecords({ ...parts, metrics, plan, signer })
      } else metrics.due.set(0)
      failures = 0
      lastFailure = ''
    } catch (error) {
      failures += 1
      lastFailure = error instanceof Error ? error.message : String(error)
      metrics.failures.inc()
      logger.error({ err: error }, 'a round of verdicts failed; it is tried again')
    }
    if (!isStopped) timer = setTimeout(start, Math.min(PAUSE_MS_MAX, ROUND_MS * 2 ** Math.min(failures, 10)))
  }
  const start = () => void (running = round())
  timer = setTimeout(start, FIRST_MS)
  health.register('release verdicts', () =>
    Promise.resolve(failures > 2 ? `releases are not judged: ${lastFailure}` : undefined),
  )
  lifecycle.add('release verdicts', async () => {
    isStopped = true
    clearTimeout(timer)
    await running
  })
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
