// What the correlation engine sees of a fault, against the real engine: hand-made traces through the ordinary writing path, derived
// by the deriver and asked straight from spans.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MINUTE_COLUMNS, MINUTE_QUESTIONS, type MinuteTable } from '../../ingest/derived/minute-questions.ts'
import { bind } from '../../ingest/store/bind.ts'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import type { Fault, FaultCase, TraceRows } from '../../query/blame/case.ts'
import { caseColumns, touchesOf } from '../../query/blame/case-columns.ts'
import { gatherCase } from '../../query/blame/gather.ts'
import { buildGatherMemory } from '../../query/blame/gather-memory.ts'
import { gatherContrast } from '../../query/blame/gather-contrast.ts'
import { caseDigest } from '../../query/faults/case-digest.ts'
import type { Release } from '../../query/releases/release.ts'
import { derive } from '../support/derive.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { writeMetrics } from '../support/write-metrics.ts'
import { writeTraces } from '../support/write-traces.ts'
import type { TreeNode } from '../support/trace-tree.ts'

const MINUTE_MS = 60_000
const CLIENT = 3
const HOSTILE = `'; DROP TABLE trace_paths_1m --`

let folder: string
let store: Store
const minute = Math.floor(Date.now() / MINUTE_MS) - 10
const at = (offset: number, ms = 1000) => (minute + offset) * MINUTE_MS + ms
const nowMs = at(5)

