// The demo bank: eight services in two sites, customers that use them, and a page to break and mend them from.
// Started alone (`node deploy/demo/main.ts`) or as a child of Surety; it ends with its parent.

import { randomBytes } from 'node:crypto'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { ConfigError } from '../../ingest/runtime/config.ts'
import { buildLifecycle, untilSignal } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger, type Logger } from '../../ingest/runtime/logger.ts'
import { openBank } from './bank.ts'
import { readDemoConfig, type DemoConfig } from './config.ts'
import { openControl } from './control/control.ts'
import { openMachineMetrics } from './machine-metrics.ts'
import { buildRandom } from './random.ts'
import { baselineId, buildReleaseEvent, openReleaseSender } from './release-events.ts'
import { SERVICES, SERVICE_FACTS } from './topology.ts'
import { openTraffic } from './traffic.ts'

/** The whole stop: a second for the customers, two and a half for the services and their last spans. */
const STOP_TIMEOUT_MS = 4_000

export type Demo = {
  /** where the control page is */
  readonly url: string
  stop(): Promise<void>
}

/**
 * Starts the bank, its control page and its customers.
 *
 * @throws Error when the control port is taken or an instance does not come up
 */
export async function start(config: DemoConfig, logger: Logger): Promise<Demo> {
  const lifecycle = buildLifecycle(logger, STOP_TIMEOUT_MS)
  const clock = systemClock
  try {
    const releases = openReleaseSender({ url: config.SURETY_DEMO_SURETY_URL, logger })
    lifecycle.add('release events', () => releases.close())

    const bank = await openBank({
      tracesUrl: `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, '')}/v1/traces`,
      seed: config.SURETY_DEMO_SEED,
      failoverMs: config.SURETY_DEMO_FAILOVER_MS,
      clock,
      logger,
      releases,
    })
    lifecycle.add('bank', () => bank.close())

    const machines = openMachineMetrics({
      metricsUrl: `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, '')}/v1/metrics`,
      running: () => bank.running(),
      isUp: (site) => bank.state().siteStates.every((one) => one.site !== site || one.state === 'up'),
      clock,
      logger,
    })
    lifecycle.add('machines', () => machines.close())

    const traffic = openTraffic({
      peakPerSecond: config.SURETY_DEMO_RATE,
      random: buildRandom(config.SURETY_DEMO_SEED),
      clock,
      runId: `TX${randomBytes(4).toString('hex')}`,
      routing: bank.routing,
    })
    lifecycle.add('traffic', () => traffic.close())

    const control = await openControl({
      port: config.SURETY_DEMO_PORT,
      suretyUrl: config.SURETY_DEMO_SURETY_URL,
      bank,
      traffic,
      releases,
      logger,
    })
    lifecycle.add('control', () => control.close())

    for (const service of SERVICES) {
      const { baseline } = SERVICE_FACTS[service]
      releases.send(
        buildReleaseEvent({
          action: 'deployed',
          service,
          version: baseline,
          previousVersion: undefined,
          scope: { kind: 'whole' },
          at: clock.now(),
          id: baselineId(service, baseline),
        }),
      )
    }
    return { url: control.url, stop: () => lifecycle.stop() }
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}

async function main(): Promise<void> {
  const config = readDemoConfig(process.env)
  const logger = buildLogger(config.SURETY_LOG_LEVEL, 'surety-demo')
  const parentGone = new Promise<void>((resolve) => process.once('disconnect', resolve))
  const demo = await start(config, logger)
  const ready = { kind: 'ready', url: demo.url }
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(ready)}\n`)
  else process.send(ready)
  await Promise.race([untilSignal(), parentGone])
  await demo.stop()
}

if (import.meta.main) {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      const told = error instanceof ConfigError || (error instanceof Error && 'code' in error)
      process.stderr.write(
        `${error instanceof Error ? (told ? error.message : error.stack) : String(error)}\n`,
      )
      process.exit(1)
    },
  )
}
