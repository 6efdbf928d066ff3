// Sensitive numbers never reach the disk: they are sent by every way a span has, then looked for in every file of the
// data directory, in every column of every table, and in the API's answers.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
import type { MetricExemplarsReply, MetricSeriesReply, TraceReply } from '../../query/http/schemas.ts'
import { traceRequest, type Attributes, type SpanInput } from '../support/otlp.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const CARD = '4111111111111111'
const UNIONPAY = '6222021234567890128'
const MASTERCARD_2 = '2223003122003222'
const AMEX = '378282246310005'
const PHONE = '13812345678'
const IDENTITY = '11010519491231002X'
const IDENTITY_DIGITS = '440524198001010013'
const ACCOUNT = '0123987654321'

const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
let ids = 0

async function store(surety: TestSurety, span: Partial<SpanInput>, resource: Attributes = {}) {
  ids += 1
  const traceId = Buffer.alloc(16, 0xcd)
  traceId.writeUInt32BE(ids, 12)
  const spanId = Buffer.alloc(8, 0xef)
  spanId.writeUInt32BE(ids, 4)
  const request = traceRequest([
    {
      attributes: { 'service.name': 'card', ...resource },
      spans: [{ traceId, spanId, name: 'op', startNs, endNs: startNs + 1n, ...span }],
    },
  ])
  expect((await surety.send(request)).status).toBe(200)
  const trace = await surety.get<TraceReply>(`/api/v1/traces/${traceId.toString('hex')}`)
  const [stored] = trace.spans
  if (stored === undefined) throw new Error('the span was sent')
  return stored
}

/** Every file of a folder, and every row of every table of the store in it, as one text. */
async function everything(dataDir: string): Promise<string> {
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dataDir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
  const opened = await openEmbeddedStore(dataDir)
  const tables = await opened.rows(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
  )
  const rows = []
  for (const { name } of tables) rows.push(JSON.stringify(await opened.rows(`SELECT * FROM ${String(name)}`)))
  await opened.close()
  return [...files, ...rows].join('\n')
}