// One store for all: what a test wrote is gone before the next.
const WRITTEN = [
  'spans',
  'batches',
  'derivations',
  'error_signatures',
  'service_requests_1m',
  'service_edges_1m',
  'trace_paths_1m',
  'trace_failures_1m',
  'instance_requests_1m',
  'resources',
  'series',
  'samples_int',
  'samples_float',
]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surety-gather-'))
  store = await openEmbeddedStore(folder)
})
beforeEach(async () => {
  for (const table of WRITTEN) await store.command(`TRUNCATE TABLE ${table}`)
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const fault = (place: Partial<Fault['place']> = {}): Fault => ({
  id: 'f1',
  origin: 'slo',
  name: 'transfer',
  measure: 'errors',
  place: {
    service: 'gateway',
    operation: 'POST /transfer',
    txnCode: '',
    channel: '',
    site: '',
    region: '',
    branch: '',
    ...place,
  },
  alarmAtMs: at(4),
  endedAtMs: undefined,
})

const release = (service: string, versionTo: string, more: Partial<Release> = {}): Release => ({
  id: `${service}@${versionTo}`,
  changeType: 'code',
  service,
  target: '',
  toldService: '',
  system: '',
  environment: '',
  versionFrom: '1',
  versionTo,
  state: 'serving',
  isImplicit: false,
  startedAtMs: at(0),
  receivedAtMs: at(0),
  readyAtMs: at(0),
  readyFrom: 'traffic',
  endedAtMs: undefined,
  scope: { selectors: [], weightPercent: undefined },
  stages: [],
  orderId: '',
  vcsRevision: '',
  artifact: '',
  configHash: '',
  pipeline: '',
  actor: '',
  ticket: '',
  description: '',
  isReversible: true,
  parameterChanges: [],
  remarks: [],
  ...more,
})

type Shape = {
  readonly region?: string
  readonly teller?: string
  readonly ledger?: string
  readonly http?: number
  readonly limitHttp?: number
  readonly traffic?: string
  readonly traceState?: string
  readonly durationMs?: number
  readonly client?: string
}

/** gateway → transfer → ledger, and transfer → limit, the last step; each on its node. */
function transfer(shape: Shape = {}): TreeNode {
  const {
    region = 'east',
    teller = 'T1',
    ledger = '1',
    http = 200,
    limitHttp = 200,
    client = 'app-1',
  } = shape
  const state = shape.traceState === undefined ? {} : { traceState: shape.traceState }
  const common = shape.traffic === undefined ? {} : { 'bank.traffic': shape.traffic }
  const on = (node: string) => ({
    'k8s.node.name': node,
    'cloud.availability_zone': 'z1',
    'bank.site': 'sh-a',
    'k8s.cluster.name': 'c1',
  })
  return {
    service: 'gateway',
    name: 'POST /transfer',
    http,
    ...state,
    durationMs: shape.durationMs ?? 20,
    resource: on('n1'),
    attributes: {
      'bank.channel': 'mobile',
      'bank.region': region,
      'bank.txn.code': 'transfer.intra',
      'bank.client.version': client,
      ...common,
    },
    calls: [
      {
        service: 'transfer',
        resource: on('n2'),
        http: limitHttp >= 500 ? http : 200,
        ...state,
        attributes: { 'bank.teller': teller, ...common },
        calls: [
          {
            service: 'transfer',
            kind: CLIENT,
            resource: on('n2'),
            ...state,
            attributes: common,
            calls: [
              {
                service: 'ledger',
                version: ledger,
                resource: on('n3'),
                http: 200,
                ...state,
                attributes: common,
              },
            ],
          },
          {
            service: 'transfer',
            kind: CLIENT,
            resource: on('n2'),
            http: limitHttp,
            ...state,
            attributes: common,
            calls: [
              {
                service: 'limit',
                resource: on('n4'),
                http: limitHttp,
                ...state,
                attributes: common,
                ...(limitHttp >= 500 ? { exception: ['LimitError', 'no row 17'] as const } : {}),
              },
            ],
          },
        ],
      },
    ],
  }
}

const write = (offset: number, shapes: readonly Shape[]) =>
  writeTraces(
    store,
    shapes.map((shape, index) => ({ startMs: at(offset, 1000 + index * 10), root: transfer(shape) })),
  )
const gather = (releases: readonly Release[] = [], of: Fault = fault(), now = nowMs) =>
  gatherCase({ store }, of, releases, now)

function rowsOf({ rows, entries, cells, touches }: FaultCase, of: TraceRows = rows) {
  return Array.from({ length: of.length }, (_, row) => ({
    minute: (of.minute[row] ?? 0) - minute,
    entry: entries[of.entry[row] ?? -1]?.operation,
    region: cells[of.cell[row] ?? -1]?.region,
    teller: cells[of.cell[row] ?? -1]?.teller,
    touch: touches[of.touch[row] ?? -1]?.join(''),
    requests: of.requests[row],
    bad: (of.systemErrors[row] ?? 0) + (of.businessErrors[row] ?? 0) + (of.shed[row] ?? 0),
    slow: of.slow[row],
  }))
}

describe('how traces met the candidates', () => {
  test('a trace is counted by the versions it touched, whoever answered with an error', async () => {
    // Silent: the new ledger says 200, what comes after it fails.
    await write(2, [
      {},
      {},
      { ledger: '2', http: 500, limitHttp: 500 },
      { ledger: '2' },
      { ledger: '2', region: 'west' },
    ])
    await derive(store)
    const seen = await gather([
      release('ledger', '2'),
      release('notify', '2'),
      release('limit', '9', { versionFrom: '9', readyFrom: 'event', changeType: 'config' }),
    ])
    expect(seen.candidates.map(({ release: { id }, isVisible }) => [id, isVisible])).toEqual([
      ['ledger@2', true],
      ['limit@9', false],
      ['notify@2', true],
    ])
    expect(rowsOf(seen)).toEqual([
      {
        minute: 2,
        entry: 'POST /transfer',
        region: 'east',
        teller: '',
        touch: '110',
        requests: 2,
        bad: 0,
        slow: 0,
      },
      {
        minute: 2,
        entry: 'POST /transfer',
        region: 'east',
        teller: '',
        touch: '210',
        requests: 2,
        bad: 1,
        slow: 0,
      },
      {
        minute: 2,
        entry: 'POST /transfer',
        region: 'west',
        teller: '',
        touch: '210',
        requests: 1,
        bad: 0,
        slow: 0,
      },
    ])
    expect(seen.failures).toMatchObject([
      {
        minute: minute + 2,
        service: 'limit',
        version: '1',
        peer: '',
        node: 'n4',
        zone: 'z1',
        cluster: 'c1',
        count: 1,
      },
    ])
    expect(seen.signatures).toMatchObject([{ service: 'limit', type: 'LimitError', count: 1 }])
    // The same signature by both ways to make it.
    expect(seen.failures[0]?.signature).toBe(seen.signatures[0]?.signature)
    expect(seen.isAffected).toEqual([true])
  })

  test('open minutes say what derived ones will', async () => {
    await write(5, [{}, { ledger: '2', http: 500, limitHttp: 500 }, { ledger: '2', region: 'west' }])
    await write(4, [{}, { ledger: '2' }])
    const releases = [release('ledger', '2')]
    const open = await gather(releases)
    expect(open.rows.length).toBeGreaterThan(3)
    await derive(store)
    const derived = await gather(releases)
    // What calls are made of, and what is usual of a place, is known by derived minutes alone.
    const alike = (seen: FaultCase) => ({
      ...seen,
      queries: [],
      calls: [],
      peers: [],
      places: seen.places.map((place) => ({ ...place, slow: 0 })),
      // Three minutes are asked straight, though two of them had no spans that could be derived.
      knownFromMinute: undefined,
    })
    expect(alike(derived)).toEqual(alike(open))
  })

  test.each(['trace_paths_1m', 'trace_failures_1m', 'instance_requests_1m'] as const)(
    'a minute of %s is the same rows from spans and derived',
    async (table: MinuteTable) => {
      await write(3, [
        {},
        { ledger: '2', http: 500, limitHttp: 500 },
        { traffic: 'stress' },
        { traceState: 'ot=th:8' },
      ])
      await derive(store)
      const columns = MINUTE_COLUMNS[table].filter((column) => column !== 'example_trace').join(', ')
      const straight = bind(MINUTE_QUESTIONS[table], { from: (minute + 3) * 60, slice: 0, slices: 1 })
      const rows = await store.rows(`SELECT ${columns} FROM (${straight}) ORDER BY ALL`)
      expect(rows.length).toBeGreaterThan(0)
      expect(await store.rows(`SELECT ${columns} FROM ${table} ORDER BY ALL`)).toEqual(rows)
    },
  )

  test('tellers are told apart when a gray scope needs them', async () => {
    await write(3, [{ teller: 'T1' }, { teller: 'T2', ledger: '2' }])
    await derive(store)
    const scope = {
      selectors: [{ attribute: 'teller', match: 'prefix' as const, values: ['T2'] }],
      weightPercent: undefined,
    }
    const seen = await gather([release('ledger', '2', { scope })])
    expect(rowsOf(seen).map(({ teller, touch }) => [teller, touch])).toEqual([
      ['T1', '1'],
      ['T2', '2'],
    ])
    expect(seen.candidates[0]?.scopeCells?.map((cell) => seen.cells[cell]?.teller)).toEqual(['T2'])
  })

  test('a client application is met by its own version', async () => {
    await write(3, [{ client: 'app-2', http: 500 }, {}])
    await derive(store)
    const seen = await gather([
      release('ledger', '2'),
      release('', 'app-2', { changeType: 'client', target: 'mobile app' }),
    ])
    const names = seen.candidates.map(({ release: { id } }) => id)
    const place = names.indexOf('@app-2')
    expect(rowsOf(seen).map(({ touch, bad }) => [touch?.[place], bad])).toEqual(
      expect.arrayContaining([
        ['1', 0],
        ['2', 1],
      ]),
    )
    expect(seen.callers.filter(({ name }) => name === 'app-2')).toMatchObject([
      { kind: 'client_version', requests: 1, bad: 1 },
    ])
  })
})

describe('what counts', () => {
  test('live traffic alone; sampled traces for what they stand for', async () => {
    await write(3, [{}, { traffic: 'stress', http: 500 }, { traceState: 'ot=th:8' }])
    await derive(store)
    const seen = await gather()
    expect(rowsOf(seen).map(({ requests, bad }) => [requests, bad])).toEqual([[3, 0]])
    expect(seen.sampledRatio).toBeCloseTo(2 / 3)
    expect(seen.failures).toEqual([])
    expect(seen.places.filter(({ service }) => service === 'ledger')).toMatchObject([
      { requests: 3, node: 'n3' },
    ])
  })

  test('spans that come late change their minute when it is derived again', async () => {
    const whole = transfer({ ledger: '2' })
    const { traceTree } = await import('../support/trace-tree.ts')
    const { writeResources } = await import('../support/write-traces.ts')
    const tree = traceTree(at(2), whole)
    const isLate = (service: unknown) => service === 'ledger'
    await writeResources(
      store,
      tree.resources.filter(({ attributes }) => !isLate(attributes['service.name'])),
    )
    await derive(store, 9000)
    expect(rowsOf(await gather([release('ledger', '2')])).map(({ touch }) => touch)).toEqual(['0'])
    await new Promise((done) => setTimeout(done, 1100))
    await writeResources(
      store,
      tree.resources.filter(({ attributes }) => isLate(attributes['service.name'])),
    )
    await derive(store, 600_000)
    expect(
      rowsOf(await gather([release('ledger', '2')])).map(({ touch, requests }) => [touch, requests]),
    ).toEqual([['2', 1]])
  })

  test('a root that is a client, a root that is not there, and a second trace of a caller outside', async () => {
    const server = (name: string): TreeNode => ({ service: 'gateway', name, http: 200 })
    await writeTraces(store, [
      {
        startMs: at(3),
        root: {
          service: 'phone',
          kind: CLIENT,
          calls: [{ ...server('POST /transfer'), calls: [{ ...server('inner'), afterMs: 2 }] }],
        },
      },
      {
        startMs: at(3),
        root: { service: 'partner', isMissing: true, kind: CLIENT, calls: [server('POST /transfer')] },
      },
    ])
    await derive(store)
    const seen = await gather()
    expect(rowsOf(seen).map(({ entry, requests }) => [entry, requests])).toEqual([['POST /transfer', 2]])
  })

  test('who did not answer is the peer; a failure that was absorbed is not followed', async () => {
    const call = (http: number, peer: string): TreeNode => ({
      service: 'transfer',
      kind: CLIENT,
      http,
      attributes: { 'server.address': peer, 'db.system.name': 'oracle' },
    })
    await writeTraces(store, [
      {
        startMs: at(3),
        root: {
          service: 'gateway',
          name: 'POST /transfer',
          http: 500,
          calls: [
            { service: 'transfer', http: 500, calls: [{ ...call(503, HOSTILE), durationMs: 5 }] },
            { service: 'notify', http: 200, calls: [call(503, 'absorbed')] },
          ],
        },
      },
    ])
    await derive(store)
    const seen = await gather()
    expect(seen.failures).toMatchObject([{ service: 'transfer', peer: HOSTILE, count: 1 }])
    expect(seen.peers).toHaveLength(2)
    expect(seen.peers.find(({ peer }) => peer === HOSTILE)).toMatchObject({
      caller: 'transfer',
      kind: 'database',
      calls: 1,
      bad: 1,
    })
    expect(seen.places.filter(({ service }) => service === 'transfer')).toMatchObject([
      { requests: 1, bad: 0 },
    ])
  })

  test('slow is beyond the usual time of the entry', async () => {
    const older = fault()
    await write(
      -30,
      Array.from({ length: 20 }, () => ({ durationMs: 20 })),
    )
    await write(3, [{ durationMs: 25 }, { durationMs: 200 }])
    await derive(store)
    const seen = await gather([], older)
    expect(seen.slowMs[0]).toBeGreaterThan(28)
    expect(seen.slowMs[0]).toBeLessThan(40)
    expect(rowsOf(seen).map(({ minute: m, slow }) => [m, slow])).toEqual([
      [-30, 0],
      [3, 1],
    ])
  })

  test('the day before has the same entries', async () => {
    await writeTraces(store, [{ startMs: at(3) - 1440 * MINUTE_MS, root: transfer() }])
    await write(3, [{}])
    for (let round = 0; round < 2; round += 1) await derive(store, 1000_000)
    const seen = await gather([release('ledger', '2')])
    expect(
      seen.dayBefore &&
        rowsOf(seen, seen.dayBefore).map(({ minute: m, requests, touch }) => [m, requests, touch]),
    ).toEqual([[3 - 1440, 1, '1']])
  })
})

describe('one look after another', () => {
  const releases = [release('ledger', '2')]
  /** A store that counts what is asked. */
  const counting = () => {
    const asked = new Map<string, number>()
    const ask: Store['ask'] = (question, parameters, options) => {
      asked.set(question.name, (asked.get(question.name) ?? 0) + 1)
      return store.ask(question, parameters, options)
    }
    return { asked, store: { ask } }
  }

  test('what is remembered gives the same bytes as what is read, and minutes that are over are not read again', async () => {
    await writeTraces(store, [{ startMs: at(2) - 1440 * MINUTE_MS, root: transfer() }])
    await write(-20, [{}, { durationMs: 300 }])
    await write(2, [{ ledger: '2', http: 500, limitHttp: 500 }, {}, { region: 'west', ledger: '2' }])
    for (let round = 0; round < 2; round += 1) await derive(store, 1000_000)
    await write(4, [{ ledger: '2', http: 500, limitHttp: 500 }, { client: 'app-2' }])
    const memory = buildGatherMemory()
    const counted = counting()
    const parts = { store: counted.store, memory }
    const read = await gather(releases)
    const first = await gatherCase(parts, fault(), releases, nowMs)
    const second = await gatherCase(parts, fault(), releases, nowMs)
    expect(read.rows.length).toBeGreaterThan(4)
    expect([caseDigest(first), caseDigest(second)]).toEqual([caseDigest(read), caseDigest(read)])
    expect(JSON.stringify(second)).toBe(JSON.stringify(read))
    for (const name of ['failure-rows.sql', 'caller-rows.sql', 'place-rows.sql'])
      expect([name, counted.asked.get(name)]).toEqual([name, 1])
    // Today, and the day before.
    expect(counted.asked.get('trace-rows.sql')).toBe(2)
    // A release more: other questions.
    const more = [...releases, release('limit', '2')]
    expect(caseDigest(await gatherCase(parts, fault(), more, nowMs))).toBe(caseDigest(await gather(more)))
    expect(counted.asked.get('trace-rows.sql')).toBe(4)
  })

  test('late spans of a minute change the next look', async () => {
    const memory = buildGatherMemory()
    const look = () => gatherCase({ store, memory }, fault(), releases, nowMs)
    await write(-3, [{}])
    await write(2, [{}])
    await derive(store, 9000)
    const before = await look()
    await new Promise((done) => setTimeout(done, 1100))
    await write(2, [{ ledger: '2', http: 500, limitHttp: 500 }])
    await derive(store, 600_000)
    const after = await look()
    expect(rowsOf(before).map(({ minute: m, touch }) => [m, touch])).toEqual([
      [-3, '1'],
      [2, '1'],
    ])
    expect(rowsOf(after).map(({ minute: m, touch, bad }) => [m, touch, bad])).toEqual([
      [-3, '1', 0],
      [2, '1', 0],
      [2, '2', 1],
    ])
    expect(caseDigest(after)).toBe(caseDigest(await gather(releases)))
  })

  test('what is remembered has a bound: another fault’s minutes make room', async () => {
    await write(2, [{}, { ledger: '2' }])
    await derive(store)
    const counted = counting()
    const memory = buildGatherMemory(8)
    const look = (id: string) =>
      gatherCase({ store: counted.store, memory }, { ...fault(), id }, releases, nowMs)
    const first = await look('a')
    await look('b')
    expect(caseDigest(await look('a'))).toBe(caseDigest(first))
    expect(counted.asked.get('failure-rows.sql')).toBe(3)
  })

  test('a day after the alarm the newest hour is looked at, and of the hours between every tenth minute', async () => {
    const dayMinutes = 1440
    const tenth = minute - 600 - ((minute - 600) % 10) - minute
    for (const offset of [3 - dayMinutes, tenth, tenth + 1, 2]) await write(offset, [{ ledger: '2' }])
    for (let round = 0; round < 3; round += 1) await derive(store, 1000_000)
    const old = { ...fault(), alarmAtMs: at(4) - dayMinutes * MINUTE_MS }
    const seen = await gather(releases, old)
    expect(rowsOf(seen).map(({ minute: m, requests }) => [m, requests])).toEqual([
      [3 - dayMinutes, 1],
      [tenth, 1],
      [2, 1],
    ])
    expect(
      seen.places.filter(({ service }) => service === 'ledger').map(({ minute: m }) => m - minute),
    ).toEqual([3 - dayMinutes, tenth, 2])
    expect(seen.toMinute).toBe(minute + 6)
  })
})

describe('what traffic does not show', () => {
  test('a setting that is told for a region is met there from when it was ready, and nowhere else', async () => {
    await write(-5, [{}, { region: 'west' }])
    await write(3, [{}, { region: 'west' }])
    await derive(store)
    const told = { versionTo: '', versionFrom: '', readyFrom: 'event' as const, readyAtMs: at(1, 0) }
    const scope = {
      selectors: [{ attribute: 'bank.region', match: 'exact' as const, values: ['east'] }],
      weightPercent: undefined,
    }
    const seen = await gather([
      release('ledger', '', { ...told, id: 'limits', changeType: 'config', scope }),
      release('', '', { ...told, id: 'switch', changeType: 'flag' }),
    ])
    const indexOf = (id: string) => seen.candidates.findIndex((one) => one.release.id === id)
    const met = (id: string) => {
      const touches = touchesOf(caseColumns(seen).case, indexOf(id))
      return rowsOf(seen).map(({ minute: m, region }, row) => [m, region, touches[row]])
    }
    expect(met('limits')).toEqual([
      [-5, 'east', 1],
      [3, 'east', 2],
      [-5, 'west', 1],
      [3, 'west', 1],
    ])
    expect(met('switch')).toEqual([
      [-5, 'east', 1],
      [3, 'east', 2],
      [-5, 'west', 1],
      [3, 'west', 2],
    ])
  })
})

describe('bounds', () => {
  test('of a hundred releases the nearest of the services touched are candidates, and the note says how many are not', async () => {
    await write(3, [{ ledger: '2' }])
    await derive(store)
    const many = Array.from({ length: 100 }, (_, index) =>
      release(index === 99 ? 'ledger' : `other-${index}`, '2', { readyAtMs: at(0) - index * MINUTE_MS }),
    )
    const seen = await gather(many)
    expect(seen.candidates).toHaveLength(64)
    expect(seen.candidates[0]?.release.service).toBe('ledger')
    expect(seen.leftOut?.map(({ en }) => en)).toEqual(['36 releases further away are not looked at'])
  })

  test('an empty store gives an empty case', async () => {
    const seen = await gather([release('ledger', '2')])
    expect([seen.rows.length, seen.entries, seen.candidates.length]).toEqual([0, [], 1])
  })

  test('the same question has the same bytes', async () => {
    await write(3, [{ ledger: '2', http: 500, limitHttp: 500 }, {}, { region: 'west' }])
    await derive(store)
    const releases = [release('ledger', '2'), release('limit', '2')]
    expect(JSON.stringify(await gather(releases))).toBe(JSON.stringify(await gather(releases.toReversed())))
  })

  test('exemplars are of both sides, and queries can be asked again', async () => {
    const ids = await write(3, [{ ledger: '2', http: 500, limitHttp: 500 }, {}])
    await derive(store)
    const seen = await gather([release('ledger', '2')])
    expect(seen.exemplars).toEqual([{ failing: [ids[0]], healthy: [ids[1]] }])
    for (const { sql } of seen.queries ?? []) expect(await store.rows(sql)).not.toEqual([])
  })
})

describe('one release', () => {
  test('its traces, exposed and not, with latency and errors that are new', async () => {
    await write(-2, [{}])
    await write(2, [{}, { ledger: '2', durationMs: 300 }, { region: 'west', ledger: '2' }])
    await derive(store)
    const seen = await gatherContrast({ store }, release('ledger', '2'), {
      fromMs: at(-5, 0),
      toMs: at(5, 0),
    })
    const touches = Array.from(seen.rows.touch, (touch) => seen.touches[touch]?.[0])
    expect(touches.toSorted((a = 0, b = 0) => a - b)).toEqual([1, 1, 2, 2])
    expect(
      seen.latency.filter(({ touch, isAfter }) => touch === 2 && isAfter).map(({ count }) => count),
    ).toEqual([1, 1])
    expect(seen.served).toMatchObject([
      { minute: minute - 2, version: '1', requests: 1 },
      { minute: minute + 2, version: '1', requests: 1 },
      { minute: minute + 2, version: '2', requests: 2 },
    ])
    expect(seen.called.map(({ caller, calls }) => [caller, calls])).toEqual([
      ['transfer', 1],
      ['transfer', 3],
    ])
  })

  /** A pod of the ledger, as its runtime and as the kubelet tell of it. */
  const pod = (version: string, name: string) => ({
    service: 'ledger',
    version,
    resource: { 'k8s.pod.name': name },
    http: 200,
  })
  const callLedger = (version: string): TreeNode => ({
    service: 'gateway',
    name: 'POST /transfer',
    calls: [{ service: 'gateway', kind: CLIENT, calls: [pod(version, `ledger-${version}`)] }],
  })
  const traces = (offset: number, roots: readonly TreeNode[]) =>
    writeTraces(
      store,
      roots.map((root, number) => ({ startMs: at(offset, 1000 + number), root })),
    )
  const around = { fromMs: at(-5, 0), toMs: at(5, 0) }
  const ns = (offset: number, ms = 5000) => BigInt(at(offset, ms)) * 1_000_000n
  const seconds = (values: readonly (readonly [offset: number, value: number])[], mode: string) => ({
    name: 'process.cpu.time',
    unit: 's',
    temporality: 2 as const,
    isMonotonic: true,
    sum: values.map(([offset, value]) => ({
      atNs: ns(offset),
      startNs: ns(-60),
      value,
      attributes: { 'cpu.mode': mode },
    })),
  })

  test('CPU time of its versions, from counters of the processes, which may begin again', async () => {
    for (const offset of [1, 2, 3]) await traces(offset, ['1', '1', '1', '2'].map(callLedger))
    await derive(store)
    const told = (version: string) => ({ 'service.name': 'ledger', 'service.version': version })
    await writeMetrics(store, [
      metricRequest({ ...told('1'), 'service.instance.id': 'a' }, [
        seconds(
          [
            [0, 100],
            [1, 103],
            [2, 106],
            // Begins again.
            [3, 1],
          ],
          'user',
        ),
        seconds(
          [
            [0, 10],
            [1, 11],
            [2, 12],
            [3, 12],
          ],
          'system',
        ),
      ]),
      metricRequest({ ...told('2'), 'service.instance.id': 'b' }, [
        seconds(
          [
            [0, 5],
            [1, 7],
            [2, 9],
            [3, 11],
          ],
          'user',
        ),
      ]),
      // Another service's, and what tells the same time otherwise.
      metricRequest({ 'service.name': 'limit', 'service.version': '2' }, [seconds([[2, 50]], 'user')]),
      metricRequest(told('2'), [{ name: 'container.cpu.usage', gauge: [{ atNs: ns(2), value: 9 }] }]),
    ])
    const { resources } = await gatherContrast({ store }, release('ledger', '2'), around)
    // The first minute of a release is left out: two minutes are compared.
    expect(resources).toEqual([
      { version: '1', cpuSeconds: 3 + 3 + 1 + 1 + 1, requests: 9, instanceMinutes: 3 },
      { version: '2', cpuSeconds: 6, requests: 3, instanceMinutes: 3 },
    ])
  })

  test('a kubelet’s gauges of pods have the version that traces of the pod tell', async () => {
    for (const offset of [2, 3]) await traces(offset, ['1', '2'].map(callLedger))
    await derive(store)
    const usage = (version: string, cores: readonly number[]) =>
      metricRequest({ 'k8s.pod.name': `ledger-${version}`, 'k8s.container.name': 'app' }, [
        {
          name: 'container.cpu.usage',
          gauge: cores.map((value, number) => ({ atNs: ns(2, 10_000 + 20_000 * number), value })),
        },
      ])
    await writeMetrics(store, [usage('1', [0.2, 0.4]), usage('2', [0.5])])
    const { resources } = await gatherContrast({ store }, release('ledger', '2'), around)
    expect(resources.map(({ version, requests }) => [version, requests])).toEqual([
      ['1', 1],
      ['2', 1],
    ])
    expect(resources[0]?.cpuSeconds).toBeCloseTo(18)
    expect(resources[1]?.cpuSeconds).toBeCloseTo(30)
  })

  test('metrics that know one version alone compare nothing', async () => {
    await traces(2, ['1', '2'].map(callLedger))
    await derive(store)
    await writeMetrics(store, [
      metricRequest({ 'service.name': 'ledger', 'service.version': '2' }, [seconds([[2, 5]], 'user')]),
    ])
    expect((await gatherContrast({ store }, release('ledger', '2'), around)).resources).toEqual([])
  })

  test('calls that nobody answered are known by the name of the far side', async () => {
    const call = (address: string): TreeNode => ({
      service: 'gateway',
      name: 'POST /transfer',
      calls: [{ service: 'gateway', kind: CLIENT, attributes: { 'server.address': address } }],
    })
    await traces(2, [callLedger('2'), call('ledger'), call('ledger.core.svc'), call('ledger-mirror')])
    await derive(store)
    const { called, served } = await gatherContrast({ store }, release('ledger', '2'), around)
    expect(called).toEqual([{ minute: minute + 2, caller: 'gateway', calls: 3, bad: 0 }])
    expect(served).toMatchObject([{ requests: 1 }])
  })

  test('its errors with what is known of them: of versions before, and of releases before', async () => {
    const failing = (version: string, message: string): TreeNode => ({
      ...callLedger(version),
      calls: [
        {
          service: 'gateway',
          kind: CLIENT,
          calls: [{ ...pod(version, 'p'), http: 500, exception: ['LedgerError', message] }],
        },
      ],
    })
    await traces(-180, [failing('0', 'connection refused')])
    await traces(-90, [failing('1', 'connection refused')])
    await traces(2, [failing('2', 'connection refused'), failing('2', 'no such column')])
    await derive(store)
    const earlier = [
      release('ledger', '0', { readyAtMs: at(-181) }),
      release('ledger', '1', { readyAtMs: at(-91) }),
    ]
    const ledger = [...earlier, release('ledger', '2'), release('limit', '9', { readyAtMs: at(-91) })]
    const seen = await gatherContrast({ store }, release('ledger', '2'), around, ledger)
    expect(seen.newSignatures.map(({ message }) => message)).toEqual(['no such column'])
    expect(seen.knownSignatures?.map(({ message }) => message)).toEqual(['connection refused'])
    const pastOf = (id: string | undefined) => seen.signaturePasts?.find(({ signature }) => signature === id)
    expect(pastOf(seen.newSignatures[0]?.signature)).toMatchObject({ releases: 2, atReleases: 0 })
    expect(pastOf(seen.knownSignatures?.[0]?.signature)).toMatchObject({ releases: 2, atReleases: 2 })
  })
})
