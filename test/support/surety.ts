// Starts Surety's roles in the test's own process, on ports of the system's choice and a directory of its own.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeEmptyRegistry, makeEmptyStore } from './empty-data.ts'
import { ROLES, type Role } from '../../deploy/environment.ts'
import { readLocalToken } from '../../query/people/local-token.ts'
import { serve, type Served } from '../../deploy/serve.ts'
import type { Store } from '../../ingest/store/store.ts'

export type TestSurety = Served & {
  readonly otlpHttpUrl: string
  readonly otlpGrpcUrl: string
  readonly dataDir: string
  /** What the ingest role writes to; it does not run without that role. */
  store(): Store
  /** Parsed JSON of a GET; the status is checked. */
  get<T>(path: string, status?: number): Promise<T>
  /** What commands of this machine show: whoever has the data directory administers. */
  readonly asLocal: { readonly authorization: string }
  /** Sends trace bytes to the OTLP door. */
  send(body: Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Sent>
  /** Sends metric bytes to the OTLP door. */
  sendMetrics(body: Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Sent>
  stop(): Promise<void>
}

/** What an OTLP sender sees. */
export type Sent = { readonly status: number; readonly retryAfter: string | null; readonly text: string }

export async function startSurety(
  env: Readonly<Record<string, string>> = {},
  roles: readonly Role[] = ROLES,
): Promise<TestSurety> {
  const dataDir = env['SURETY_DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'surety-test-'))
  if (env['SURETY_CLICKHOUSE_URL'] === undefined) await makeEmptyStore(dataDir)
  if (roles.includes('query')) await makeEmptyRegistry(dataDir)
  let store: Store | undefined
  const configured = {
    SURETY_HTTP_PORT: '0',
    SURETY_OTLP_HTTP_PORT: '0',
    SURETY_OTLP_GRPC_PORT: '0',
    SURETY_LOG_LEVEL: 'error',
    SURETY_LINGER_MS: '50',
    ...(env['SURETY_TOKENS_REQUIRED'] === undefined ? { SURETY_VISITORS: 'viewer' } : {}),
    ...env,
    SURETY_DATA_DIR: dataDir,
  }
  const served = await serve(roles, configured, undefined, async (_, parts) => void (store = parts.store))
  const { otlpHttpUrl = '', otlpGrpcUrl = '', url, lifecycle } = served
  async function post(
    path: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Sent> {
    const reply = await fetch(otlpHttpUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', ...headers },
      body: body as Uint8Array<ArrayBuffer>,
    })
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), text: await reply.text() }
  }
  return {
    ...served,
    otlpHttpUrl,
    otlpGrpcUrl,
    dataDir,
    store() {
      if (store === undefined) throw new Error('the role ingest does not run')
      return store
    },
    asLocal: { authorization: `Bearer ${readLocalToken(dataDir)}` },
    async get<T>(path: string, status = 200) {
      const reply = await fetch(url + path)
      const text = await reply.text()
      if (reply.status !== status) throw new Error(`GET ${path}: ${reply.status}, wanted ${status}: ${text}`)
      return JSON.parse(text) as T
    },
    send: (body, headers) => post('/v1/traces', body, headers),
    sendMetrics: (body, headers) => post('/v1/metrics', body, headers),
    async stop() {
      await lifecycle.stop()
      if (env['SURETY_DATA_DIR'] === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Asks until the answer is good or the time is up, which says only that nothing moves any more. @throws the last answer's complaint */
export async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  timeoutMs = 120_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (isGood(answer)) return answer
    if (Date.now() > deadline)
      throw new Error(`not so within ${timeoutMs} ms; last answer: ${JSON.stringify(answer).slice(0, 2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
