// A fault and its explanation as the API tells them, for tests of what shows them: limit 1.10.0, gray at two branches, fails one hop
// away, while two innocent releases run.

import type { Explanation, FaultItem, FaultReply, RankedCause } from '../../query/http/fault-schemas.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()

export function faultItem(nowMs: number, change: Partial<FaultItem> = {}): FaultItem {
  return {
    id: 'f1',
    origin: 'slo',
    name: 'transfer-availability',
    measure: 'errors',
    place: {
      service: 'transfer',
      operation: 'POST /transfers',
      txnCode: '',
      channel: 'counter',
      site: '',
      region: '0531',
      branch: '',
    },
    alarmAt: iso(nowMs - 3 * MINUTE),
    endedAt: null,
    verdict: 'blamed',
    headline: {
      en: 'Transfers: 12% fail, 94% likely caused by limit 1.10.0 at branches 0531-01 and 0531-02',
      zh: '转账失败率 12%，94% 可能由 limit 1.10.0（网点 0531-01、0531-02）引起',
    },
    topCause: { release: 'r-limit', service: 'limit', versionTo: '1.10.0', posterior: 0.94 },
    ...change,
  }
}

const cause = (nowMs: number, change: Partial<RankedCause>): RankedCause => ({
  release: 'r-limit',
  service: 'limit',
  versionFrom: '1.9.2',
  versionTo: '1.10.0',
  changeType: 'code',
  scope: 'branch 0531-01, 0531-02',
  readyAt: iso(nowMs - 4 * MINUTE),
  posterior: 0.94,
  isExonerated: false,
  reason: {
    en: 'Requests that met it fail 120 times as often as others of the same minute, and began to 41 s after its first traffic.',
    zh: '经过该版本的请求失败率是同一分钟其他请求的 120 倍，且在其首次流量 41 秒后开始。',
  },
  evidence: [
    {
      term: 'E2',
      llr: 8,
      figures: { z: 15 },
      text: {
        en: '38.2% of exposed requests failed (412 of 1,078), 0.3% of the others (9 of 3,240).',
        zh: '暴露请求失败 38.2%（1,078 次中 412 次），其余为 0.3%（3,240 次中 9 次）。',
      },
    },
    {
      term: 'E1',
      llr: 1.7,
      figures: { lagSeconds: 41 },
      text: { en: 'It served 41 s before the onset.', zh: '在起始前 41 秒开始服务。' },
    },
    {
      term: 'E6',
      llr: 4,
      figures: {},
      text: {
        en: 'The error LIM0021 is new: none of the three versions before had it.',
        zh: '错误 LIM0021 为新出现：之前三个版本都没有。',
      },
    },
  ],
  contrast: {
    exposed: { requests: 1078, bad: 412 },
    control: { requests: 3240, bad: 9 },
    method: 'concurrent',
    logOdds: 5.4,
    z: 15.02,
  },
  ...change,
})

/** @param hostile  a name that would be markup if it were not text */
export function explanationOf(nowMs: number, hostile = 'account'): Explanation {
  return {
    fault: 'f1',
    decidedAt: iso(nowMs - MINUTE),
    onset: {
      earliest: iso(nowMs - 4 * MINUTE),
      at: iso(nowMs - 3.5 * MINUTE),
      latest: iso(nowMs - 3 * MINUTE),
    },
    verdict: 'blamed',
    headline: {
      en: 'Transfers: 12% fail, 94% likely caused by limit 1.10.0 at branches 0531-01 and 0531-02',
      zh: '转账失败率 12%，94% 可能由 limit 1.10.0（网点 0531-01、0531-02）引起',
    },
    ranked: [
      cause(nowMs, {}),
      cause(nowMs, {
        release: 'r-hostile',
        service: hostile,
        versionTo: '7.2.0',
        scope: '',
        posterior: 0.01,
        isExonerated: true,
        reason: {
          en: 'Requests that met it fail as often as those that did not: 12.1% and 11.9%.',
          zh: '经过与未经过该版本的请求失败率相同：12.1% 与 11.9%。',
        },
        evidence: [
          {
            term: 'E2',
            llr: -3.5,
            figures: {},
            text: { en: 'No difference, with power to see one.', zh: '没有差别，且样本足以发现差别。' },
          },
        ],
        contrast: null,
      }),
      cause(nowMs, {
        release: 'r-late',
        service: 'mobile-bff',
        versionFrom: '',
        versionTo: '4.0.1',
        scope: '',
        posterior: 0,
        isExonerated: true,
        readyAt: iso(nowMs - 2 * MINUTE),
        reason: { en: 'It began to serve after the onset.', zh: '在故障开始之后才开始服务。' },
        evidence: [
          {
            term: 'E1',
            llr: -99,
            figures: {},
            text: { en: 'It served 90 s after the latest onset.', zh: '在最晚起始时间 90 秒之后才服务。' },
          },
        ],
        contrast: null,
      }),
    ],
    competing: [
      {
        kind: 'zone',
        name: 'sh-a-1',
        posterior: 0.02,
        llr: -2,
        text: { en: 'Errors are in all zones alike.', zh: '各可用区失败率相同。' },
      },
      {
        kind: 'unknown',
        name: '',
        posterior: 0.03,
        llr: 0,
        text: { en: 'What nobody told.', zh: '没有上报的原因。' },
      },
    ],
    set: [],
    rollback: {
      steps: [
        {
          release: 'r-limit',
          action: 'withdraw-scope',
          toVersion: '1.9.2',
          text: {
            en: 'Withdraw the gray rule of limit 1.10.0 (branch 0531-01, 0531-02)',
            zh: '撤回 limit 1.10.0 的灰度规则（网点 0531-01、0531-02）',
          },
        },
      ],
      expectedReliefRatio: 0.97,
      warnings: [{ en: '1.10.0 has served 3 h of postings.', zh: '1.10.0 已处理 3 小时的记账。' }],
      isUnderWay: false,
    },
    blastRadius: {
      badRequests: 421,
      excessRequests: 403,
      channels: [
        { name: 'counter', requests: 1360, bad: 421 },
        { name: 'mobile', requests: 2958, bad: 0 },
      ],
      regions: [{ name: '0531', requests: 1078, bad: 412 }],
      branches: [
        { name: '0531-01', requests: 540, bad: 210 },
        { name: '0531-02', requests: 538, bad: 202 },
        { name: '', requests: 12, bad: 3 },
      ],
      transactions: [{ name: 'TRF01', requests: 1360, bad: 421 }],
    },
    callChain: [
      { service: 'counter-bff', system: 'channel-counter', bad: 421, isOrigin: false },
      { service: 'gateway', system: 'service-gateway', bad: 421, isOrigin: false },
      { service: 'transfer', system: 'core-payment', bad: 421, isOrigin: false },
      { service: 'ledger', system: 'core-ledger', bad: 412, isOrigin: true },
    ],
    wouldDecide: null,
    notes: [],
    minutesMissing: null,
    exemplars: {
      failing: ['0af7651916cd43dd8448eb211c80319c', '1af7651916cd43dd8448eb211c80319c'],
      healthy: ['2af7651916cd43dd8448eb211c80319c'],
    },
    queries: [
      {
        title: { en: 'Exposed and not exposed, by minute', zh: '按分钟统计暴露与未暴露' },
        sql: "SELECT minute, sum(bad) FROM trace_paths_1m WHERE has(path, 'limit@1.10.0') GROUP BY minute",
      },
    ],
  }
}

