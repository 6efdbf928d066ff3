// PetShop (Amazon, CC BY 4.0): 68 real faults of a shop whose causes are pushed parameters, deployments or load, as metric rows
// without versions or traces: the hard case, a full rollout without a control group. The true change and innocent ones are laid over
// it as events; on two days without faults there are innocent ones alone.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type {
  Candidate,
  Fault,
  FaultCase,
  FaultMeasure,
  PlaceRow,
  Touch,
  FailureRow,
  PeerRow,
} from '../../query/blame/case.ts'
import { detect } from '../../query/blame/detect.ts'
import type { Release } from '../../query/releases/release.ts'
import { GrowingRows } from './columns.ts'
import type { Judge } from './judge.ts'
import { Random, seedOf } from './random.ts'

const MINUTE_MS = 60_000
const STEP_MS = 5 * MINUTE_MS
const BEFORE_STEPS = 18
const TARGET = 'PetSite'
const SLOW_FACTOR = 1.5
/** Services of the shop's own that can be released. */
const RELEASED =
  /^(PetSite|PetSearch_AWS::ECS|payforadoption|petlistadoptions_AWS|lambda|PetAdoptionStatusUpdater)/

/** One node in one five-minute row. */
type Sample = {
  readonly requests: number
  readonly bad: number
  readonly quantiles: readonly (readonly [number, number])[]
}
type Row = { readonly atMs: number; readonly nodes: ReadonlyMap<string, Sample> }

export type PetShopOutcome = {
  readonly name: string
  readonly changeType: string
  readonly verdict: string
  /** Place of the true change; Infinity without one. */
  readonly rank: number
}

export type PetShopReport = {
  readonly outcomes: readonly PetShopOutcome[]
  readonly days: {
    readonly hours: number
    readonly releases: number
    readonly alarms: number
    readonly blames: number
  }
}

/** @param folder  of the data set; @throws Error naming the file when it is not there */
export function runPetShop(folder: string, judge: Judge, seed = 1): PetShopReport {
  if (!existsSync(join(folder, 'labels.csv')))
    throw new Error(`${folder}: holds no labels.csv of PetShop; give the directory of the data set.`)
  const [, ...labels] = readFileSync(join(folder, 'labels.csv'), 'utf8').trim().split('\n').map(cellsOf)
  const outcomes = labels.map((label): PetShopOutcome => {
    const [
      scenario = '',
      split = '',
      issue = '',
      onsetS = '',
      ,
      ,
      metric = '',
      ,
      root = '',
      changeType = '',
    ] = label
    const random = new Random(seed, seedOf(`${scenario}/${split}/${issue}`))
    const rows = readRows(join(folder, scenario, split, `issue_${issue}`, 'metrics.csv'))
    const graph = readGraph(join(folder, scenario, 'graph.csv'))
    const onsetMs = Number(onsetS) * 1000
    const history = historyOf(folder, scenario, rows, random)
    const truth =
      changeType === 'load'
        ? undefined
        : release(root, changeType, onsetMs - random.between(1, 10) * MINUTE_MS)
    const others = [...graph.keys()].filter((node) => RELEASED.test(node) && node !== root)
    const innocents = Array.from({ length: random.whole(6) }, () =>
      release(
        random.pick(others),
        random.pick(['config', 'deploy']),
        onsetMs - (random.chance(0.5) ? random.between(-5, 5) : random.logBetween(5, 24 * 60)) * MINUTE_MS,
      ),
    )
    const fault: Fault = {
      id: `${scenario}-${split}-${issue}`,
      origin: 'external',
      name: metric,
      measure: metric === 'latency' ? 'latency' : 'errors',
      place: {
        service: TARGET,
        operation: TARGET,
        txnCode: '',
        channel: '',
        site: '',
        region: '',
        branch: '',
      },
      // Noticed by the row that has the onset.
      alarmAtMs: (rows[1]?.atMs ?? 0) + STEP_MS,
      endedAtMs: undefined,
    }
    const all = [...innocents, ...(truth === undefined ? [] : [truth])]
    const judgement = judge.judge(
      caseOf(graph, history, rows, fault, all, (rows.at(-1)?.atMs ?? 0) + STEP_MS),
    )
    const rank = truth === undefined ? -1 : judgement.ranked.findIndex((one) => one.release === truth.id)
    return { name: fault.id, changeType, verdict: judgement.verdict, rank: rank < 0 ? Infinity : rank + 1 }
  })
  return { outcomes, days: daysOf(folder, judge, seed) }
}

