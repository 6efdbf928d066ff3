// Fills a store with what 10M spans an hour leave behind: minutes of traces as the deriver keeps them, today and the day before, and
// the newest two minutes as spans. Straight INSERT … SELECT, because what is measured is the asking.
//
// 1M traces an hour of 10 spans: 8 entries, 40 services, 3 channels, 4 regions with 6 branches of 3 teller groups each, 2 client
// versions; some 25 releases, of which the first is one tenth of its service's traffic and fails one request in twenty.

import type { Store } from '../../ingest/store/store.ts'
import type { Fault } from '../../query/blame/case.ts'
import type { Release } from '../../query/releases/release.ts'
import { UNTOLD } from '../support/releases.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
const ENTRIES = 8
const SERVICES = 40
const TRACES_A_MINUTE = 16_667
/** Distinct rows of paths in a minute: 3 channels × 24 branches × 3 tellers × 2 clients × versions, for 8 entries. */
const ROWS_A_MINUTE = 8000
const DERIVATION = 1

/** Services of an entry's traces: the entry's own and four below it. */
const serviceOf = (entry: string, depth: string) =>
  `if(${depth} = 0, ${entry} % 4, (${entry} * 5 + ${depth} * 7) % ${SERVICES})`
/** The release under test is of the service that entry 0 reaches second. */
const CULPRIT = 7
const FAILS_EVERY = 20

export type FillOptions = {
  readonly minutes?: number
  readonly releases?: number
  readonly say?: (text: string) => void
}

export type BlameScene = {
  readonly fault: Fault
  readonly releases: readonly Release[]
  readonly nowMs: number
}

/**
 * @param nowMs     the decision: two minutes before it are spans
 * @param releases  how many candidates
 */
export async function fillForBlame(
  store: Pick<Store, 'command'>,
  nowMs: number,
  { minutes = 90, releases = 20, say = () => undefined }: FillOptions = {},
): Promise<BlameScene> {
  const nowMinute = Math.floor(nowMs / MINUTE_MS)
  const settled = nowMinute - 2
  const readyMinute = nowMinute - 15
  await store.command(
    `INSERT INTO resources SELECT number, concat('service-', toString(intDiv(number, 10))), ['k8s.node.name'], [concat('node-', toString(number % 30))], now() FROM numbers(${SERVICES * 10})`,
  )
  for (const day of [0, DAY_MINUTES]) {
    for (let from = settled - minutes - day; from < settled - day; from += 10) {
      const count = Math.min(10, settled - day - from)
      await keptMinutes(store, from, count, readyMinute)
      say(`minutes ${from - nowMinute} to ${from + count - nowMinute}`)
    }
  }
  for (const minute of [settled, settled + 1]) await spansOf(store, minute, readyMinute)
  return { nowMs, fault: faultAt(nowMs - MINUTE_MS), releases: releasesOf(releases, readyMinute * MINUTE_MS) }
}

// A row of numbers(): minute, and what varies within it.
const VARIED = (from: number, count: number) => `
  SELECT toDateTime((${from} + number % ${count}) * 60, 'UTC') AS bucket, ${from} + number % ${count} AS minute, intDiv(number, ${count}) AS n,
    n % ${ENTRIES} AS entry, intDiv(n, 8) % 24 AS branch, intDiv(n, 192) % 3 AS teller, intDiv(n, 576) % 3 AS channel, intDiv(n, 1728) % 2 AS client,
    n % 10 = 3 OR (n % 10 = 0 AND entry = 0) AS is_canary
  FROM numbers(${ROWS_A_MINUTE * count})`
const PATH = (ready: number) => `concat('\\x1E', arrayStringConcat(arraySort(arrayMap(depth ->
    concat('service-', toString(${serviceOf('entry', 'depth')}), '\\x1F', if(${serviceOf('entry', 'depth')} = ${CULPRIT} AND is_canary AND minute >= ${ready}, '2.1', '2.0')), range(5))), '\\x1E'), '\\x1E')`

