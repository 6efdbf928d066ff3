// A backup that is taken while spans come in, put back into an empty directory, answers as the store did.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { spawnSurety } from '../support/surety-process.ts'

const root = mkdtempSync(join(tmpdir(), 'surety-backup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const place = (name: string) => join(root, name)

const QUESTIONS = {
  spans:
    'SELECT count() AS n, sum(cityHash64(ts, service, operation, trace_id, span_id, attr_k, attr_v)) AS digest FROM spans',
  requests10s: 'SELECT sum(requests) AS n FROM requests_10s',
  requests1m:
    'SELECT sum(requests) AS n, sum(duration_ns_sum) AS digest, quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency) AS latency FROM requests_1m',
  services:
    'SELECT service, version, sum(requests) AS n FROM requests_10s GROUP BY service, version ORDER BY service, version',
  resources: 'SELECT uniqExact(res_id) AS n FROM resources',
  releases: 'SELECT source, id, service, version, body FROM release_events ORDER BY id',
  deadLetters: 'SELECT lower(hex(id)) AS name, reason, hex(payload) AS bytes FROM dead_letters ORDER BY name',
  batches: 'SELECT sum(rows) AS n FROM batches',
} as const

async function answers(store: Store): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const [name, sql] of Object.entries(QUESTIONS)) found[name] = await store.rows(sql)
  return found
}

async function answersOf(dataDir: string): Promise<Record<string, unknown>> {
  const store = await openEmbeddedStore(dataDir)
  try {
    return await answers(store)
  } finally {
    await store.close()
  }
}

const requests = (seed: number, count: number) =>
  bankRequests({ seed, requests: count, startNs: BigInt(Date.now() - 60_000) * 1_000_000n })

