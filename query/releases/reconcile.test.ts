import { describe, expect, test } from 'vitest'
import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { random } from '../../test/support/otlp.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, seen, step, T0_MS } from '../../test/support/releases.ts'
import { reconcile, type ReconcileInput } from './reconcile.ts'
import type { Release } from './release.ts'
import type { VersionSighting } from './version-sighting.ts'

const at = (minute: number) => T0_MS + minute * MINUTE_MS
const NOW = 600

function releasesOf(
  steps: readonly ReleaseStep[],
  sightings: readonly VersionSighting[],
  given: Partial<ReconcileInput> = {},
): readonly Release[] {
  return reconcile({
    steps,
    sightings,
    names: new Map(),
    systems: new Map(),
    nowMs: at(NOW),
    knownFromMs: at(-3 * 24 * 60),
    grayOpenDays: 7,
    ...given,
  })
}

/** v1 until 2.0 takes over at minute 100. */
const OLD = seen('pay', '1.0', [[-2000, 110]])
const NEW = seen('pay', '2.0', [[100, NOW]])

const cases: readonly {
  readonly name: string
  readonly steps?: readonly ReleaseStep[]
  readonly sightings: readonly VersionSighting[]
  readonly given?: Partial<ReconcileInput>
  readonly want: readonly object[]
}[] = [
  {
    name: 'a version first seen without an event is a release, with what served before',
    sightings: [OLD, NEW],
    want: [
      {
        isImplicit: true,
        service: 'pay',
        system: 'core',
        environment: 'prod',
        versionFrom: '1.0',
        versionTo: '2.0',
        readyAtMs: at(100),
        readyFrom: 'traffic',
        state: 'completed',
        endedAtMs: at(110),
        remarks: ['no-event'],
      },
    ],
  },
  { name: 'the very first sight of a service is no release', sightings: [NEW], want: [] },
  {
    name: 'two versions that a service has at its first sight are no release',
    sightings: [seen('pay', '1.0', [[100, NOW]]), seen('pay', '2.0', [[102, NOW]])],
    want: [],
  },
  {
    name: 'what serves when traffic begins to be known is no release',
    sightings: [seen('pay', '1.0', [[-3 * 24 * 60, 110]]), seen('pay', '2.0', [[-3 * 24 * 60 + 10, NOW]])],
    want: [],
  },
  {
    name: 'a version that comes back after the whole service was idle is a scale-up',
    sightings: [
      seen('pay', '1.0', [
        [-2000, 100],
        [300, NOW],
      ]),
    ],
    want: [],
  },
  {
    name: 'a version that comes back after another has served is a rollback, and the other one is taken back',
    sightings: [
      seen('pay', '1.0', [
        [-2000, 110],
        [200, NOW],
      ]),
      seen('pay', '2.0', [[100, 205]]),
    ],
    want: [
      { versionTo: '2.0', state: 'rolled_back', endedAtMs: at(205) },
      { versionTo: '1.0', versionFrom: '2.0', isImplicit: true, readyAtMs: at(200), state: 'completed' },
    ],
  },
  {
    name: 'a gray version with a request now and then is not taken back and brought again',
    sightings: [
      seen('pay', '1.0', [[-2000, NOW]]),
      seen(
        'pay',
        '2.0',
        [
          [100, 140],
          [200, 203],
          [260, 262],
        ],
        { rate: 0.05 },
      ),
    ],
    want: [{ versionTo: '2.0', readyAtMs: at(100) }],
  },
  {
    name: 'a service without versions has no releases',
    sightings: [seen('pay', '', [[-2000, NOW]])],
    want: [],
  },
  {
    name: 'when a version is ready is read from traffic, not from its event',
    steps: [step(90, { eventId: 'a', kind: 'started' }), step(97, { eventId: 'b', kind: 'completed' })],
    sightings: [OLD, NEW],
    want: [
      {
        isImplicit: false,
        readyAtMs: at(100),
        readyFrom: 'traffic',
        startedAtMs: at(90),
        state: 'completed',
        remarks: [],
      },
    ],
  },
  {
    name: 'an event that comes minutes after the traffic is late, and no second release',
    steps: [step(99, { eventId: 'a', receivedAt: at(109) })],
    sightings: [OLD, NEW],
    want: [{ isImplicit: false, readyAtMs: at(100), remarks: ['late-event'] }],
  },
  {
    name: 'the same event twice, and the same said by two events, are duplicates',
    steps: [step(99, { eventId: 'a' }), step(99, { eventId: 'a' }), step(99, { eventId: 'b' })],
    sightings: [OLD, NEW],
    want: [{ stages: [{ eventId: 'a' }, { eventId: 'b' }], remarks: ['duplicate-events'] }],
  },
  {
    name: 'steps that come in another order than they were told are put in order',
    steps: [
      step(98, { eventId: 'b', kind: 'completed', receivedAt: at(98.1) }),
      step(90, { eventId: 'a', kind: 'started', receivedAt: at(98.5) }),
    ],
    sightings: [OLD, NEW],
    want: [{ stages: [{ kind: 'started' }, { kind: 'completed' }], remarks: ['out-of-order'] }],
  },
  {
    name: 'a clock a time zone off still tells the release that traffic shows',
    steps: [step(100 + 480, { eventId: 'a', receivedAt: at(100.5) })],
    sightings: [OLD, NEW],
    want: [{ readyAtMs: at(100), startedAtMs: at(100.5), remarks: ['future-event'] }],
  },
  {
    name: 'a version that never serves is told so',
    steps: [step(90, { eventId: 'a', versionTo: '9.9' })],
    sightings: [seen('pay', '1.0', [[-2000, NOW]])],
    want: [{ versionTo: '9.9', readyAtMs: undefined, state: 'serving', remarks: ['never-served'] }],
  },
  {
    name: 'a service that never sends a span is told so',
    steps: [step(90, { eventId: 'a', service: 'ghost' })],
    sightings: [seen('pay', '1.0', [[-2000, NOW]])],
    want: [{ service: 'ghost', readyAtMs: undefined, remarks: ['never-reported'] }],
  },
  {
    name: 'a name that is nearly the same is an alias when the version shows in that service',
    steps: [step(99, { eventId: 'a', service: 'core-payment-svc' })],
    sightings: [
      seen('core-payment', '1.0', [[-2000, 110]]),
      seen('core-payment', '2.0', [[100, NOW]]),
      seen('ledger', '2.0', [[-2000, NOW]]),
    ],
    want: [
      { service: 'core-payment', toldService: 'core-payment-svc', readyAtMs: at(100), remarks: ['alias'] },
    ],
  },
  {
    name: 'a name with a slip of the pen is an alias likewise',
    steps: [step(99, { eventId: 'a', service: 'core-paymnet' })],
    sightings: [seen('core-payment', '1.0', [[-2000, 110]]), seen('core-payment', '2.0', [[100, NOW]])],
    want: [{ service: 'core-payment', toldService: 'core-paymnet' }],
  },
  {
    name: 'a near name whose version does not show stays a service that never reports',
    steps: [step(99, { eventId: 'a', service: 'core-payment-svc', versionTo: '3.0' })],
    sightings: [seen('core-payment', '1.0', [[-2000, NOW]])],
    want: [{ service: 'core-payment-svc', remarks: ['never-reported'] }],
  },
  {
    name: 'a name that was an alias once is one before its next version serves, and in steps without a version',
    steps: [
      step(99, { eventId: 'a', service: 'core-payment-svc' }),
      step(120, { eventId: 'b', service: 'core-payment-svc', versionTo: '', kind: 'completed' }),
      step(590, { eventId: 'c', service: 'core-payment-svc', versionTo: '3.0', kind: 'requested' }),
    ],
    sightings: [seen('core-payment', '1.0', [[-2000, 110]]), seen('core-payment', '2.0', [[100, NOW]])],
    want: [
      { service: 'core-payment', versionTo: '2.0', state: 'completed', remarks: ['alias'] },
      { service: 'core-payment', versionTo: '3.0', state: 'requested', remarks: ['alias'] },
    ],
  },
  {
    name: 'a name of the registry is an alias',
    steps: [step(99, { eventId: 'a', service: '支付核心' })],
    sightings: [OLD, NEW],
    given: { names: new Map([['支付核心', ['支付核心', 'pay']]]) },
    want: [{ service: 'pay', toldService: '支付核心', remarks: ['alias'] }],
  },
  {
    name: 'a release that is called by its commit is the version that appears right after',
    steps: [step(98, { eventId: 'a', versionTo: 'a1b2c3d4e5f6', vcsRevision: 'a1b2c3d4e5f6' })],
    sightings: [OLD, NEW],
    want: [{ versionTo: '2.0', vcsRevision: 'a1b2c3d4e5f6', readyAtMs: at(100) }],
  },
  {
    name: 'the same version once more does not show: it is ready when it was told',
    steps: [step(300, { eventId: 'a' })],
    sightings: [seen('pay', '2.0', [[-2000, NOW]])],
    want: [{ readyAtMs: at(300), readyFrom: 'event', remarks: [] }],
  },
  {
    name: 'two tools that tell of one version are one release',
    steps: [
      step(95, { eventId: 'a', kind: 'started', tool: 'github', source: '/github', releaseKey: '77' }),
      step(97, { eventId: 'b', kind: 'step', tool: 'argo-rollouts', source: '/argo', releaseKey: 'pay-7' }),
      step(99, { eventId: 'c', kind: 'completed' }),
    ],
    sightings: [OLD, NEW],
    want: [{ stages: [{ eventId: 'a' }, { eventId: 'b' }, { eventId: 'c' }] }],
  },
  {
    name: 'what a gate did stands among the stages with who chose, and says nothing for the release',
    steps: [
      step(97, { eventId: 'a', kind: 'started', actor: 'jenkins', description: '1.0 → 2.0' }),
      step(103, { eventId: 'b', kind: 'noted', actor: 'wang', description: 'aborted: agreed' }),
    ],
    sightings: [OLD, NEW],
    want: [
      {
        actor: 'jenkins',
        description: '1.0 → 2.0',
        state: 'completed',
        stages: [
          { kind: 'started', actor: 'jenkins' },
          { kind: 'noted', actor: 'wang', description: 'aborted: agreed' },
        ],
      },
    ],
  },
  {
    name: 'one chain over two services is two releases',
    steps: [
      step(95, { eventId: 'a', releaseKey: 'chain' }),
      step(96, { eventId: 'b', releaseKey: 'chain', service: 'ledger' }),
    ],
    sightings: [OLD, NEW, seen('ledger', '1.0', [[-2000, 110]]), seen('ledger', '2.0', [[99, NOW]])],
    want: [{ service: 'pay' }, { service: 'ledger', readyAtMs: at(99) }],
  },
  {
    name: 'one version that is begun again after it was taken back is two releases',
    steps: [
      step(95, { eventId: 'a', kind: 'started' }),
      step(150, { eventId: 'b', kind: 'rolled_back' }),
      step(300, { eventId: 'c', kind: 'started' }),
    ],
    sightings: [
      seen('pay', '1.0', [
        [-2000, 110],
        [150, 310],
      ]),
      seen('pay', '2.0', [
        [100, 152],
        [301, NOW],
      ]),
    ],
    want: [
      { state: 'rolled_back', readyAtMs: at(100), endedAtMs: at(150) },
      { state: 'completed', readyAtMs: at(301) },
    ],
  },
  {
    name: 'a rollback that is told by itself ends what it takes back, and what serves again is no other release',
    steps: [
      step(95, { eventId: 'a', kind: 'started' }),
      step(150, { eventId: 'b', kind: 'rolled_back', versionTo: '1.0' }),
    ],
    sightings: [
      seen('pay', '1.0', [
        [-2000, 110],
        [151, NOW],
      ]),
      seen('pay', '2.0', [[100, 152]]),
    ],
    want: [{ versionTo: '2.0', state: 'rolled_back', stages: [{ eventId: 'a' }, { eventId: 'b' }] }],
  },
  {
    name: 'a rollback that says what it withdraws ends that one, not the newest',
    steps: [
      step(95, { eventId: 'a', kind: 'started' }),
      step(140, { eventId: 'b', kind: 'started', versionTo: '3.0' }),
      step(150, { eventId: 'c', kind: 'rolled_back', versionFrom: '2.0', versionTo: '1.0' }),
    ],
    sightings: [
      seen('pay', '1.0', [[-2000, NOW]]),
      seen('pay', '2.0', [[100, 152]]),
      seen('pay', '3.0', [[141, NOW]]),
    ],
    want: [
      { versionTo: '2.0', state: 'rolled_back' },
      { versionTo: '3.0', state: 'serving' },
    ],
  },
  {
    name: 'a version goes into gray production first and then everywhere: two releases',
    steps: [
      step(50, { eventId: 'a', environment: 'gray-prod' }),
      step(99, { eventId: 'b', environment: 'production' }),
    ],
    sightings: [
      seen('pay', '1.0', [[-2000, 60]], { environment: 'gray-prod' }),
      seen('pay', '2.0', [[51, NOW]], { environment: 'gray-prod' }),
      OLD,
      NEW,
    ],
    want: [
      { environment: 'gray-prod', readyAtMs: at(51) },
      { environment: 'prod', readyAtMs: at(100) },
    ],
  },
  {
    name: 'two releases of one service in the same minute are marked, for nothing tells them apart',
    steps: [
      step(100, { eventId: 'a' }),
      step(100, { eventId: 'b', changeType: 'config', versionTo: '', configHash: 'c1', kind: 'completed' }),
    ],
    sightings: [OLD, NEW],
    want: [{ remarks: ['same-minute'] }, { remarks: ['same-minute'] }],
  },
  {
    name: 'a configuration push is ready when it was told, for traffic does not show it',
    steps: [
      step(120, { eventId: 'a', changeType: 'config', versionTo: '', configHash: 'c1', kind: 'completed' }),
    ],
    sightings: [seen('pay', '1.0', [[-2000, NOW]])],
    want: [{ changeType: 'config', readyAtMs: at(120), readyFrom: 'event', state: 'completed', remarks: [] }],
  },
  {
    name: 'a host patch needs no service',
    steps: [
      step(120, { eventId: 'a', changeType: 'host_patch', service: '', target: 'sh-a-03', versionTo: '' }),
    ],
    sightings: [],
    want: [{ service: '', target: 'sh-a-03', readyAtMs: at(120), remarks: [] }],
  },
  {
    name: 'a version of a client application is ready when it is first seen',
    steps: [
      step(120, { eventId: 'a', changeType: 'client', service: '', target: 'app', versionTo: '9.1.0' }),
    ],
    sightings: [seen('', 'app-9.1.0', [[131, NOW]])],
    want: [{ target: 'app', versionTo: '9.1.0', readyAtMs: at(131), readyFrom: 'traffic' }],
  },
  {
    name: 'the version before that still serves long after completion is not drained',
    steps: [step(95, { eventId: 'a', kind: 'started' }), step(101, { eventId: 'b', kind: 'completed' })],
    sightings: [seen('pay', '1.0', [[-2000, NOW]]), NEW],
    want: [{ state: 'completed', remarks: ['not-drained'] }],
  },
  {
    name: 'a gray scope that is open for longer than allowed is left open',
    steps: [
      step(99, {
        eventId: 'a',
        kind: 'step',
        scope: {
          selectors: [{ attribute: 'branch', match: 'exact', values: ['0531'] }],
          weightPercent: undefined,
        },
      }),
    ],
    sightings: [seen('pay', '1.0', [[-2000, 12_000]]), seen('pay', '2.0', [[100, 12_000]])],
    given: { nowMs: at(12_000) },
    want: [{ state: 'serving', scope: { selectors: [{ attribute: 'branch' }] }, remarks: ['left-open'] }],
  },
  {
    name: 'a gray scope is widened: the widest so far is told, the steps are kept',
    steps: [
      step(99, { eventId: 'a', kind: 'step', scope: scopeOf('teller', ['T1']) }),
      step(160, { eventId: 'b', kind: 'step', scope: scopeOf('region', ['east']) }),
      step(130, { eventId: 'c', kind: 'step', scope: scopeOf('branch', ['0531']) }),
    ],
    sightings: [seen('pay', '1.0', [[-2000, NOW]]), NEW],
    want: [
      { scope: scopeOf('region', ['east']), stages: [{ eventId: 'a' }, { eventId: 'c' }, { eventId: 'b' }] },
    ],
  },
  {
    name: 'what only notes something is no release',
    steps: [step(99, { eventId: 'a', kind: 'noted' })],
    sightings: [seen('pay', '1.0', [[-2000, NOW]])],
    want: [],
  },
]