/** Two days of each scenario on which nothing was broken, with a few releases a day. */
function daysOf(folder: string, judge: Judge, seed: number): PetShopReport['days'] {
  const total = { hours: 0, releases: 0, alarms: 0, blames: 0 }
  for (const scenario of ['low_traffic', 'high_traffic']) {
    const path = join(folder, scenario, 'noissue', 'metrics.csv.gz')
    if (!existsSync(path)) continue
    const rows = readRows(path)
    const graph = readGraph(join(folder, scenario, 'graph.csv'))
    const random = new Random(seed, seedOf(scenario))
    const nodes = [...graph.keys()].filter((node) => RELEASED.test(node))
    const first = rows[0]?.atMs ?? 0
    const hours = (rows.length * STEP_MS) / 3_600_000
    const releases = Array.from({ length: Math.round(hours / 3) }, () =>
      release(
        random.pick(nodes),
        random.pick(['config', 'deploy']),
        first + random.next() * hours * 3_600_000,
      ),
    )
    total.hours += hours
    total.releases += releases.length
    let quietUntil = 0
    for (let at = BEFORE_STEPS; at < rows.length; at += 1) {
      const row = rows[at]
      if (row === undefined || row.atMs < quietUntil) continue
      const measure = deviates(rows.slice(at - BEFORE_STEPS, at + 1))
      if (measure === undefined) continue
      total.alarms += 1
      quietUntil = row.atMs + 12 * STEP_MS
      const nowMs = row.atMs + STEP_MS
      const fault: Fault = {
        id: `${scenario}-${String(at)}`,
        origin: 'detector',
        name: '',
        measure,
        place: {
          service: TARGET,
          operation: TARGET,
          txnCode: '',
          channel: '',
          site: '',
          region: '',
          branch: '',
        },
        alarmAtMs: nowMs,
        endedAtMs: undefined,
      }
      const known = releases.filter(({ startedAtMs }) => startedAtMs <= nowMs)
      const seen = caseOf(graph, rows.slice(at - BEFORE_STEPS, at), [row], fault, known, nowMs)
      if (judge.judge(seen).verdict === 'blamed') total.blames += 1
    }
  }
  return total
}

function deviates(rows: readonly Row[]): FaultMeasure | undefined {
  const minutes = perMinute(rows, TARGET, usualSlowS(rows.slice(0, -1), TARGET))
  const [found] = detect({
    stepMs: MINUTE_MS,
    startMs: rows[0]?.atMs ?? 0,
    requests: minutes.map(({ requests }) => requests),
    bad: minutes.map(({ bad }) => bad),
    slow: minutes.map(({ slow }) => slow),
  })
  return found?.measure === 'requests_lost' ? undefined : found?.measure
}

function release(service: string, kind: string, atMs: number): Release {
  const isDeploy = kind === 'deploy'
  const at = Math.round(atMs)
  return {
    id: `${service}@${String(at)}`,
    changeType: isDeploy ? 'code' : 'config',
    service,
    target: '',
    toldService: '',
    system: '',
    environment: '',
    versionFrom: '',
    versionTo: '',
    state: 'completed',
    isImplicit: false,
    startedAtMs: at,
    receivedAtMs: at,
    readyAtMs: at,
    readyFrom: 'event',
    endedAtMs: at,
    scope: { selectors: [], weightPercent: undefined },
    stages: [
      {
        kind: 'completed',
        atMs: at,
        scope: { selectors: [], weightPercent: undefined },
        source: 'petshop',
        eventId: String(at),
      },
    ],
    orderId: '',
    vcsRevision: '',
    artifact: '',
    configHash: isDeploy ? '' : String(at),
    pipeline: '',
    actor: '',
    ticket: '',
    description: '',
    isReversible: true,
    parameterChanges: [],
    remarks: [],
  }
}

type Minute = {
  readonly atMs: number
  readonly requests: number
  readonly bad: number
  readonly slow: number
}

/** A row's sums spread over its five minutes. */
function perMinute(rows: readonly Row[], node: string, slowS: number): Minute[] {
  return rows.flatMap(({ atMs, nodes }) => {
    const sample = nodes.get(node)
    return Array.from({ length: 5 }, (_, minute) => ({
      atMs: atMs + minute * MINUTE_MS,
      requests: (sample?.requests ?? 0) / 5,
      bad: (sample?.bad ?? 0) / 5,
      slow: ((sample?.requests ?? 0) * slowShare(sample, slowS)) / 5,
    }))
  })
}

