// Surety with its store on a ClickHouse server: spans in over OTLP, answers out of the API, nothing of it in the data
// directory; the commands say what is the server's business. The server is a front over the embedded engine.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openClickHouseFront, type ClickHouseFront } from '../support/clickhouse-front.ts'
import { makeEmptyRegistry } from '../support/empty-data.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { traceRequest } from '../support/otlp.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'
import { spawnSurety } from '../support/surety-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-server-'))
const passwordFile = join(folder, 'password')
const PASSWORD = 's3cret & 密码'
writeFileSync(passwordFile, `${PASSWORD}\n`)
let front: ClickHouseFront
let surety: TestSurety
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  front = await openClickHouseFront({ user: 'surety', password: PASSWORD, cluster: 'bank' })
  env = {
    SURETY_CLICKHOUSE_URL: front.url,
    SURETY_CLICKHOUSE_USER: 'surety',
    SURETY_CLICKHOUSE_PASSWORD_FILE: passwordFile,
    SURETY_CLICKHOUSE_CLUSTER: 'bank',
    SURETY_DATA_DIR: join(folder, 'data'),
  }
  await makeEmptyRegistry(join(folder, 'data'))
})
afterAll(async () => {
  await surety.stop()
  await front.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (...words: string[]) => spawnSurety(words, env).ended

test('before «surety migrate» a start says what to run; after it, it starts', async () => {
  const early = await run('serve')
  expect(early).toMatchObject({ code: 2, stdout: '' })
  expect(early.stderr).toMatch(/^The store has schema 0, this release needs \d+\. Run «surety migrate» once/)
  expect(await run('migrate')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^The store in surety at http:\/\/127\.0\.0\.1:\d+ took 0001_resources\.sql, /,
    ) as string,
  })
  expect(await run('migrate')).toMatchObject({ stdout: expect.stringMatching(/is up to date\n$/) as string })
  surety = await startSurety(env)
})

test('spans come in over OTLP and are answered by the API', async () => {
  const startNs = BigInt(Date.now() - 30_000) * 1_000_000n
  const span = {
    traceId: Buffer.alloc(16, 7),
    spanId: Buffer.alloc(8, 7),
    name: 'POST /transfers',
    kind: 2,
    startNs,
    endNs: startNs + 5_000_000n,
  }
  const sent = await surety.send(
    traceRequest([
      {
        attributes: { 'service.name': 'transfer', 'service.version': '2.0.1' },
        spans: [span, { ...span, spanId: Buffer.alloc(8, 8), parentSpanId: Buffer.alloc(8, 7) }],
      },
    ]),
  )
  expect(sent.status).toBe(200)
  const services = await surety.get<{ items: { service: string; version: string; requests: number }[] }>(
    '/api/v1/services',
  )
  expect(services.items).toEqual([
    expect.objectContaining({ service: 'transfer', version: '2.0.1', requests: 2 }),
  ])
  const trace = await surety.get<{ spans: { name: string }[] }>(`/api/v1/traces/${'07'.repeat(16)}`)
  expect(trace.spans.map(({ name }) => name)).toEqual(['POST /transfers', 'POST /transfers'])
  const status = await surety.get<{ spans: { rows: number } }>('/api/v1/ingest/status')
  expect(status.spans.rows).toBe(2)
})

test('metrics come in over OTLP and are answered by the API', async () => {
  const atMs = Math.floor(Date.now() / 60_000) * 60_000 - 60_000
  const gauge = [1, 2].map((value) => ({ atNs: BigInt(atMs + value) * 1_000_000n, value: BigInt(value) }))
  const sent = await surety.sendMetrics(
    metricRequest({ 'service.name': 'transfer' }, [{ name: 'pool.size', gauge }]),
  )
  expect(sent).toMatchObject({ status: 200, text: '' })
  const [from, to] = [atMs, atMs + 60_000].map((ms) => new Date(ms).toISOString())
  const reply = await surety.get<{ series: { points: { value: number }[] }[] }>(
    `/api/v1/metrics/query?metric=pool.size&function=avg&from=${from}&to=${to}&stepSeconds=60`,
  )
  expect(reply.series).toMatchObject([{ points: [{ value: 1.5 }] }])
})