async function keptMinutes(store: Pick<Store, 'command'>, from: number, count: number, ready: number) {
  const each = Math.round((TRACES_A_MINUTE / ROWS_A_MINUTE) * 1000)
  const dims = `'live' AS traffic, concat('service-', toString(entry % 4)) AS service, concat('op-', toString(entry)) AS operation, concat('txn-', toString(entry)) AS txn_code,
    'prod' AS environment, concat('ch', toString(channel)) AS channel_, 'sh-a' AS site, concat('r', toString(branch % 4)) AS region, concat('b', toString(branch)) AS branch_, concat('t', toString(teller)) AS teller_`
  const failing = `(n % 331 = 7 OR (entry = 0 AND is_canary AND minute >= ${ready} AND n % ${FAILS_EVERY} = 0))`
  await store.command(`INSERT INTO trace_paths_1m (bucket, traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, client_version, caller,
      path, slice, derivation, requests, weighted, system_error, business_error, shed, business_reject, latency_buckets, latency_weights)
    SELECT bucket, ${dims}, concat('app-', toString(client)), '', ${PATH(ready)}, n % 3, ${DERIVATION}, 2, ${each}, if(${failing}, 1000, 0), 0, 0, if(n % 97 = 0, 1000, 0),
      [toUInt8(118 + n % 5), toUInt8(124 + n % 3)], [1000, ${each - 1000}]
    FROM (${VARIED(from, count)})`)
  await store.command(`INSERT INTO trace_failures_1m (bucket, traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, path,
      origin_service, origin_version, origin_operation, origin_peer, origin_site, origin_zone, origin_cluster, origin_node, signature, slice, derivation, requests, weighted, example_trace)
    SELECT bucket, ${dims}, ${PATH(ready)}, concat('service-', toString(${serviceOf('entry', '(1 + n % 4)')})), '2.0', 'op', '', 'sh-a', 'z1', 'c1', concat('node-', toString(n % 30)), n % 13, n % 3, ${DERIVATION}, 1, 1000,
      toFixedString('', 16)
    FROM (${VARIED(from, count)}) WHERE ${failing}`)
  await store.command(`INSERT INTO instance_requests_1m (bucket, service, version, environment, system, site, zone, cluster, node, slice, derivation, requests, weighted, bad, first_s, last_s, own_buckets, own_weights)
    SELECT toDateTime((${from} + number % ${count}) * 60, 'UTC'), concat('service-', toString(intDiv(number, ${count}) % ${SERVICES})), if(intDiv(number, ${count * SERVICES}) % 10 = 3, '2.1', '2.0'), 'prod', 'sys', 'sh-a', 'z1', 'c1',
      concat('node-', toString(intDiv(number, ${count * SERVICES}))), 0, ${DERIVATION}, 200, 200000, 100, 0, 59, [100, 105, 110], [100000, 80000, 20000]
    FROM numbers(${count * SERVICES * 10})`)
  await store.command(`INSERT INTO service_edges_1m (bucket, traffic, caller, caller_version, callee, peer, peer_kind, slice, derivation, requests, weighted, bad, callee_bad, caller_latency, callee_latency)
    SELECT toDateTime((${from} + number % ${count}) * 60, 'UTC') AS bucket, 'live', concat('service-', toString(intDiv(number, ${count}) % ${SERVICES})) AS caller, '2.0',
      if(intDiv(number, ${count}) % 5 = 0, '', concat('service-', toString(intDiv(number, ${count * 3}) % ${SERVICES}))) AS callee, if(callee = '', concat('db-', toString(intDiv(number, ${count}) % 7)), '') AS peer,
      if(callee = '', 'database', ''), 0, ${DERIVATION}, 500, 500000, 1000, 1000, quantilesBFloat16State(0.5, 0.95, 0.99)(toFloat32(1e6 + number % 1000)), quantilesBFloat16State(0.5, 0.95, 0.99)(toFloat32(1e6))
    FROM numbers(${count * SERVICES * 4}) GROUP BY number, bucket, caller, callee, peer`)
  for (const name of ['trace_paths_1m', 'service_edges_1m'])
    await store.command(
      `INSERT INTO derivations (name, bucket, derivation) SELECT '${name}', toDateTime((${from} + number) * 60, 'UTC'), ${DERIVATION} FROM numbers(${count})`,
    )
}

