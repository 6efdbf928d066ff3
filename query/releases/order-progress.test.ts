import { describe, expect, test } from 'vitest'
import { UNTOLD, HOUR_MS, MINUTE_MS, T0_MS } from '../../test/support/releases.ts'
import { ReleaseOrderSpec } from '../registry/kinds/release-order.ts'
import { orderProgress, type OrderProgress } from './order-progress.ts'
import { orderHeadline, orderSentences } from './order-words.ts'
import type { Release } from './release.ts'
import { EVERYBODY } from './scope-width.ts'

const at = (minute: number) => T0_MS + minute * MINUTE_MS
const iso = (minute: number) => new Date(at(minute)).toISOString()
/** The window: eight hours from T0. */
const WINDOW = { from: iso(0), to: iso(480) }
const scopeOf = (attribute: string, ...values: string[]) => ({
  selectors: [{ attribute, match: 'exact' as const, values }],
  weightPercent: undefined,
})

function release(service: string, minute: number, given: Partial<Release> = {}): Release {
  return {
    id: `${service}-${minute}`,
    changeType: 'code',
    service,
    target: '',
    toldService: '',
    system: 'core',
    environment: 'prod',
    versionFrom: '1.0',
    versionTo: '2.0',
    state: 'completed',
    isImplicit: false,
    startedAtMs: at(minute - 5),
    receivedAtMs: at(minute - 5),
    readyAtMs: at(minute),
    readyFrom: 'traffic',
    endedAtMs: at(minute + 10),
    scope: EVERYBODY,
    stages: [],
    ...UNTOLD,
    ...given,
  }
}

const specOf = (spec: object) => ReleaseOrderSpec.parse({ window: WINDOW, systems: ['core'], ...spec })

function progressOf(
  spec: object,
  releases: readonly Release[],
  { minute = 600, others = [] as readonly object[] } = {},
): OrderProgress {
  const orders = [spec, ...others].map((one, place) => ({ name: `night-${place}`, spec: specOf(one) }))
  const [first] = orderProgress(orders, releases, {
    nowMs: at(minute),
    systems: new Set(['core']),
    namesOf: (service) => (service === '支付' ? ['支付', 'pay'] : []),
  })
  if (first === undefined) throw new Error('no progress of the first order')
  return first
}

const TWO = {
  items: [
    { service: 'pay', version: '2.0' },
    { service: 'ledger', version: '2.0', group: 2 },
  ],
}

