// A bank with releases and faults as the API would tell them, behind the real pages: for what only a browser can show.

import type { FastifyInstance } from 'fastify'
import { FaultItem, type FaultReply, type FaultsReply } from '../../query/http/fault-schemas.ts'
import type {
  ReleaseItem,
  ReleaseReply,
  ReleasesReply,
  ReleaseVerdict,
} from '../../query/http/release-schemas.ts'
import { faultReply, siteFault, undecidedFault } from './fault-items.ts'
import { releaseItem } from './release-items.ts'
import { buildSloServer } from './slo-scene.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()
const branches = {
  selectors: [{ attribute: 'branch', match: 'exact' as const, values: ['0531-01', '0531-02'] }],
  weightPercent: null,
}
const everybody = { selectors: [], weightPercent: null }

/** A test changes it while the page is open. */
export type FaultScene = {
  hasFaults: boolean
  isDown: boolean
  hostile: string
  /** How many innocent releases stand beside the others. */
  releases: number
}

export async function buildFaultServer(scene: FaultScene): Promise<FastifyInstance> {
  const server = await buildSloServer(
    { isOut: false, isDown: false, count: 0, hostile: scene.hostile },
    { hasReleases: true },
  )
  server.get('/api/v1/releases', async (_request, reply) => {
    if (scene.isDown) return reply.code(503).type('application/problem+json').send(busy)
    return releasesReply(scene)
  })
  server.get<{ Params: { id: string } }>('/api/v1/releases/:id', async ({ params }, reply) => {
    const found = releasesReply(scene).items.find(({ id }) => id === params.id)
    return found === undefined
      ? reply.code(404).type('application/problem+json').send(gone)
      : aboutRelease(found, scene)
  })
  server.get<{ Params: { id: string } }>('/api/v1/releases/:id/verdict', async ({ params }, reply) => {
    if (params.id === 'r-asked') return reply.code(404).type('application/problem+json').send(gone)
    return verdictOf(params.id)
  })
  server.get<{ Querystring: { release?: string } }>('/api/v1/faults', async ({ query }, reply) => {
    if (scene.isDown) return reply.code(503).type('application/problem+json').send(busy)
    const items = faultsOf(scene).map(asItem)
    return {
      from: iso(Date.now() - 1440 * MINUTE),
      to: iso(Date.now()),
      items: items.filter(
        ({ topCause }) => query.release === undefined || topCause?.release === query.release,
      ),
    } satisfies FaultsReply
  })
  server.get<{ Params: { id: string } }>('/api/v1/faults/:id', async ({ params }, reply) => {
    const found = faultsOf(scene).find(({ id }) => id === params.id)
    return found ?? reply.code(404).type('application/problem+json').send(gone)
  })
  server.get<{ Params: { service: string } }>('/api/v1/services/:service/series', ({ params }) =>
    seriesReply(params.service),
  )
  return server
}

const problem = (status: number, title: string, code: string) => ({
  type: 'about:blank',
  title,
  status,
  detail: title,
  code,
})
const busy = problem(503, 'The store is busy.', 'SURETY_STORE_BUSY')
const gone = problem(404, 'There is none.', 'SURETY_NOT_FOUND')

function faultsOf({ hasFaults, hostile }: FaultScene): FaultReply[] {
  const nowMs = Date.now()
  return hasFaults ? [siteFault(nowMs), faultReply(nowMs, hostile), undecidedFault(nowMs)] : []
}

function asItem(reply: FaultReply): FaultItem {
  return FaultItem.parse(reply)
}

function releasesReply({ hostile, releases }: FaultScene): ReleasesReply {
  const nowMs = Date.now()
  const items: ReleaseItem[] = [
    releaseItem({
      id: 'r-limit',
      service: 'limit',
      system: 'core-limit',
      versionFrom: '1.9.2',
      versionTo: '1.10.0',
      startedAt: iso(nowMs - 4.2 * MINUTE),
      readyAt: iso(nowMs - 4 * MINUTE),
      scope: branches,
      verdict: 'worse',
      headline: {
        en: 'Worse: exposed requests fail 38.2%, others 0.3%',
        zh: '变差：暴露请求失败 38.2%，其余 0.3%',
      },
    }),
    releaseItem({
      id: 'r-own',
      startedAt: iso(nowMs - 10 * MINUTE),
      readyAt: iso(nowMs - 9 * MINUTE),
      endedAt: iso(nowMs - 6 * MINUTE),
      scope: { selectors: [], weightPercent: 10 },
      verdict: 'not-worse',
      headline: { en: 'Not worse after 4,120 requests', zh: '4,120 次请求后未变差' },
      remarks: ['late-event', 'skewed-clock'],
    }),
    releaseItem({
      id: 'r-hostile',
      service: hostile,
      system: hostile,
      versionTo: hostile,
      startedAt: iso(nowMs - 7 * MINUTE),
      readyAt: iso(nowMs - 7 * MINUTE),
      verdict: 'cannot-tell',
    }),
    releaseItem({
      id: 'r-asked',
      service: 'account',
      changeType: 'config',
      state: 'requested',
      versionTo: '7.3.0',
      startedAt: iso(nowMs - 2 * MINUTE),
      readyAt: null,
    }),
    ...Array.from({ length: releases }, (_, place) =>
      releaseItem({
        id: `many-${place}`,
        service: 'ledger',
        versionTo: `3.${place}.0`,
        startedAt: iso(nowMs - 12 * MINUTE - place * 1000),
        readyAt: iso(nowMs - 12 * MINUTE - place * 1000),
        verdict: 'not-worse',
      }),
    ),
  ]
  return { from: iso(nowMs - 15 * MINUTE), to: iso(nowMs), items }
}

