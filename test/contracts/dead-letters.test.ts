// Dead letters from the outside: set aside by the door, listed, taken out, replayed, by API and by command.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { TRACES_FORMAT } from '../../ingest/pipeline/prepare.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import type { TraceReply } from '../../query/http/schemas.ts'
import { openTestStore } from '../support/empty-data.ts'
import { traceRequest } from '../support/otlp.ts'
import { spawnSurety } from '../support/surety-process.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

type Letter = {
  readonly id: string
  readonly origin: string
  readonly reason: string
  readonly bytes: number
  readonly isKept: boolean
  readonly replay: { readonly result: string; readonly detail: string } | null
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
const whole = traceRequest([
  {
    attributes: { 'service.name': 'ledger' },
    spans: [1, 2].map((index) => ({
      traceId: Buffer.from(TRACE_ID, 'hex'),
      spanId: Buffer.alloc(8, index),
      name: 'POST /postings',
      startNs,
      endNs: startNs + 1n,
    })),
  },
])
const BROKEN = Buffer.from([10, 200, 1, 1])

let surety: TestSurety
const dataDir = mkdtempSync(join(tmpdir(), 'surety-letters-'))
const command = (...words: string[]) =>
  spawnSurety(['dead-letters', ...words], { SURETY_URL: surety.url, SURETY_DATA_DIR: dataDir }).ended
const letters = async (query = '') =>
  (await surety.get<{ items: Letter[] }>(`/api/v1/dead-letters${query}`)).items
async function replay(id: string, query = '') {
  const reply = await fetch(`${surety.url}/api/v1/dead-letters/${id}/replay${query}`, {
    method: 'POST',
    headers: surety.asLocal,
  })
  return {
    status: reply.status,
    ...((await reply.json()) as { result?: string; detail: string; spans?: number }),
  }
}

beforeAll(async () => {
  // Letters of an earlier release that could not read them; this one can.
  const store = await openTestStore(dataDir)
  const box = buildDeadLetterBox(store, buildMetrics(), buildLogger('silent'), systemClock)
  const letter = { detail: 'Cannot parse', format: TRACES_FORMAT, payload: whole } as const
  await box.add(
    [
      { ...letter, reason: 'engine-refused', origin: 'kafka otlp_spans/3@1042' },
      { ...letter, reason: 'invalid-release-event', origin: 'releases', format: 'cloudevents json' },
    ],
    'before',
  )
  await store.close()
  surety = await startSurety({ SURETY_DATA_DIR: dataDir })
  const { status } = await surety.send(BROKEN)
  if (status !== 400) throw new Error(`a broken message was answered with ${status}`)
})
afterAll(async () => {
  await surety.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

test('letters are listed, newest first, by reason and by time', async () => {
  const all = await letters()
  expect(all.map(({ reason }) => reason).toSorted()).toEqual([
    'engine-refused',
    'invalid-release-event',
    'malformed',
  ])
  expect(all[0]).toMatchObject({
    reason: 'malformed',
    origin: 'otlp/http',
    bytes: 4,
    isKept: true,
    replay: null,
  })
  expect(new Set(all.map(({ id }) => id)).size).toBe(3)
  expect(await letters('?reason=engine-refused')).toHaveLength(1)
  expect(await letters('?limit=1')).toHaveLength(1)
  expect(await letters(`?since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual(
    [],
  )
})

test('a letter is shown, and its bytes come out as they went in', async () => {
  const [letter] = await letters('?reason=malformed')
  expect(await surety.get(`/api/v1/dead-letters/${letter?.id}`)).toEqual(letter)
  const reply = await fetch(`${surety.url}/api/v1/dead-letters/${letter?.id}/payload`, {
    headers: surety.asLocal,
  })
  expect(reply.headers.get('content-type')).toBe('application/octet-stream')
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(BROKEN)
})

test('what does not exist and what is no name are told apart', async () => {
  await surety.get(`/api/v1/dead-letters/${'0'.repeat(16)}`, 404)
  await surety.get('/api/v1/dead-letters/x', 400)
  expect(await replay('0'.repeat(16))).toMatchObject({ status: 404 })
})

describe('a replay', () => {
  test('stores the spans once, marks the letter and leaves it', async () => {
    const [letter] = await letters('?reason=engine-refused')
    const id = letter?.id ?? ''
    expect(await replay(id)).toEqual({ status: 200, id, result: 'stored', rows: 2, detail: '' })
    expect(await replay(id)).toMatchObject({ result: 'known', rows: 0 })
    const trace = await surety.get<TraceReply>(`/api/v1/traces/${TRACE_ID}`)
    expect(trace.spans).toHaveLength(2)
    expect((await letters('?reason=engine-refused'))[0]?.replay).toMatchObject({ result: 'stored' })
    expect(await replay(id, '?again=1')).toMatchObject({ result: 'stored' })
    expect((await surety.get<TraceReply>(`/api/v1/traces/${TRACE_ID}`)).spans).toHaveLength(4)
  })

  test('that fails again says why, makes no second letter and may be tried again', async () => {
    const [letter] = await letters('?reason=malformed')
    const id = letter?.id ?? ''
    for (let round = 0; round < 2; round += 1) {
      expect(await replay(id)).toMatchObject({
        result: 'failed',
        detail: expect.stringMatching(/byte \d+/) as string,
      })
    }
    expect(await letters('?reason=malformed')).toMatchObject([{ id, replay: { result: 'failed' } }])
    const [event] = await letters('?reason=invalid-release-event')
    expect(await replay(event?.id ?? '')).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(/no way to replay/) as string,
    })
  })
})

describe('surety dead-letters', () => {
  test('list is a table', async () => {
    const { code, stdout, stderr } = await command('list', '--reason', 'malformed')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [head, ...rows] = stdout.trimEnd().split('\n')
    expect(head).toMatch(/^ID +AT \(UTC\) +REASON +SIZE +REPLAY +ORIGIN +DETAIL$/)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatch(/^[0-9a-f]{16} .* malformed +4 B .*otlp\/http/)
    expect((await command('list', '--reason', 'nothing')).stdout).toBe('No dead letters.\n')
  })

  test('show says all of one, or gives its bytes', async () => {
    const [letter] = await letters('?reason=malformed')
    const shown = await command('show', letter?.id ?? '')
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toMatch(/reason +malformed\n/)
    const bytes = await command('show', letter?.id ?? '', '--bytes')
    expect(Buffer.from(bytes.stdout).subarray(0, 1)).toEqual(BROKEN.subarray(0, 1))
  })

  test('replay by reason goes through all of them; what fails makes it end with 1', async () => {
    const stored = await command('replay', '--reason', 'engine-refused', '--since', '1h', '--again')
    expect(stored).toMatchObject({ code: 0, stderr: '' })
    expect(stored.stdout).toMatch(/^[0-9a-f]{16} {2}stored, 2 rows\n1 letters: 1 stored\n$/)
    const failed = await command('replay', '--reason', 'malformed')
    expect(failed.code).toBe(1)
    expect(failed.stdout).toMatch(/failed: .*byte/)
  })

  test.each([
    { words: [], want: /is nothing that can be done/ },
    { words: ['show'], want: /needs the ID/ },
    { words: ['replay'], want: /needs the ID of a letter, or --reason/ },
    { words: ['list', '--since', 'yesterday'], want: /«yesterday» is neither/ },
    { words: ['show', '0'.repeat(16)], want: /404 SURETY_NOT_FOUND There is no dead letter/ },
    { words: ['list', '--limit', 'x'], want: /400 SURETY_INVALID_REQUEST .*limit/ },
  ])('$words is refused with a sentence', async ({ words, want }) => {
    const { code, stderr } = await command(...words)
    expect(code).toBe(1)
    expect(stderr).toMatch(want)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('says when no Surety is there', async () => {
    const { code, stderr } = await spawnSurety(['dead-letters', 'list'], { SURETY_URL: 'http://127.0.0.1:9' })
      .ended
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^No Surety answers at http:\/\/127\.0\.0\.1:9 .*Start it with «surety serve», or set SURETY_URL/,
    )
  })
})