function scopeOf(attribute: string, values: readonly string[]) {
  return { selectors: [{ attribute, match: 'exact' as const, values }], weightPercent: undefined }
}

describe('releases', () => {
  test.each(cases)('$name', ({ steps = [], sightings, given, want }) => {
    const found = releasesOf(steps, sightings, given)
    expect(found).toMatchObject(want)
    expect(found).toHaveLength(want.length)
  })

  test.each(cases)('the order of what comes does not matter: $name', ({ steps = [], sightings, given }) => {
    const next = random(7)
    const want = releasesOf(steps, sightings, given)
    for (let round = 0; round < 10; round += 1) {
      const shuffled = [steps, sightings].map((list) =>
        list
          .map((one) => ({ one, key: next() }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ one }) => one),
      ) as [ReleaseStep[], VersionSighting[]]
      expect(releasesOf(shuffled[0], shuffled[1], given)).toEqual(want)
    }
  })
})

describe('a clock that is off', () => {
  const services = ['a', 'b', 'c']
  const sightings = services.flatMap((service) => [
    seen(service, '1.0', [[-2000, 110]]),
    seen(service, '2.0', [[100, NOW]]),
  ])
  const told = (seconds: number) =>
    releasesOf(
      services.map((service) => step(100 + seconds / 60, { eventId: service, service, receivedAt: at(103) })),
      sightings,
    )

  test('by two minutes is marked and corrected', () => {
    for (const release of told(-120)) {
      expect(release.remarks).toContain('skewed-clock')
      expect(release.startedAtMs).toBe(at(100))
    }
  })
  test('by twenty seconds is right', () => {
    for (const release of told(-20)) expect(release.remarks).not.toContain('skewed-clock')
  })
})