function aboutRelease(item: ReleaseItem, { hostile }: FaultScene): ReleaseReply {
  return {
    ...item,
    vcsRevision: '9fceb02d',
    artifact: 'pkg:oci/limit@1.10.0',
    configHash: '',
    pipeline: '/ci/limit/812',
    actor: 'wang',
    ticket: 'CHG-2201',
    isReversible: item.id !== 'r-own',
    parameterChanges:
      item.id === 'r-limit'
        ? [
            { name: 'limit.daily.max', before: '50000', after: '5000' },
            { name: hostile, before: null, after: hostile },
          ]
        : [],
    stages: [
      { kind: 'started', at: item.startedAt, scope: everybody, source: '/ci/limit', eventId: 'e1' },
      {
        kind: 'step',
        at: item.readyAt ?? item.startedAt,
        scope: item.scope,
        source: '/ci/limit',
        eventId: 'e2',
      },
      {
        kind: 'noted',
        at: item.startedAt,
        scope: everybody,
        source: '/gates/curl',
        eventId: 'e3',
        actor: hostile,
        description: 'aborted: worse',
      },
    ],
  }
}

function verdictOf(release: string): ReleaseVerdict {
  const isWorse = release === 'r-limit'
  return {
    release,
    decidedAt: iso(Date.now() - MINUTE),
    verdict: isWorse ? 'worse' : release === 'r-hostile' ? 'cannot-tell' : 'not-worse',
    fault: isWorse ? 'technical' : null,
    headline: isWorse
      ? { en: 'Exposed requests fail 38.2%, others 0.3%', zh: '暴露请求失败 38.2%，其余 0.3%' }
      : { en: 'No measure differs', zh: '各项指标没有差别' },
    errorRate: 0.01,
    exposedRequests: 1078,
    controlRequests: 3240,
    requestsMissing: release === 'r-hostile' ? 600 : null,
    minutesMissing: release === 'r-hostile' ? 12 : null,
    measures: [
      {
        measure: 'system_error',
        verdict: isWorse ? 'worse' : 'not-worse',
        contrast: {
          exposed: { requests: 1078, bad: isWorse ? 412 : 4 },
          control: { requests: 3240, bad: 9 },
          method: 'concurrent',
          logOdds: 5.4,
          z: 15,
        },
        difference: isWorse ? 0.379 : 0.001,
        low: isWorse ? 0.31 : -0.002,
        high: isWorse ? 0.44 : 0.004,
        reasons: isWorse ? [] : ['not-significantly-higher', 'few-and-transient'],
        text: isWorse
          ? { en: 'System errors are 120 times as frequent.', zh: '系统故障多 120 倍。' }
          : { en: 'As before.', zh: '与之前相同。' },
      },
      {
        measure: 'latency',
        verdict: 'not-worse',
        contrast: null,
        difference: -1.2,
        low: -4,
        high: 1.6,
        reasons: [],
        text: { en: 'As fast as before.', zh: '与之前一样快。' },
      },
    ],
    override:
      release === 'r-own'
        ? { verdict: 'not-worse', reason: 'agreed with the business', by: 'wang', at: iso(Date.now()) }
        : null,
  }
}

function seriesReply(service: string) {
  const toMs = Date.now()
  const fromMs = toMs - 15 * MINUTE
  const starts = (stepMs: number) => {
    const first = Math.ceil(fromMs / stepMs) * stepMs
    return Array.from({ length: Math.ceil((toMs - first) / stepMs) }, (_, place) => first + place * stepMs)
  }
  const point = (at: number, share: number) => {
    const bad = at > toMs - 4 * MINUTE ? Math.round(share * 60) : 0
    return { at: iso(at), requests: 60, bad, errorRatio: bad / 60 }
  }
  return {
    service,
    from: iso(fromMs),
    to: iso(toMs),
    stepSeconds: 10,
    latencyStepSeconds: 60,
    versions: ['2.13.4', '2.14.0'].map((version, index) => ({
      version,
      points: starts(10_000).map((at) => point(at, 0.1 + 0.02 * index)),
      latency: starts(MINUTE).map((at) => ({ at: iso(at), p50Ms: 10, p95Ms: 40, p99Ms: 90 + 30 * index })),
    })),
  }
}
