// A small bank's SLOs as the API would tell them, behind the real pages: for what only a browser can show.

import fastify, { type FastifyInstance } from 'fastify'
import type { DowntimeReply } from '../../query/http/report-schemas.ts'
import type {
  SloBurnReply,
  SloHistoryReply,
  SloItem,
  SloLedgerReply,
  SloReply,
  SlosReply,
} from '../../query/http/slo-schemas.ts'
import { pages } from '../../query/http/routes/pages.ts'
import { outageItem, sloItem, sloSide } from './slo-items.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()

/** A test changes it while the page is open. */
export type SloScene = { isOut: boolean; isDown: boolean; count: number; hostile: string }

/** @param tells.hasReleases  another scene tells releases, faults and series */
export async function buildSloServer(
  scene: SloScene,
  tells: { readonly hasReleases: boolean } = { hasReleases: false },
): Promise<FastifyInstance> {
  const server = fastify({ forceCloseConnections: true })
  await server.register(pages)
  const range = () => ({ from: iso(Date.now() - 15 * MINUTE), to: iso(Date.now()) })
  server.get('/api/v1/services', () => ({ ...range(), items: [] }))
  server.get('/api/v1/releases/events', () => ({ ...range(), items: [] }))
  server.get('/api/v1/session', () => ({ kind: 'visitor', displayName: '', mustChangePassword: false }))
  server.get('/api/v1/metrics/utilisation', () => ({
    at: iso(Date.now()),
    nodes: [],
    containers: [],
    nodeCount: 0,
    containerCount: 0,
  }))
  server.get('/api/v1/ingest/status', () => ({
    at: iso(Date.now()),
    rowsPerSecond: 400,
    newestSpanAt: iso(Date.now()),
    lagSeconds: 0.8,
    spans: { rows: 1000, bytesOnDisk: 60_000, parts: 4, aheadOfNow: 0 },
    tables: [],
    deadLetters: { lastHour: 0, total: 0, newest: [] },
    kafka: null,
  }))
  server.get<{ Querystring: { limit?: string } }>('/api/v1/slos', async (request, reply) => {
    if (scene.isDown)
      return reply.code(503).type('application/problem+json').send({
        type: 'about:blank',
        title: 'The store is busy',
        status: 503,
        detail: 'The store is busy.',
        code: 'SURETY_STORE_BUSY',
      })
    const items = slosOf(scene, Date.now())
    const limit = Number(request.query.limit ?? 200)
    return {
      items: items.slice(0, limit),
      counts: Object.fromEntries(
        [...Map.groupBy(items, ({ condition }) => condition)].map(([condition, { length }]) => [
          condition,
          length,
        ]),
      ),
      unmeasured: [{ slo: 'mainframe-batch', reasons: ['its metric source is of the type Datadog'] }],
      next: items.length > limit ? 'more' : null,
    } satisfies SlosReply
  })
  server.get<{ Params: { slo: string } }>('/api/v1/slos/:slo', ({ params }) => aboutOf(scene, params.slo))
  server.get('/api/v1/slos/:slo/history', historyReply)
  server.get('/api/v1/slos/:slo/burn', burnReply)
  server.get('/api/v1/slos/:slo/ledger', () => ledgerReply(scene))
  server.get('/api/v1/systems/downtime', downtimeReply)
  if (!tells.hasReleases) {
    server.get('/api/v1/releases', () => ({ ...range(), items: [] }))
    server.get('/api/v1/faults', () => ({ ...range(), items: [] }))
  }
  return server
}