function usualSlowS(rows: readonly Row[], node: string): number {
  const found = rows
    .map(({ nodes }) => nodes.get(node)?.quantiles.find(([level]) => level === 0.95)?.[1])
    .filter((value) => value !== undefined)
    .toSorted((a, b) => a - b)
  return SLOW_FACTOR * (found[Math.floor(found.length / 2)] ?? Infinity)
}

/** Share of requests that took longer, between the known quantiles on a logarithmic scale. */
function slowShare(sample: Sample | undefined, slowS: number): number {
  const known = sample?.quantiles ?? []
  let before: readonly [number, number] | undefined
  for (const [level, seconds] of known) {
    if (seconds >= slowS) {
      if (before === undefined) return 1 - level / 2
      const width = Math.log(seconds / Math.max(1e-6, before[1]))
      const part = width > 0 ? Math.log(slowS / Math.max(1e-6, before[1])) / width : 1
      return 1 - (before[0] + (level - before[0]) * part)
    }
    before = [level, seconds]
  }
  return known.length === 0 ? 0 : 0.005
}

function caseOf(
  graph: ReadonlyMap<string, readonly string[]>,
  history: readonly Row[],
  rows: readonly Row[],
  fault: Fault,
  releases: readonly Release[],
  nowMs: number,
): FaultCase {
  const all = [...history, ...rows].filter(({ atMs }) => atMs + STEP_MS <= nowMs)
  const callers = [...graph].filter(([, callees]) => callees.length > 0).map(([node]) => node)
  const entries = [
    TARGET,
    ...callers.filter((node) => node !== TARGET && RELEASED.test(node) && !below(graph, TARGET).has(node)),
  ]
  const candidates = releases
    .filter(({ startedAtMs }) => startedAtMs <= nowMs && startedAtMs >= fault.alarmAtMs - 72 * 3_600_000)
    .map((one): Candidate => ({
      release: one,
      isVisible: false,
      scopeCells: undefined,
      exposure: [],
      isBeingRolledBack: false,
    }))
  const touches = entries.map((entry) => {
    const reached = below(graph, entry)
    return candidates.map(({ release: one }): Touch => (reached.has(one.service) ? 1 : 0))
  })
  const trace = new GrowingRows()
  const counts = new Float64Array(6)
  const usual = new Map([...graph.keys()].map((node) => [node, usualSlowS(history, node)]))
  entries.forEach((entry, index) => {
    for (const { atMs, requests, bad, slow } of perMinute(all, entry, usual.get(entry) ?? Infinity)) {
      if (requests === 0) continue
      counts.set([requests, bad, 0, 0, 0, slow])
      trace.push(atMs / MINUTE_MS, index, 0, index, counts, 0)
    }
  })
  const places: PlaceRow[] = []
  const peers: PeerRow[] = []
  const failures: FailureRow[] = []
  for (const row of all) {
    const own = ownOf(graph, row, usual)
    for (const [node, { requests, bad, slow }] of own)
      for (let minute = 0; minute < 5; minute += 1) {
        const at = row.atMs / MINUTE_MS + minute
        places.push({
          minute: at,
          service: node,
          version: '',
          site: '',
          zone: '',
          cluster: '',
          node: '',
          requests: requests / 5,
          bad: bad / 5,
          slow: slow / 5,
        })
        if (!/Database|DynamoDB::Table/.test(node)) continue
        const caller = [...graph].find(([, callees]) => callees.includes(node))?.[0]
        if (caller === undefined) continue
        peers.push({
          minute: at,
          caller,
          callerVersion: '',
          peer: node,
          kind: 'database',
          calls: requests / 5,
          bad: bad / 5,
          slow: slow / 5,
        })
      }
    // The target's failures began where own ones are.
    const target = row.nodes.get(TARGET)?.bad ?? 0
    const sum = [...own.values()].reduce((total, { bad }) => total + bad, 0)
    if (target === 0 || sum === 0) continue
    for (const [node, { bad }] of own) {
      if (bad === 0) continue
      for (let minute = 0; minute < 5; minute += 1)
        failures.push({
          minute: row.atMs / MINUTE_MS + minute,
          entry: 0,
          cell: 0,
          service: node,
          version: '',
          operation: node,
          peer: '',
          site: '',
          zone: '',
          cluster: '',
          node: '',
          signature: '',
          count: (target * bad) / sum / 5,
        })
    }
  }
  return {
    fault,
    nowMs,
    fromMinute: (all[0]?.atMs ?? 0) / MINUTE_MS,
    toMinute: Math.floor(nowMs / MINUTE_MS),
    clockSlackMs: STEP_MS,
    sampledRatio: 1,
    entries: entries.map((service) => ({ service, operation: service, txnCode: '' })),
    slowMs: entries.map((entry) => (usual.get(entry) ?? 1) * 1000),
    cells: [{ channel: '', site: '', region: '', branch: '', teller: '' }],
    candidates,
    touches,
    rows: trace.view(0, trace.length),
    dayBefore: undefined,
    failures,
    places,
    peers,
    callers: [],
    signatures: [],
    signaturePasts: [],
    events: [],
    calls: [...graph].flatMap(([caller, callees]) => callees.map((callee) => [caller, callee] as const)),
    systems: {},
    isAffected: entries.map((entry) => entry === TARGET),
  }
}