describe('ids', () => {
  const ids = (steps: readonly ReleaseStep[], given: Partial<ReconcileInput> = {}) =>
    releasesOf(steps, [OLD, NEW], given).map(({ id }) => id)

  test('stay when an event comes after the version was seen', () => {
    expect(ids([step(99, { eventId: 'a', receivedAt: at(104) })])).toEqual(ids([]))
  })
  test('stay when more steps come, also earlier ones', () => {
    const first = step(98, { eventId: 'b', kind: 'started', receivedAt: at(98.2) })
    const later = [
      step(90, { eventId: 'a', kind: 'requested', receivedAt: at(99) }),
      step(101, { eventId: 'c', kind: 'completed', receivedAt: at(101) }),
    ]
    expect(ids([first, ...later])).toEqual(ids([first]))
  })
  test('stay as time passes', () => {
    expect(ids([], { nowMs: at(NOW + 2000) })).toEqual(ids([]))
  })
})

describe('parameters', () => {
  const push = (minute: number, eventId: string, parameters: Record<string, string>) =>
    step(minute, {
      eventId,
      changeType: 'config',
      versionTo: '',
      configHash: eventId,
      kind: 'completed',
      parameters,
    })
  const changes = (...steps: readonly ReleaseStep[]) =>
    releasesOf(steps, [seen('pay', '1.0', [[-2000, NOW]])]).map(({ parameterChanges }) => parameterChanges)

  test('differ from what served before: changed, new, gone', () => {
    const found = changes(
      push(10, 'a', { limit: '100', old: 'x' }),
      push(20, 'b', { limit: '50', fresh: '"<b>' }),
    )
    expect(found[1]).toEqual([
      { name: 'fresh', before: undefined, after: '"<b>' },
      { name: 'limit', before: '100', after: '50' },
      { name: 'old', before: 'x', after: undefined },
    ])
  })
  test('that other pushes set are not gone', () => {
    expect(changes(push(10, 'a', { limit: '100' }), push(20, 'b', { fee: '1' }))[1]).toEqual([
      { name: 'fee', before: undefined, after: '1' },
    ])
  })
  test('of a release that was taken back served nobody', () => {
    const taken = step(15, {
      eventId: 'u',
      changeType: 'config',
      versionTo: '',
      configHash: 'b',
      kind: 'rolled_back',
    })
    const found = changes(
      push(10, 'a', { limit: '100' }),
      push(14, 'b', { limit: '0' }),
      taken,
      push(40, 'c', { limit: '90' }),
    )
    expect(found[2]).toEqual([{ name: 'limit', before: '100', after: '90' }])
  })
})

test('a month of two hundred releases a day is put together in time that grows with their number', () => {
  const count = 3000
  let compared = 0
  const steps = Array.from({ length: count }, (_, n) => {
    const service = `s${n % 200}`
    const minute = -n * 3
    return new Proxy(step(minute, { eventId: `e${n}`, service, versionTo: `2.${n}` }), {
      get(target, key: keyof ReleaseStep) {
        if (key === 'at') compared += 1
        return target[key]
      },
    })
  })
  const sightings = Array.from({ length: 200 }, (_, n) => seen(`s${n}`, '1.0', [[-20_000, NOW]]))
  expect(releasesOf(steps, sightings, { knownFromMs: T0_MS - 30 * DAY_MS - HOUR_MS })).toHaveLength(count)
  expect(compared).toBeLessThan(count * 2000)
})