describe('by default', () => {
  let surety: TestSurety
  let text = ''
  const dataDir = mkdtempSync(join(tmpdir(), 'surety-masking-'))
  beforeAll(async () => {
    surety = await startSurety({ SURETY_DATA_DIR: dataDir })
  })
  afterAll(async () => {
    await surety.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test.each([
    { name: 'a card', value: CARD, want: '**** 1111' },
    {
      name: 'a card in groups',
      value: 'paid by 4111 1111 1111 1111, thanks',
      want: 'paid by **** 1111, thanks',
    },
    { name: 'a card behind a year', value: 'in 2026 4111-1111-1111-1111', want: 'in **** 1111' },
    { name: 'a card of 19 digits', value: `/cards/${UNIONPAY}/limit`, want: '/cards/**** 0128/limit' },
    { name: 'a card of the newer series', value: MASTERCARD_2, want: '**** 3222' },
    { name: 'a card of 15 digits in groups', value: '3782 822463 10005', want: '**** 0005' },
    { name: 'a card of 15 digits', value: AMEX, want: '**** 0005' },
    { name: 'a card behind a word', value: `card${CARD}`, want: 'card**** 1111' },
    { name: 'an integer that is a card', value: BigInt(CARD), want: '**** 1111' },
    { name: 'a double that is a card', value: 4_111_111_111_111_111.5 - 0.5 + 0.0, want: '**** 1111' },
    { name: 'a phone', value: `电话${PHONE}`, want: '电话**** 5678' },
    { name: 'a phone in groups', value: '+86 138-1234-5678', want: '+86 **** 5678' },
    { name: 'a phone with its country', value: `+86${PHONE}`, want: '+**** 5678' },
    { name: 'an integer that is a phone', value: 13_812_345_678, want: '**** 5678' },
    { name: 'an identity', value: IDENTITY, want: '**** 002X' },
    { name: 'an identity of digits', value: `id=${IDENTITY_DIGITS};`, want: 'id=**** 0013;' },
    { name: 'several', value: `${PHONE},${CARD} ${PHONE}`, want: '**** 5678,**** 1111 **** 5678' },
    { name: 'a list', value: [CARD, 'x'], want: '["**** 1111","x"]' },
  ])('$name is masked', async ({ value, want }) => {
    const stored = await store(surety, { attributes: { a: value } })
    expect(stored.attributes).toEqual({ a: want })
  })

  test('metrics: attributes of points and resources are masked, exemplars keep none that may be sensitive', async () => {
    const request = metricRequest({ 'service.name': 'card', holder: IDENTITY }, [
      {
        name: 'card.payments',
        temporality: 1,
        sum: [
          {
            atNs: startNs,
            value: 1n,
            attributes: { pan: CARD, 'bank.account.number': ACCOUNT, plain: 'x' },
            exemplars: [{ atNs: startNs, value: 1n, attributes: { mobile: PHONE } }],
          },
          {
            atNs: startNs,
            value: 1n,
            attributes: { plain: 'y' },
            exemplars: [{ atNs: startNs, value: 2n, attributes: { 'bank.account.number': ACCOUNT } }],
          },
        ],
      },
      { name: 'card.last', gauge: [{ atNs: startNs, value: 1, attributes: { pan: BigInt(UNIONPAY) } }] },
    ])
    expect((await surety.sendMetrics(request)).status).toBe(200)
    const series = await surety.get<MetricSeriesReply>('/api/v1/metrics/card.payments/series')
    expect(series.items.map(({ labels }) => labels)).toContainEqual(
      expect.objectContaining({ pan: '**** 1111', 'bank.account.number': '**** 4321', plain: 'x' }),
    )
    const exemplars = await surety.get<MetricExemplarsReply>('/api/v1/metrics/card.payments/exemplars')
    expect(exemplars.items.map(({ attributes }) => attributes)).toEqual([{}, {}])
  })

  test('account numbers are masked under their keys, on spans, events and resources', async () => {
    const stored = await store(
      surety,
      {
        attributes: { 'bank.account.number': ACCOUNT, 'bank.card.number': '123', other: ACCOUNT },
        events: [{ atNs: startNs, name: 'e', attributes: { 'bank.account.number': ACCOUNT } }],
      },
      { 'bank.account.number': ACCOUNT },
    )
    expect(stored.attributes).toEqual({
      'bank.account.number': '**** 4321',
      'bank.card.number': '****',
      other: ACCOUNT,
    })
    expect(stored.events[0]?.attributes).toEqual({ 'bank.account.number': '**** 4321' })
    expect(stored.resource['bank.account.number']).toBe('**** 4321')
  })

  test('names, status messages, columns, events and resources are masked too', async () => {
    const stored = await store(
      surety,
      {
        name: `GET /customers/${PHONE}`,
        statusCode: 2,
        // 52 characters: the length byte before the text is itself a digit.
        statusMessage: `${CARD} is blocked, ask ${PHONE} for it`.padEnd(52, '.'),
        attributes: { 'bank.txn.id': CARD, 'http.route': `/c/${UNIONPAY}` },
        events: [
          {
            atNs: startNs,
            name: `declined ${CARD}`,
            attributes: { 'exception.message': `no ${IDENTITY}\n"${PHONE}"`, card: BigInt(CARD) },
          },
        ],
      },
      { 'host.owner': PHONE, 'host.card': BigInt(CARD) },
    )
    expect(stored.name).toBe('GET /customers/**** 5678')
    expect(stored.statusMessage).toMatch(/^\*\*\*\* 1111 is blocked, ask \*\*\*\* 5678 for it\.+$/)
    expect(stored.attributes).toEqual({ 'bank.txn.id': '**** 1111', 'http.route': '/c/**** 0128' })
    expect(stored.events).toMatchObject([
      {
        name: 'declined **** 1111',
        attributes: { 'exception.message': 'no **** 002X\n"**** 5678"', card: '**** 1111' },
      },
    ])
    expect(stored.resource).toMatchObject({ 'host.owner': '**** 5678', 'host.card': '**** 1111' })
  })

  test.each([
    { name: 'an order that fails Luhn', value: '4111111111111112' },
    { name: 'a time in nanoseconds', value: '1763683200000000000' },
    { name: 'an integer time in nanoseconds', value: 1_763_683_200_000_000_123n },
    { name: 'a time in milliseconds', value: 1_763_683_200_000 },
    { name: 'an integer of 19 digits', value: 7_222_021_234_567_890_128n },
    { name: 'a trace id', value: '0af7651916cd43dd8448eb211c80319c' },
    { name: 'a trace id with a phone in it', value: 'af7a13812345678b8448eb211c80319c' },
    { name: 'a UUID of digits', value: '12345678-1234-4123-8123-138123456784' },
    { name: 'a serial number of 24 digits', value: '202601150007411111111111' },
    { name: 'a number with 16 decimals', value: '0.4111111111111111' },
    { name: 'a date and a time', value: '2026-01-15 10-30-00 4' },
    { name: 'an identity whose check digit is wrong', value: '110105194912310021' },
    { name: 'an 18-digit number that is no identity', value: '810105204913320029' },
    { name: 'eleven digits that are no phone', value: '12812345678' },
  ])('$name stays', async ({ value }) => {
    const stored = await store(surety, { attributes: { a: value } })
    expect(stored.attributes).toEqual({ a: String(value) })
  })

  test('is counted', async () => {
    const before = await maskedTotal(surety)
    await store(surety, {
      name: `GET /${PHONE}`,
      statusMessage: CARD,
      attributes: { a: CARD, b: PHONE, c: 'x' },
      events: [{ atNs: startNs, name: 'e', attributes: { d: PHONE } }],
    })
    expect((await maskedTotal(surety)) - before).toBe(5)
  })

  test('no file and no row of the data directory holds a number', async () => {
    await surety.stop()
    text = await everything(dataDir)
    expect(text).toContain('**** 1111')
    for (const number of [CARD, UNIONPAY, AMEX, MASTERCARD_2, PHONE, IDENTITY, IDENTITY_DIGITS]) {
      // The look-alikes above hold these digits within a longer number.
      expect(new RegExp(`(?<![0-9a-f.])${number}(?![0-9a-f])`).exec(text)?.[0]).toBeUndefined()
    }
    expect(text).not.toContain('4111 1111')
    expect(text).not.toContain('138-1234')
  })
})

test('a file of one’s own: other kinds, patterns, keys and exceptions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-masking-file-'))
  const path = join(folder, 'masking.json')
  writeFileSync(
    path,
    JSON.stringify({
      kinds: ['card'],
      patterns: [
        { name: 'passport', regex: '\\b[EG]\\d{8}\\b', keepLast: 2 },
        { name: 'secret', regex: 'secret=\\w+', keepLast: 0 },
      ],
      keys: ['customer.no'],
      except: ['bank.txn.id'],
    }),
  )
  const surety = await startSurety({ SURETY_MASKING: path })
  try {
    const stored = await store(surety, {
      attributes: {
        card: CARD,
        'bank.txn.id': CARD,
        phone: PHONE,
        passport: 'E12345678 and G87654321',
        query: 'a=1&secret=xyz&b=2',
        'customer.no': 'K-000-123456',
      },
    })
    expect(stored.attributes).toEqual({
      card: '**** 1111',
      'bank.txn.id': CARD,
      phone: PHONE,
      passport: '**** 78 and **** 21',
      query: 'a=1&****&b=2',
      'customer.no': '**** 3456',
    })
  } finally {
    await surety.stop()
    rmSync(folder, { recursive: true })
  }
})

test('off stores what came, and a search for it finds it: the search above is no blind one', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'surety-masking-off-'))
  const surety = await startSurety({ SURETY_MASKING: 'off', SURETY_DATA_DIR: dataDir })
  await store(surety, { attributes: { a: CARD } }, { owner: PHONE })
  await surety.stop()
  const text = await everything(dataDir)
  expect(text).toContain(CARD)
  expect(text).toContain(PHONE)
  rmSync(dataDir, { recursive: true })
})

test('a pattern that only JavaScript takes is refused at start, by name', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'surety-masking-re2-')), 'masking.json')
  writeFileSync(path, JSON.stringify({ patterns: [{ name: 'ahead', regex: 'a(?=b)' }] }))
  await expect(startSurety({ SURETY_MASKING: path })).rejects.toThrow(
    /patterns: ahead: the engine \(RE2\) refuses/,
  )
})

async function maskedTotal(surety: TestSurety): Promise<number> {
  const text = await (await fetch(`${surety.url}/metrics`)).text()
  return Number(/^surety_ingest_masked_values_total\{[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
}