describe('an order beside what happened', () => {
  test.each([
    {
      name: 'before the window everything is planned',
      spec: TWO,
      releases: [],
      minute: -60,
      want: { state: 'planned', flags: [], items: [{ state: 'planned' }, { state: 'planned' }] },
    },
    {
      name: 'all items out in time and in order are done',
      spec: TWO,
      releases: [release('pay', 10), release('ledger', 30)],
      want: { state: 'done', flags: [], items: [{ state: 'done' }, { state: 'done' }] },
    },
    {
      name: 'a release that nobody told counts as well as one that was',
      spec: { items: [{ service: 'pay', version: '2.0' }] },
      releases: [release('pay', 10, { isImplicit: true })],
      want: { state: 'done' },
    },
    {
      name: 'a name of the registry is the service that telemetry shows',
      spec: { items: [{ service: '支付', version: '2.0' }] },
      releases: [release('pay', 10)],
      want: { state: 'done' },
    },
    {
      name: 'what is not there when the window is over is missing',
      spec: TWO,
      releases: [release('pay', 10)],
      want: { state: 'not-done', flags: ['missing'], items: [{ state: 'done' }, { state: 'missing' }] },
    },
    {
      name: 'what serves after the window is late',
      spec: { items: [{ service: 'pay', version: '2.0' }] },
      releases: [release('pay', 500)],
      want: { flags: ['late'], items: [{ state: 'done', flags: ['late'] }] },
    },
    {
      name: 'another version than was planned is told',
      spec: { items: [{ service: 'pay', version: '2.1' }] },
      releases: [release('pay', 10)],
      want: { flags: ['wrong-version'], items: [{ state: 'done' }] },
    },
    {
      name: 'a group that serves before the group before it is out of order',
      spec: TWO,
      releases: [release('pay', 60), release('ledger', 30)],
      want: { flags: ['out-of-order'], items: [{ flags: [] }, { overtook: [{ service: 'pay' }] }] },
    },
    {
      name: 'parallel groups have no order',
      spec: { ...TWO, groups: 'parallel' },
      releases: [release('pay', 60), release('ledger', 30)],
      want: { flags: [] },
    },
    {
      name: 'what an item comes after must serve first',
      spec: { items: [{ service: 'pay', after: ['ledger'] }, { service: 'ledger' }] },
      releases: [release('pay', 10)],
      minute: 20,
      want: { flags: ['out-of-order'] },
    },
    {
      name: 'a release in the window that no order names is extra',
      spec: { items: [{ service: 'pay' }] },
      releases: [release('pay', 10), release('limit', 30), release('other', 30, { system: 'else' })],
      want: { flags: ['extra-release'], extra: [{ service: 'limit' }] },
    },
    {
      name: 'what another order names is not extra',
      spec: { items: [{ service: 'pay' }] },
      releases: [release('pay', 10), release('limit', 30)],
      others: [{ items: [{ service: 'limit' }] }],
      want: { flags: [], extra: [] },
    },
    {
      name: 'a rollback that traffic shows is no extra release',
      spec: { items: [{ service: 'pay', version: '2.0' }] },
      releases: [
        release('pay', 10, { state: 'rolled_back' }),
        release('pay', 40, { versionFrom: '2.0', versionTo: '1.0', isImplicit: true }),
      ],
      want: { state: 'taken-back', extra: [] },
    },
    {
      name: 'of two tries the one that stands counts',
      spec: { items: [{ service: 'pay', version: '2.0' }] },
      releases: [release('pay', 10, { state: 'aborted' }), release('pay', 90)],
      want: { state: 'done', extra: [], items: [{ release: { id: 'pay-90' } }] },
    },
    {
      name: 'systems that nobody registered are named',
      spec: { systems: ['core', 'croe'], items: [{ service: 'pay', system: 'ghost' }] },
      releases: [release('pay', 10)],
      want: { flags: ['unknown-system'], unknownSystems: ['croe', 'ghost'] },
    },
    {
      name: 'a gray item that serves whom it was to serve is done',
      spec: {
        items: [{ service: 'pay', scope: { selectors: [{ attribute: 'branch', values: ['0531'] }] } }],
      },
      releases: [
        release('pay', 10, { state: 'serving', endedAtMs: undefined, scope: scopeOf('branch', '0531') }),
      ],
      want: { state: 'done', flags: [] },
    },
    {
      name: 'a gray item that serves more than it was to is told',
      spec: {
        items: [{ service: 'pay', scope: { selectors: [{ attribute: 'branch', values: ['0531'] }] } }],
      },
      releases: [
        release('pay', 10, { state: 'serving', endedAtMs: undefined, scope: scopeOf('region', 'east') }),
      ],
      want: { flags: ['wider-than-planned'] },
    },
    {
      name: 'a gray scope that is open for longer than the order allows is told',
      spec: { grayMaxDays: 2, items: [{ service: 'pay' }] },
      releases: [release('pay', 10, { state: 'serving', endedAtMs: undefined })],
      minute: 3 * 24 * 60,
      want: { flags: ['left-open'], items: [{ state: 'running' }] },
    },
  ])('$name', ({ spec, releases, want, minute, others }) => {
    expect(
      progressOf(spec, releases, { ...(minute === undefined ? {} : { minute }), others: others ?? [] }),
    ).toMatchObject(want)
  })
})