function slosOf(scene: SloScene, nowMs: number): SloItem[] {
  const regions = ['0531', '0755', '021', ''].map((region, place) =>
    (place === 1 && scene.isOut ? outageItem : sloItem)(
      {
        slo: 'counter-by-region',
        displayName: 'Counters by region',
        service: 'counter-bff',
        system: 'channel-counter',
        tier: 'general',
        target: 0.99,
        stepSeconds: 60,
        group: { region },
        groupKey: JSON.stringify([region]),
      },
      nowMs,
    ),
  )
  const transfer = {
    slo: 'transfer-availability',
    displayName: 'Transfers available',
    service: 'transfer',
    system: 'core-payment',
  }
  const net = sloSide(0.9963, 0.995)
  const items = [
    sloItem(
      {
        slo: 'account-availability',
        displayName: 'Accounts available',
        service: 'account',
        system: 'core-account',
        target: 0.999,
      },
      nowMs,
    ),
    ...regions,
    sloItem({ slo: 'gateway-availability', displayName: 'Gateway available' }, nowMs),
    sloItem(
      {
        slo: 'gateway-latency',
        displayName: 'Gateway fast',
        condition: 'burning-slow',
        target: 0.99,
        sentences: {
          en: 'It burns 6.4 times as fast as it may; at this pace the 30-day budget is gone in 3 d 4 h.',
          'zh-CN': '消耗速度是允许值的 6.4 倍；按当前速度，30 天错误预算将在 3 天 4 小时后耗尽。',
        },
        budget: {
          unit: 'events',
          allowed: 1000,
          spent: 840,
          remaining: 160,
          remainingRatio: 0.16,
          isEstimate: false,
        },
      },
      nowMs,
    ),
    sloItem(
      {
        slo: 'ledger-availability',
        displayName: 'Ledger available',
        service: 'ledger',
        system: 'core-ledger',
        condition: 'no-data',
        isFrozen: true,
        sentences: {
          en: 'Only 41% of the time is known, 90% is needed to say how the 30-day budget stands.',
          'zh-CN': '已知时间只占 41%，达到 90% 才能判断30 天错误预算。',
        },
        window: {
          from: iso(nowMs - 30 * 1440 * MINUTE),
          to: iso(nowMs),
          end: iso(nowMs),
          net: sloSide(null, 0.995, 0.41),
          gross: sloSide(null, 0.995, 0.41),
        },
        budget: null,
        burnRates: [300, 1800, 3600].map((windowSeconds) => ({ windowSeconds, net: null, gross: null })),
        lastGood: { at: iso(nowMs - 300 * MINUTE), sliRatio: 0.9991, remainingRatio: 0.81 },
        knownFrom: iso(nowMs - 12 * 1440 * MINUTE),
        backfill: { reachesTo: iso(nowMs - 12 * 1440 * MINUTE), doneRatio: 0.43 },
      },
      nowMs,
    ),
    sloItem(
      {
        slo: 'mobile-bank-month',
        displayName: 'Mobile bank by calendar month',
        service: 'mobile-bff',
        system: 'channel-mobile',
        windowText: '1 month Asia/Shanghai',
        condition: 'excluded',
        window: {
          from: iso(nowMs - 20 * 1440 * MINUTE),
          to: iso(nowMs),
          end: iso(nowMs + 10 * 1440 * MINUTE),
          net,
          gross: sloSide(0.9931, 0.995),
        },
        budget: {
          unit: 'events',
          allowed: 900,
          spent: 666,
          remaining: 234,
          remainingRatio: 0.26,
          isEstimate: true,
        },
        budgetGross: {
          unit: 'events',
          allowed: 900,
          spent: 1242,
          remaining: -342,
          remainingRatio: -0.38,
          isEstimate: true,
        },
      },
      nowMs,
    ),
    sloItem(
      {
        slo: 'oa',
        displayName: scene.hostile,
        service: scene.hostile,
        system: scene.hostile,
        tier: 'office',
        hint: 'unmatched',
        condition: 'no-traffic',
      },
      nowMs,
    ),
    (scene.isOut ? outageItem : sloItem)(transfer, nowMs),
  ]
  const more = Array.from({ length: scene.count }, (_, place) =>
    sloItem({ slo: `more-${place}`, displayName: `More ${place}` }, nowMs),
  )
  return [...items, ...more]
}

function aboutOf(scene: SloScene, name: string): SloReply {
  const nowMs = Date.now()
  return {
    items: slosOf(scene, nowMs).filter(({ slo }) => slo === name),
    exclusions: [
      {
        name: 'release-window',
        reason: 'Planned release of the core, agreed with the business',
        approver: 'wang',
        ticket: 'CHG-2201',
        enteredAt: iso(nowMs - 2 * 1440 * MINUTE),
        isRetroactive: true,
        stretches: [
          { from: iso(nowMs - 3 * 1440 * MINUTE), to: iso(nowMs - 3 * 1440 * MINUTE + 90 * MINUTE) },
        ],
      },
    ],
    definition: {},
    questions: [],
    burnProfile: { name: 'workbook-30d', source: 'Google SRE Workbook' },
  }
}