test('dead letters, their names and bytes, and release events go to the server and come back', async () => {
  const broken = Buffer.from('0a05ffffffff', 'hex')
  expect((await surety.send(broken)).status).toBe(400)
  const { items } = await surety.get<{ items: { id: string; reason: string }[] }>('/api/v1/dead-letters')
  expect(items).toMatchObject([{ reason: 'malformed' }])
  const reply = await fetch(`${surety.url}/api/v1/dead-letters/${items[0]?.id}/payload`, {
    headers: surety.asLocal,
  })
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(broken)

  const event = {
    specversion: '1.0',
    id: 'r-1',
    source: '/ci',
    type: 'bank.release.deployed',
    time: new Date().toISOString(),
    data: { service: 'transfer', version: '2.0.1', environment: 'prod', action: 'deployed' },
  }
  const post = () =>
    fetch(`${surety.url}/api/v1/releases/events`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
    })
  // Sent again, it is known.
  for (let round = 0; round < 2; round += 1) expect((await post()).status).toBeLessThan(300)
  const events = await surety.get<{ items: { id: string }[] }>('/api/v1/releases/events')
  expect(events.items.map(({ id }) => id)).toEqual(['r-1'])
})

test('the server away is not ready and refuses with 503; back again it goes on by itself', async () => {
  await front.stop()
  const ready = await surety.get<{ ready: boolean }>('/readyz', 503)
  expect(ready.ready).toBe(false)
  await surety.get('/api/v1/services', 503)
  await front.start()
  const again = await eventually(
    () => surety.get<{ items: unknown[] }>('/api/v1/services').catch(() => ({ items: [] })),
    ({ items }) => items.length === 1,
  )
  expect(again.items).toHaveLength(1)
})

test('the data directory holds the journal and no store; a second ingest process is kept out of it', async () => {
  // Definitions and people are embedded here; SURETY_DATABASE_URL would put them on a server, too.
  expect(readdirSync(join(folder, 'data')).toSorted()).toEqual([
    'journal',
    'local-token',
    'registry',
    'surety.pid',
  ])
  const second = await run('serve', '--roles', 'ingest')
  expect(second.code).toBe(2)
  expect(second.stderr).toContain('set SURETY_DATA_DIR to another directory')
})

test('a user that may not insert is told at the start, not when batches wait', async () => {
  const text = 'Code: 497. DB::Exception: surety: Not enough privileges. (ACCESS_DENIED)'
  front.fault({ on: /^INSERT INTO spans/, does: { kind: 'answer', status: 403, code: 497, text } })
  const started = startSurety({ ...env, SURETY_DATA_DIR: join(folder, 'other') })
  await expect(started).rejects.toMatchObject({
    code: 'SURETY_STORE_ACCESS',
    message: expect.stringContaining('the grants of the user') as string,
  })
})

test('doctor looks at the server', async () => {
  const { stdout } = await spawnSurety(['doctor', '--json'], { ...env, SURETY_URL: surety.url }).ended
  const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string; text: string }[] }
  const of = (check: string) => findings.filter((finding) => finding.check === check)
  expect(of('store')).toMatchObject([
    { state: 'ok', text: expect.stringMatching(/^ClickHouse [\d.]+ at http.*, database surety$/) as string },
  ])
  expect(of('disk of the server')).toHaveLength(1)
  expect(of('running').every(({ state }) => state === 'ok')).toBe(true)
  expect(stdout).not.toContain('s3cret')
})

test('backup and restore say that they are the server’s business', async () => {
  for (const word of ['backup', 'restore']) {
    const { code, stderr } = await run(word, join(folder, 'backup'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/The store is on a ClickHouse server, which is backed up there: BACKUP DATABASE/)
  }
  const reply = await fetch(`${surety.url}/api/v1/backups`, { method: 'POST', headers: surety.asLocal })
  expect(reply.status).toBe(409)
})

test('check-config accepts it and shows no password', async () => {
  const { code, stdout } = await spawnSurety(['check-config'], {
    ...env,
    SURETY_CLICKHOUSE_PASSWORD_FILE: '',
    SURETY_CLICKHOUSE_PASSWORD: PASSWORD,
  }).ended
  expect(code).toBe(0)
  expect(stdout).toContain('SURETY_CLICKHOUSE_PASSWORD=(not shown)')
  expect(stdout).not.toContain('s3cret')
})

test('«surety migrate --print» prints the DDL of each kind and asks nobody', async () => {
  const away = { SURETY_CLICKHOUSE_URL: 'http://127.0.0.1:1' }
  const printed = async (kind: string) => (await spawnSurety(['migrate', '--print', kind], away).ended).stdout
  expect(await printed('embedded')).toContain('ENGINE = MergeTree\nPARTITION BY toDate(ts)')
  expect(await printed('server')).toMatch(/^CREATE DATABASE IF NOT EXISTS surety;\n/)
  expect(await printed('cluster')).toContain(
    "CREATE TABLE IF NOT EXISTS surety_local.spans ON CLUSTER '{cluster}'",
  )
  const wrong = await spawnSurety(['migrate', '--print', 'cloud'], away).ended
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('«cloud» is none of embedded, server, cluster') as string,
  })
})