describe('all or nothing', () => {
  const spec = { ...TWO, transactional: true }

  test('some taken back while others serve is flagged at once, with what to do', () => {
    const progress = progressOf(spec, [release('pay', 10), release('ledger', 30, { state: 'rolled_back' })], {
      minute: 50,
    })
    expect(progress.flags[0]).toBe('half-rolled-back')
    expect(orderHeadline(progress).zh).toBe('部分回退：新旧版本同时在线。共 2 项：完成 1 项，已回退 1 项。')
    expect(orderSentences(progress)[0]?.text).toEqual({
      en: 'All or nothing, yet ledger 2.0 was taken back while pay 2.0 still serves: take back the rest, or release again.',
      zh: '该发布单要求全部成功或全部回退，但 ledger 2.0 已回退，pay 2.0 仍在线：请回退其余各项，或重新发布。',
    })
  })
  test('all of it taken back is not', () => {
    const back = { state: 'rolled_back' } as const
    expect(progressOf(spec, [release('pay', 10, back), release('ledger', 30, back)])).toMatchObject({
      state: 'taken-back',
      flags: [],
    })
  })
  test('half of it when the window is over is', () => {
    expect(progressOf(spec, [release('pay', 10)]).flags).toEqual(['half-done', 'missing'])
  })
  test('an order that is not all or nothing may be half of it', () => {
    const progress = progressOf(TWO, [release('pay', 10), release('ledger', 30, { state: 'rolled_back' })])
    expect(progress.flags).toEqual([])
  })
})

describe('gray steps', () => {
  const spec = {
    window: { from: iso(0), to: iso(10 * 24 * 60) },
    items: [
      {
        service: 'pay',
        steps: [
          { at: iso(60), scope: { selectors: [{ attribute: 'teller', values: ['T1'] }] } },
          { at: iso(120), scope: { selectors: [{ attribute: 'branch', values: ['0531'] }] } },
          { at: iso(240), scope: { selectors: [{ attribute: 'region', values: ['east'] }] } },
          { at: iso(480), scope: {} },
        ],
      },
    ],
  }
  const stage = (minute: number, scope: Release['scope']) => ({
    kind: 'step' as const,
    atMs: at(minute),
    scope,
    source: '/ci',
    eventId: String(minute),
  })
  const statesOf = (minute: number, ...stages: Release['stages']) => {
    const open = {
      state: 'serving',
      endedAtMs: undefined,
      stages,
      scope: stages.at(-1)?.scope ?? EVERYBODY,
    } as const
    const progress = progressOf(spec, [release('pay', 30, open)], { minute })
    return [progress.items[0]?.steps.map(({ state }) => state), progress.flags]
  }

  test('made in time are done, those to come are planned', () => {
    const told = [stage(30, scopeOf('teller', 'T1')), stage(100, scopeOf('branch', '0531', '0532'))]
    expect(statesOf(200, ...told)).toEqual([['done', 'done', 'planned', 'planned'], []])
  })
  test('that are not made are late', () => {
    expect(statesOf(300, stage(30, scopeOf('teller', 'T1')))).toEqual([
      ['done', 'late', 'late', 'planned'],
      ['gray-not-as-planned'],
    ])
  })
  test('that are left out are skipped: from one teller to a region', () => {
    const told = [stage(30, scopeOf('teller', 'T1')), stage(100, scopeOf('region', 'east'))]
    expect(statesOf(200, ...told)).toEqual([['done', 'skipped', 'done', 'planned'], ['gray-not-as-planned']])
  })
})

test('every flag has a sentence in both languages, and names stay as they were given', () => {
  const hostile = `<b onmouseover="x">'支付'</b>`
  const spec = {
    items: [{ service: hostile, version: '3' }, { service: 'gone' }],
    systems: ['core', hostile],
    transactional: true,
  }
  const progress = progressOf(spec, [release(hostile, 500), release('limit', 10)])
  const sentences = orderSentences(progress)
  expect(new Set(sentences.map(({ flag }) => flag))).toEqual(new Set(progress.flags))
  for (const { text } of sentences) {
    expect(text.en).not.toBe('')
    expect(text.zh).toMatch(/[\u4e00-\u9fff]/)
  }
  expect(sentences.map(({ text }) => text.en).join('\n')).toContain(hostile)
})

test('days instead of a window last from midnight to midnight of the zone', () => {
  const [progress] = orderProgress(
    [
      {
        name: 'n',
        spec: ReleaseOrderSpec.parse({ dates: ['2026-10-21', '2026-10-20'], items: [{ service: 'pay' }] }),
      },
    ],
    [],
    { nowMs: T0_MS, systems: new Set(), namesOf: () => [] },
  )
  expect(progress?.window).toEqual({ fromMs: T0_MS - 8 * HOUR_MS, toMs: T0_MS + 40 * HOUR_MS })
})
