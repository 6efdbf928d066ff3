// The demo's own bank as a world: its services and calls as in ../services/, its last five weeks of rollouts and
// incidents. A test holds that services, routes and versions are those that run.

import { CLIENT_VERSIONS } from '../client-versions.ts'
import { COSTS } from '../machines.ts'
import { BRANCHES, CLOUD_REGION, ENVIRONMENT, SERVICES, SERVICE_FACTS, SITES } from '../topology.ts'
import type { Journey, PastIncident, PastRollout, Step, World } from './world.ts'

const GIB = 1024 ** 3

const TRANSFER: Step = {
  service: 'gateway',
  method: 'POST',
  route: '/transfers',
  workMs: 2,
  code: 'PAY0000',
  calls: [
    {
      service: 'transfer',
      method: 'POST',
      route: '/transfers',
      workMs: 6,
      code: 'PAY0000',
      calls: [
        {
          service: 'account',
          method: 'POST',
          route: '/accounts/{account}/checks',
          workMs: 5,
          code: 'ACC0000',
          rejects: [{ code: 'ACC0051', ratio: 0.012 }],
        },
        {
          service: 'limit',
          method: 'POST',
          route: '/reservations',
          workMs: 4,
          code: 'LIM0000',
          rejects: [{ code: 'LIM0021', ratio: 0.015 }],
        },
        {
          service: 'ledger',
          method: 'POST',
          route: '/postings',
          workMs: 7,
          code: 'LED0000',
          calls: [
            {
              service: 'core-adapter',
              method: 'POST',
              route: '/host/postings',
              workMs: 18,
              code: 'HST0000',
              failures: [{ code: 'HST5030', ratio: 0.001 }],
            },
          ],
        },
      ],
    },
  ],
}

const BALANCE: Step = {
  service: 'gateway',
  method: 'GET',
  route: '/accounts/{account}/balance',
  workMs: 2,
  code: 'ACC0000',
  calls: [
    {
      service: 'account',
      method: 'GET',
      route: '/accounts/{account}/balance',
      workMs: 4,
      code: 'ACC0000',
      calls: [
        {
          service: 'core-adapter',
          method: 'GET',
          route: '/host/accounts/{account}',
          workMs: 11,
          code: 'HST0000',
          failures: [{ code: 'HST5030', ratio: 0.001 }],
        },
      ],
    },
  ],
}

const transfer = (txnCode: string, share: number): Journey => ({
  txnCode,
  share,
  entry: { method: 'POST', route: '/transfers', workMs: 3, code: 'PAY0000', calls: [TRANSFER] },
})

const JOURNEYS: readonly Journey[] = [
  transfer('transfer.intra', 0.42),
  transfer('transfer.inter', 0.18),
  {
    txnCode: 'balance.query',
    share: 0.4,
    entry: {
      method: 'GET',
      route: '/accounts/{account}/balance',
      workMs: 2,
      code: 'ACC0000',
      calls: [BALANCE],
    },
  },
]

const whole = { kind: 'whole' } as const
const weight = (percent: number) => ({ kind: 'weight', percent }) as const

const ROLLOUTS: readonly PastRollout[] = [
  {
    service: 'account',
    from: '3.11.2',
    to: '3.12.0',
    stages: [{ daysAgo: 24, hour: 22, scope: whole }],
  },
  {
    service: 'ledger',
    from: '6.2.2',
    to: '6.2.3',
    stages: [
      { daysAgo: 17, hour: 21, scope: weight(20) },
      { daysAgo: 17, hour: 23, scope: whole },
    ],
  },
  {
    service: 'transfer',
    from: '2.13.3',
    to: '2.13.4',
    stages: [
      { daysAgo: 9, hour: 20, scope: { kind: 'branch', branches: ['0531-01', '0531-02'] } },
      { daysAgo: 8, hour: 20, scope: whole },
    ],
  },
  {
    service: 'counter-bff',
    from: '5.6.1',
    to: '5.6.2',
    stages: [{ daysAgo: 5, hour: 21, scope: whole }],
  },
  {
    service: 'mobile-bff',
    from: '9.0.4',
    to: '9.1.0',
    stages: [
      { daysAgo: 4, hour: 10, scope: weight(10) },
      { daysAgo: 4, hour: 14, scope: weight(50) },
      { daysAgo: 4, hour: 21, scope: whole },
    ],
  },
  // A version that failed, and was taken back: the story that a newcomer finds.
  {
    service: 'limit',
    from: '1.9.0',
    to: '1.9.1',
    stages: [{ daysAgo: 2, hour: 10.25, scope: weight(25) }],
    rolledBack: { daysAgo: 2, hour: 11 },
  },
]

const INCIDENTS: readonly PastIncident[] = [
  {
    service: 'core-adapter',
    site: 'sh-b',
    from: { daysAgo: 20, hour: 14 },
    to: { daysAgo: 20, hour: 15 },
    ratio: 0.5,
    effect: { kind: 'latency', latencyMs: 900 },
  },
  {
    service: 'core-adapter',
    from: { daysAgo: 6, hour: 9.5 },
    to: { daysAgo: 6, hour: 10.25 },
    ratio: 0.12,
    effect: { kind: 'errors', code: 'HST5030', message: 'the core host did not answer' },
  },
  {
    service: 'limit',
    version: '1.9.1',
    from: { daysAgo: 2, hour: 10.25 },
    to: { daysAgo: 2, hour: 11 },
    ratio: 0.4,
    effect: { kind: 'errors', code: 'LIM5000', message: 'the request could not be processed' },
  },
]

export type BankWorldOptions = { readonly peakPerSecond: number; readonly oneIn: number }

/** @param options as in World */
export function bankWorld({ peakPerSecond, oneIn }: BankWorldOptions): World {
  return {
    environment: ENVIRONMENT,
    cloudRegion: CLOUD_REGION,
    sites: SITES,
    nodes: { perSite: 2, allocatable: { cpu: 4, memory: 8 * GIB } },
    services: SERVICES.map((name) => ({
      name,
      system: SERVICE_FACTS[name].system,
      version: SERVICE_FACTS[name].baseline,
      machine: COSTS[name],
    })),
    branches: BRANCHES,
    tellersPerBranch: 5,
    channels: [
      {
        name: 'mobile',
        entry: 'mobile-bff',
        openShare: 0.55,
        shutShare: 0.65,
        from: 'customer',
        clientVersions: CLIENT_VERSIONS.mobile,
      },
      {
        name: 'counter',
        entry: 'counter-bff',
        openShare: 0.45,
        shutShare: 0.35,
        from: 'branch',
        clientVersions: CLIENT_VERSIONS.counter,
      },
    ],
    journeys: JOURNEYS,
    rollouts: ROLLOUTS,
    incidents: INCIDENTS,
    peakPerSecond,
    oneIn,
  }
}