async function spansOf(store: Pick<Store, 'command'>, minute: number, ready: number) {
  const id = (depth: string) => `reinterpretAsString(sipHash64(t, toUInt16(${depth}), ${minute}))`
  const service = serviceOf('entry', 'intDiv(d, 2)')
  await store.command(`INSERT INTO spans (ts, duration_ns, service, operation, kind, outcome, status, trace_id, span_id, parent_id, res_id, version, system, environment,
      site, zone, cluster, channel, region, branch, teller, txn_code, traffic, client_version)
    SELECT fromUnixTimestamp64Nano(toInt64(${minute * 60}) * 1000000000 + (t * 3571) % 60000000 * 1000 + d * 100000, 'UTC') AS ts, 50000000 - d * 4000000,
      concat('service-', toString(${service})), concat('op-', toString(entry)), if(d % 2 = 0, 2, 3),
      if(t % 331 = 7 OR (entry = 0 AND t % 10 = 0 AND t % ${FAILS_EVERY} = 0), 'system_error', 'ok'), 0,
      toFixedString(concat(reinterpretAsString(sipHash64(t, ${minute})), reinterpretAsString(cityHash64(t, ${minute}))), 16), toFixedString(${id('d')}, 8),
      if(d = 0, toFixedString('', 8), toFixedString(${id('d - 1')}, 8)), (${service}) * 10 + t % 10,
      if(${service} = ${CULPRIT} AND t % 10 IN (0, 3) AND ${minute} >= ${ready}, '2.1', '2.0'), 'sys', 'prod', 'sh-a', 'z1', 'c1',
      if(d = 0, concat('ch', toString(t % 3)), ''), if(d = 0, concat('r', toString(t % 4)), ''), if(d = 0, concat('b', toString(t % 24)), ''), if(d = 0, concat('t', toString(t % 3)), ''),
      concat('txn-', toString(entry)), 'live', if(d = 0, concat('app-', toString(t % 2)), '')
    FROM (SELECT intDiv(number, 10) AS t, number % 10 AS d, t % ${ENTRIES} AS entry FROM numbers(${TRACES_A_MINUTE * 10}))`)
}

const faultAt = (alarmAtMs: number): Fault => ({
  id: 'bench',
  origin: 'detector',
  name: '',
  measure: 'errors',
  place: {
    service: 'service-0',
    operation: 'op-0',
    txnCode: '',
    channel: '',
    site: '',
    region: '',
    branch: '',
  },
  alarmAtMs,
  endedAtMs: undefined,
})

/** The first is the culprit; the others are of other services, within the last hours. */
function releasesOf(count: number, readyMs: number): Release[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `release-${index}`,
    changeType: 'code',
    service: `service-${(CULPRIT + index) % SERVICES}`,
    target: '',
    toldService: '',
    system: 'sys',
    environment: 'prod',
    versionFrom: '2.0',
    versionTo: '2.1',
    state: 'serving',
    isImplicit: false,
    startedAtMs: readyMs - index * 7 * MINUTE_MS,
    receivedAtMs: readyMs - index * 7 * MINUTE_MS,
    readyAtMs: readyMs - index * 7 * MINUTE_MS,
    readyFrom: 'traffic',
    endedAtMs: undefined,
    scope: { selectors: [], weightPercent: 10 },
    stages: [],
    ...UNTOLD,
  }))
}