export function faultReply(nowMs: number, hostile?: string): FaultReply {
  return {
    ...faultItem(nowMs),
    explanation: explanationOf(nowMs, hostile),
    decisions: [
      { decidedAt: iso(nowMs - 2 * MINUTE), verdict: 'inconclusive', top: 'r-limit', posterior: 0.62 },
      { decidedAt: iso(nowMs - MINUTE), verdict: 'blamed', top: 'r-limit', posterior: 0.94 },
    ],
  }
}

/** A site fails while releases run: nobody is blamed. */
export function siteFault(nowMs: number): FaultReply {
  const explained = explanationOf(nowMs)
  const headline = {
    en: 'Transfers: 31% fail at site sh-a; no release caused it, the site did (97%)',
    zh: '转账在 sh-a 中心失败率 31%；与投产无关，由该中心引起（97%）',
  }
  return {
    ...faultItem(nowMs, { id: 'f2', verdict: 'not-a-rollout', headline, topCause: null }),
    alarmAt: iso(nowMs - 60 * MINUTE),
    endedAt: iso(nowMs - 48 * MINUTE),
    explanation: {
      ...explained,
      fault: 'f2',
      verdict: 'not-a-rollout',
      headline,
      rollback: null,
      ranked: explained.ranked.filter(({ isExonerated }) => isExonerated),
      competing: [
        {
          kind: 'site',
          name: 'sh-a',
          posterior: 0.97,
          llr: 6,
          text: {
            en: 'All services of sh-a fail at once, with old and new versions alike.',
            zh: 'sh-a 的所有服务同时失败，新旧版本相同。',
          },
        },
      ],
    },
    decisions: [
      { decidedAt: iso(nowMs - 50 * MINUTE), verdict: 'not-a-rollout', top: null, posterior: null },
    ],
  }
}

/** Too little traffic to say. */
export function undecidedFault(nowMs: number): FaultReply {
  const explained = explanationOf(nowMs)
  const headline = {
    en: 'Balance queries are slow at branch 0755-03; 38 requests are too few to name a release',
    zh: '网点 0755-03 余额查询变慢；38 次请求太少，尚不能指认投产',
  }
  return {
    ...faultItem(nowMs, {
      id: 'f3',
      origin: 'detector',
      name: '',
      measure: 'latency',
      verdict: 'inconclusive',
      headline,
      topCause: null,
    }),
    explanation: {
      ...explained,
      fault: 'f3',
      verdict: 'inconclusive',
      headline,
      onset: null,
      rollback: null,
      ranked: [],
      competing: [],
      callChain: [],
      exemplars: { failing: [], healthy: [] },
      queries: [],
      blastRadius: {
        badRequests: 0,
        excessRequests: 0,
        channels: [],
        regions: [],
        branches: [],
        transactions: [],
      },
      wouldDecide: {
        en: 'Twelve more minutes of traffic, or a pause of account 7.2.0 for five minutes.',
        zh: '再有 12 分钟流量，或将 account 7.2.0 暂停 5 分钟。',
      },
      minutesMissing: 12,
    },
    decisions: [],
  }
}
