// `surety demo`: serve, and the demo bank as a process of its own beside it, so that its work is not counted as ours.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { untilSignal } from '../ingest/runtime/lifecycle.ts'
import type { RuntimeConfig } from '../ingest/config.ts'
import { needsTokens } from '../ingest/runtime/access.ts'
import { ConfigError } from '../ingest/runtime/config.ts'
import { isLoopback } from '../ingest/runtime/reach.ts'
import { applyDemoDefinitions } from './demo-definitions.ts'
import { readDemoConfig } from './demo/config.ts'
import { demoHistory } from './demo/history/history.ts'
import { readEnvironment, ROLES } from './environment.ts'
import { serve, tellFirstAdmin } from './serve.ts'

const BANK_STOP_MS = 5000
// A first look shows Surety's own spans, too; SURETY_TRACES_ENDPOINT= (empty) turns them off.
const SEEN_BY_ITSELF = { SURETY_TRACES_ENDPOINT: 'self', SURETY_TRACES_RATIO: '1' }
// Nobody signs in for a first look; to change something one does.
const LOOKED_AT = { SURETY_VISITORS: 'viewer' }

export async function demoCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  refuseAccess(readEnvironment(ROLES, process.env))
  const demo = readDemoConfig(process.env)
  const signal = untilSignal()
  const stopping = new AbortController()
  void signal.then(() => stopping.abort())
  const { url, otlpHttpUrl, query, lifecycle } = await serve(
    ROLES,
    { ...SEEN_BY_ITSELF, ...LOOKED_AT, ...process.env },
    isLoopback,
    async (ingest, parts, config) => {
      if (values['no-history'] === true || demo.SURETY_DEMO_HISTORY === 0) return
      await demoHistory(demo, { ingest, parts, config, signal: stopping.signal, out: process.stdout })
    },
  )
  if (query !== undefined) await applyDemoDefinitions(query)
  tellFirstAdmin(query)
  if (stopping.signal.aborted) {
    await lifecycle.stop()
    return 0
  }
  const bank = fork(fileURLToPath(new URL('./demo/main.ts', import.meta.url)), [], {
    env: { ...process.env, SURETY_DEMO_SURETY_URL: url, OTEL_EXPORTER_OTLP_ENDPOINT: otlpHttpUrl ?? '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<number>((resolve) => bank.once('exit', (code) => resolve(code ?? 1)))
  lifecycle.add('demo bank', async () => {
    bank.kill('SIGTERM')
    const timer = setTimeout(() => bank.kill('SIGKILL'), BANK_STOP_MS)
    await ended
    clearTimeout(timer)
  })
  const ready = new Promise<string>((resolve) => {
    bank.on('message', (message: { kind?: string; url?: string }) => {
      if (message.kind === 'ready') resolve(message.url ?? '')
    })
  })
  const first = await Promise.race([ready, ended, signal])
  if (typeof first === 'number') {
    await lifecycle.stop()
    console.error(
      'The demo bank ended before it was ready; the lines above say why. «npm run surety -- serve» runs Surety without it.',
    )
    return 1
  }
  if (!first.startsWith('SIG')) {
    console.log(`The demo bank is open: ${first} (deploy, inject faults, roll back)`)
    console.log(`Surety is ready: ${url}`)
    const end = await Promise.race([signal, ended])
    if (typeof end === 'number') {
      console.error(`The demo bank ended (exit ${end}); Surety goes on without it.`)
      await signal
    }
  }
  await lifecycle.stop()
  return 0
}

/** The bank is for a first look on one machine: it has no token and knows no certificate. */
function refuseAccess(config: RuntimeConfig): void {
  const variables = [
    needsTokens(config) ? 'SURETY_TOKENS_REQUIRED, SURETY_HOST beyond loopback' : undefined,
    config.SURETY_TLS_CERT_FILE === undefined ? undefined : 'SURETY_TLS_CERT_FILE',
  ].filter((line) => line !== undefined)
  if (variables.length > 0)
    throw new ConfigError([
      `${variables.join('; ')}: not with «surety demo», whose bank has neither token nor certificate; «surety serve» has them`,
    ])
}