function historyReply(): SloHistoryReply {
  const nowMs = Date.now()
  const one = { judgedAt: iso(nowMs - 2 * MINUTE), at: iso(nowMs - 2 * MINUTE) }
  return {
    from: iso(nowMs - 7 * 1440 * MINUTE),
    to: iso(nowMs),
    points: [],
    transitions: [
      { ...one, id: 3, subject: 'condition', pair: null, from: 'healthy', to: 'outage' },
      { ...one, id: 2, subject: 'pair', pair: 'page-1h', from: 'inactive', to: 'firing' },
      {
        ...one,
        id: 1,
        at: iso(nowMs - 2000 * MINUTE),
        subject: 'budget',
        pair: null,
        from: 'left',
        to: 'exhausted',
      },
    ],
    isCut: false,
  }
}

function burnReply(): SloBurnReply {
  const nowMs = Math.floor(Date.now() / MINUTE) * MINUTE
  const at = (place: number) => nowMs - (360 - place) * MINUTE
  const rate = (place: number, lag: number) => {
    // A hole of an hour, and a fault of the last ten minutes that longer windows see later.
    if (place > 120 && place < 180) return null
    return place > 350 - lag ? Math.max(0.2, (place - 350) * (10 - lag)) : 0.2 + 0.1 * Math.sin(place / 9)
  }
  return {
    from: iso(at(0)),
    to: iso(nowMs),
    stepSeconds: 60,
    target: 0.995,
    windows: [300, 1800, 3600].map((windowSeconds, lag) => ({
      windowSeconds,
      points: Array.from({ length: 360 }, (_, place) => {
        const burnRate = rate(place + 1, lag * 3)
        return {
          at: iso(at(place + 1)),
          burnRate,
          burnRateGross: burnRate,
          coverage: burnRate === null ? 0.2 : 1,
        }
      }),
    })),
    thresholds: [
      { pair: 'page-1h', severity: 'page', factor: 14.4 },
      { pair: 'page-6h', severity: 'page', factor: 6 },
      { pair: 'ticket-1d', severity: 'ticket', factor: 3 },
    ],
  }
}

function ledgerReply({ hostile }: SloScene): SloLedgerReply {
  const nowMs = Date.now()
  const one = { firstAt: iso(nowMs - 1500 * MINUTE), lastAt: iso(nowMs - MINUTE) }
  return {
    from: iso(nowMs - 30 * 1440 * MINUTE),
    to: iso(nowMs),
    spent: 700,
    spentRatio: 1.4,
    badMinutes: 14,
    attributedRatio: 0.8,
    items: [
      {
        ...one,
        service: 'transfer',
        operation: 'POST /transfer',
        version: '2.14.0',
        dependency: 'limit: check',
        dependencyRatio: null,
        bad: 630,
        share: 0.9,
        budgetShare: 1.26,
        minutes: 9,
      },
      {
        ...one,
        service: 'transfer',
        operation: hostile,
        version: '2.13.9',
        dependency: '',
        dependencyRatio: null,
        bad: 70,
        share: 0.1,
        budgetShare: 0.14,
        minutes: 5,
      },
    ],
  }
}

function downtimeReply(): DowntimeReply {
  const nowMs = Date.now()
  const system = (
    name: string,
    tier: DowntimeReply['items'][number]['tier'],
    allowedSeconds: number | null,
    unplannedSeconds: number,
  ): DowntimeReply['items'][number] => ({
    system: name,
    tier,
    allowedSeconds,
    unplannedSeconds,
    plannedSeconds: 5400,
    knownFrom: iso(nowMs - 40 * 1440 * MINUTE),
    coverage: 0.11,
    sources: [{ slo: `${name}-availability`, objective: 0 }],
  })
  return {
    from: iso(nowMs - 300 * 1440 * MINUTE),
    to: iso(nowMs),
    items: [
      system('channel-counter', 'general', 36_000, 4000),
      system('channel-mobile', 'critical', 300, 12),
      system('core-account', 'critical', 300, 0),
      system('core-ledger', 'critical', 300, 250),
      system('core-payment', 'critical', 300, 560),
      { ...system('oa', 'office', 345_600, 0), sources: [], knownFrom: null, coverage: null },
      system('service-gateway', 'critical', null, 30),
    ],
  }
}