async function fill(surety: TestSurety): Promise<void> {
  for (const body of requests(1, 4)) await surety.send(body)
  await surety.send(Buffer.from([10, 200, 1, 1]))
  await fetch(`${surety.url}/api/v1/releases/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', id: '1', source: '/ci', type: 't', data: { a: 1 } }),
  })
}

describe('without a running Surety', () => {
  const data = place('data')
  const backup = place('backup')
  let before: Record<string, unknown> = {}
  beforeAll(async () => {
    const surety = await startSurety({ SURETY_DATA_DIR: data })
    await fill(surety)
    await surety.stop()
    writeFileSync(join(data, 'tokens.json'), '{"kept":true}')
    before = await answersOf(data)
  })

  test('backup writes tables, files and a manifest, and leaves the store as it was', async () => {
    const { code, stdout, stderr } = await spawnSurety(['backup', backup], { SURETY_DATA_DIR: data }).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^The backup is in .*backup after [\d.]+ s\.\n$/)
    expect(readdirSync(backup).toSorted()).toEqual(['files', 'manifest.json', 'store'])
    expect(JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8'))).toMatchObject({ format: 1 })
    expect(existsSync(join(data, 'surety.pid'))).toBe(false)
    expect(await answersOf(data)).toEqual(before)
  })

  test('restore gives every row, every rollup and every file back, and Surety starts on it', async () => {
    const restored = place('restored')
    const { code, stdout, stderr } = await spawnSurety(['restore', backup], { SURETY_DATA_DIR: restored })
      .ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/restored is as it was at 20.*Z: 2048 spans, .*, schema \d+; after/)
    expect(await answersOf(restored)).toEqual(before)
    expect(readFileSync(join(restored, 'tokens.json'), 'utf8')).toBe('{"kept":true}')
    expect(existsSync(join(restored, 'journal'))).toBe(true)
    const surety = await startSurety({ SURETY_DATA_DIR: restored })
    const [body] = requests(2, 1)
    expect((await surety.send(body as Buffer)).status).toBe(200)
    await surety.stop()
    expect(((await answersOf(restored))['spans'] as { n: number }[])[0]?.n).toBe(2560)
  })

  test.each([
    {
      name: 'a data directory that is not empty',
      words: ['restore', backup],
      dir: data,
      want: /data, the data directory.*, is not empty/,
    },
    {
      name: 'a folder that is no backup',
      words: ['restore', data],
      dir: place('none'),
      want: /is no whole backup: manifest\.json cannot be read/,
    },
    {
      name: 'a target that is not empty',
      words: ['backup', data],
      dir: data,
      want: /the target of the backup, is not empty/,
    },
    {
      name: 'a directory without a store',
      words: ['backup', place('x')],
      dir: place('nothing'),
      want: /nothing holds no store/,
    },
    { name: 'no directory', words: ['backup'], dir: data, want: /^Name one directory\./ },
  ])('$name is refused', async ({ words, dir, want }) => {
    const { code, stderr } = await spawnSurety(words, { SURETY_DATA_DIR: dir }).ended
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(want)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a backup of a newer release is refused, and nothing is made', async () => {
    const newer = place('newer')
    cpSync(backup, newer, { recursive: true })
    const manifest = JSON.parse(readFileSync(join(newer, 'manifest.json'), 'utf8')) as object
    writeFileSync(join(newer, 'manifest.json'), JSON.stringify({ ...manifest, schema: 99 }))
    const { code, stderr } = await spawnSurety(['restore', newer], { SURETY_DATA_DIR: place('never') }).ended
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(/^The backup has schema 99, this release knows \d+\. Restore it with the release/)
    expect(existsSync(place('never'))).toBe(false)
  })

  test('a backup that is damaged leaves the data directory empty', async () => {
    const damaged = place('damaged')
    const target = place('empty')
    cpSync(backup, damaged, { recursive: true })
    rmSync(join(damaged, 'store', '.backup'))
    mkdirSync(target)
    const { code } = await spawnSurety(['restore', damaged], { SURETY_DATA_DIR: target }).ended
    expect(code).toBeGreaterThan(0)
    expect(readdirSync(target)).toEqual([])
  })
})

test('while spans come in: spans and rollups of the backup agree, and nothing is refused meanwhile', async () => {
  const data = place('running')
  const backup = place('running-backup')
  const surety = spawnSurety(['serve'], { SURETY_DATA_DIR: data, SURETY_LINGER_MS: '20' })
  const { url, otlpHttpUrl } = await surety.ready()
  try {
    let stop = false
    const statuses: number[] = []
    const sending = (async () => {
      for (const body of requests(3, 400)) {
        if (stop) return
        const reply = await fetch(`${otlpHttpUrl}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: body as Uint8Array<ArrayBuffer>,
        })
        statuses.push(reply.status)
      }
    })()
    while (statuses.length < 5) await new Promise((resolve) => setTimeout(resolve, 20))
    const { code, stderr } = await spawnSurety(['backup', backup], { SURETY_DATA_DIR: data, SURETY_URL: url })
      .ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const during = statuses.length
    while (statuses.length < during + 2) await new Promise((resolve) => setTimeout(resolve, 20))
    stop = true
    await sending
    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(readdirSync(join(data, 'backups'))).toEqual([])

    const restored = place('running-restored')
    const put = await spawnSurety(['restore', backup], { SURETY_DATA_DIR: restored }).ended
    expect(put).toMatchObject({ code: 0, stderr: '' })
    const store = await openEmbeddedStore(restored)
    const [row] = await store.rows(
      `SELECT count() AS spans, countIf(kind IN (2, 5)) AS requests, (SELECT sum(requests) FROM requests_10s) AS s10, (SELECT sum(requests) FROM requests_1m) AS m1, (SELECT sum(rows) FROM batches) AS batch_rows FROM spans`,
    )
    await store.close()
    expect(Number(row?.['spans'])).toBeGreaterThanOrEqual(5 * 512)
    expect(row?.['s10']).toBe(row?.['requests'])
    expect(row?.['m1']).toBe(row?.['requests'])
    expect(row?.['batch_rows']).toBe(row?.['spans'])
  } finally {
    surety.kill('SIGTERM')
    await surety.ended
  }
})
