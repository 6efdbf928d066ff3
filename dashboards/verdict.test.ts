import { describe, expect, test } from 'vitest'
import type { IngestStatusReply, ReleaseEvent, ServiceItem, ServicesReply } from '../query/http/schemas.ts'
import { buildWords } from './i18n/words.ts'
import { levelOf, lowerBound, sentence, sortWorstFirst, verdict } from './verdict.ts'

const nowAt = '2026-11-20T10:00:00Z'

function item(service: string, version: string, requests: number, bad: number): ServiceItem {
  return {
    service,
    version,
    system: 'core-payment',
    requests,
    ratePerSecond: requests / 300,
    errorRatio: requests === 0 ? null : bad / requests,
    outcomes: { ok: requests - bad, business_reject: 0, business_error: 0, shed: 0, system_error: bad },
    sampled: false,
    lastSeenAt: '2026-11-20T09:59:50Z',
    p50Ms: 1,
    p95Ms: 2,
    p99Ms: 3,
  }
}

const reply = (...items: ServiceItem[]): ServicesReply => ({ from: '2026-11-20T09:55:00Z', to: nowAt, items })

function ingest(newestSpanAt: string | null): IngestStatusReply {
  return {
    at: nowAt,
    rowsPerSecond: 0,
    newestSpanAt,
    lagSeconds: null,
    spans: { rows: 0, bytesOnDisk: 0, parts: 0, aheadOfNow: 0 },
    tables: [],
    deadLetters: { lastHour: 0, total: 0, newest: [] },
    kafka: null,
  }
}

const en = buildWords('en')
const zh = buildWords('zh-CN')
const context = { otlpTracesUrl: 'http://h/v1/traces', release: undefined, nowMs: Date.parse(nowAt) }

describe('level', () => {
  test.each([
    { name: 'no requests say nothing', requests: 0, bad: 0, want: 'quiet' },
    { name: 'no failures', requests: 1000, bad: 0, want: 'ok' },
    { name: 'one failed of one is not enough to shout', requests: 1, bad: 1, want: 'ok' },
    { name: 'three of three is', requests: 3, bad: 3, want: 'bad' },
    { name: '38 %', requests: 1078, bad: 412, want: 'bad' },
    { name: '3 % of many', requests: 10_000, bad: 300, want: 'warning' },
    { name: '2 % of few may still be chance', requests: 150, bad: 3, want: 'ok' },
    { name: '0.5 % of many', requests: 100_000, bad: 500, want: 'ok' },
  ])('$name', ({ requests, bad, want }) => {
    expect(levelOf(item('a', '1', requests, bad))).toBe(want)
  })

  test('the lower bound agrees with the published example 10 of 100', () => {
    expect(lowerBound(10, 100)).toBeCloseTo(0.0552, 4)
    expect(lowerBound(0, 10)).toBe(0)
  })
})

test('bad ones come first, silent ones last', () => {
  const sorted = sortWorstFirst([
    item('quiet', '1', 0, 0),
    item('fine', '1', 5000, 1),
    item('single', '1', 1, 1),
    item('bad', '1', 100, 40),
    item('worse', '1', 100, 60),
  ])
  expect(sorted.map((row) => row.service)).toEqual(['worse', 'bad', 'single', 'fine', 'quiet'])
})

describe('sentence', () => {
  test('names the failing version with its counts, in both languages', () => {
    const result = verdict(
      reply(item('transfer', '2.14.0', 1078, 412), item('transfer', '2.13.9', 3240, 9)),
      reply(),
      undefined,
    )
    expect(sentence(result, en, context)).toEqual({
      level: 'bad',
      headline: 'transfer 2.14.0 is failing 38.2% of requests (412 of 1,078 in the last 5 min, 3.59 req/s).',
      more: [],
      service: 'transfer',
    })
    expect(sentence(result, zh, context).headline).toBe(
      'transfer 2.14.0 失败率 38.2%（近 5 分钟 1,078 次请求中失败 412 次，3.59 次/秒）。',
    )
  })

  test('tells the release of the failing version, the others that fail and who went silent', () => {
    const result = verdict(
      reply(item('transfer', '2.14.0', 100, 50), item('fx', '5.2', 100, 20)),
      reply(item('transfer', '2.14.0', 100, 50), item('oa', '1', 10, 0)),
      undefined,
    )
    const release: ReleaseEvent = {
      source: 's',
      id: '1',
      type: 't',
      at: '2026-11-20T09:48:00Z',
      receivedAt: nowAt,
      service: 'transfer',
      version: '2.14.0',
      environment: 'prod',
      action: 'deployed',
      description: '',
    }
    expect(sentence(result, en, { ...context, release }).more).toEqual([
      'Latest release event of this version: deployed, 12 min. ago.',
      'Also failing: fx 5.2 20%.',
      'No request in the last 5 min from: oa.',
    ])
  })

  test('all answer: the worst ratio is told with its counts', () => {
    const result = verdict(reply(item('a', '1', 1000, 1), item('b', '', 10, 0)), reply(), undefined)
    expect(sentence(result, en, context).headline).toBe(
      'All 2 services answer; worst error ratio 0.1%: a 1 (1 of 1,000 requests in the last 5 min).',
    )
    expect(sentence(result, zh, context).headline).toBe(
      '全部 2 个服务应答正常；失败率最高为 0.1%：a 1（近 5 分钟 1,000 次请求中失败 1 次）。',
    )
  })

  test('no errors at all', () => {
    const result = verdict(reply(item('a', '1', 10, 0)), reply(), undefined)
    expect(sentence(result, en, context).headline).toBe(
      'The one service seen answers; no failed request in the last 5 min.',
    )
  })

  test('nothing stored: says where to send traces', () => {
    const result = verdict(reply(), reply(), ingest(null))
    expect(result).toEqual({ kind: 'empty' })
    expect(sentence(result, en, context).headline).toBe('No data yet: send OTLP traces to http://h/v1/traces')
  })

  test('stored but silent is not called empty', () => {
    const result = verdict(reply(), reply(), ingest('2026-11-20T08:00:00Z'))
    expect(result).toEqual({ kind: 'quiet', newestAt: '2026-11-20T08:00:00Z', nowAt })
    expect(sentence(result, en, context).headline).toContain('2 hr. ago')
  })

  test('a version that is not reported is said so', () => {
    const result = verdict(reply(item('a', '', 10, 10)), reply(), undefined)
    expect(sentence(result, en, context).headline).toContain('a (no version) is failing 100%')
  })
})