/** What went wrong at each node and at none that it calls. */
function ownOf(graph: ReadonlyMap<string, readonly string[]>, row: Row, usual: ReadonlyMap<string, number>) {
  const slowOf = (node: string) => {
    const sample = row.nodes.get(node)
    return (sample?.requests ?? 0) * slowShare(sample, usual.get(node) ?? Infinity)
  }
  return new Map(
    [...row.nodes].map(([node, { requests, bad }]) => {
      const callees = graph.get(node) ?? []
      const sum = (of: (callee: string) => number) => callees.reduce((total, callee) => total + of(callee), 0)
      return [
        node,
        {
          requests,
          bad: Math.max(0, bad - sum((callee) => row.nodes.get(callee)?.bad ?? 0)),
          slow: Math.max(0, slowOf(node) - sum(slowOf)),
        },
      ]
    }),
  )
}

function below(graph: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const found = new Set([from])
  for (const node of found) for (const callee of graph.get(node) ?? []) found.add(callee)
  return found
}

/** An hour and a half before: of the days without faults where there are some, at any time of theirs; then the clean row. */
function historyOf(folder: string, scenario: string, rows: readonly Row[], random: Random): Row[] {
  const [clean] = rows
  if (clean === undefined) return []
  const path = join(folder, scenario, 'noissue', 'metrics.csv.gz')
  const from = existsSync(path) ? readRows(path) : undefined
  const start = from === undefined ? 0 : random.whole(from.length - BEFORE_STEPS)
  return Array.from({ length: BEFORE_STEPS }, (_, step): Row => ({
    atMs: clean.atMs - (BEFORE_STEPS - step) * STEP_MS,
    // The days without faults are of months later: the clean row says how things were on the day itself.
    nodes: step % 2 === 0 ? clean.nodes : (from?.[start + step]?.nodes ?? clean.nodes),
  }))
}

const memory = new Map<string, Row[]>()

function readRows(path: string): Row[] {
  const known = memory.get(path)
  if (known !== undefined) return known
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const [nodes = [], metrics = [], statistics = [], , ...body] = text.trim().split('\n').map(cellsOf)
  const rows = body.map((line): Row => {
    const found = new Map<string, { requests: number; available: number; quantiles: [number, number][] }>()
    for (let column = 1; column < line.length; column += 1) {
      const value = line[column] === '' ? Number.NaN : Number(line[column])
      if (Number.isNaN(value)) continue
      const name = nodes[column] ?? ''
      const sample = found.get(name) ?? { requests: 0, available: 100, quantiles: [] }
      found.set(name, sample)
      if (metrics[column] === 'requests') sample.requests = value
      if (metrics[column] === 'availability') sample.available = value
      const level = /^p(\d+)$/.exec(statistics[column] ?? '')?.[1]
      if (metrics[column] === 'latency' && level !== undefined)
        sample.quantiles.push([Number(level) / 100, value])
    }
    return {
      atMs: Number(line[0]) * 1000,
      nodes: new Map(
        [...found].map(([name, { requests, available, quantiles }]) => [
          name,
          {
            requests,
            bad: (requests * Math.max(0, 100 - available)) / 100,
            quantiles: quantiles.toSorted(([a], [b]) => a - b),
          },
        ]),
      ),
    }
  })
  memory.set(path, rows)
  return rows
}

function readGraph(path: string): Map<string, string[]> {
  const [head = [], ...body] = readFileSync(path, 'utf8').trim().split('\n').map(cellsOf)
  return new Map(
    body.map(([caller = '', ...cells]) => [
      caller,
      cells.flatMap((cell, index) => (Number(cell) === 1 ? [head[index + 1] ?? ''] : [])),
    ]),
  )
}

/** Cells of a line; quoted ones may hold commas. */
function cellsOf(line: string): string[] {
  return [...line.replace(/\r$/, '').matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}
