// The newest minutes, straight from spans: the deriver's own questions, and here the same sums over their few rows that the store
// makes over derived ones. Each minute is asked by itself: put into larger statements they cost more to plan than to read.

import type { z } from 'zod'
import type { Store } from '../../ingest/store/store.ts'
import { openFailures, openInstances, openPaths, type EntryAndCellTold } from './gather-open-questions.ts'
import type { CallerSeen, FailureSeen, PlaceSeen } from './gather-questions.ts'
import { traceGroup, type TraceGroup, type TraceRow } from './trace-columns.ts'

type Store1 = Pick<Store, 'ask'>
export type OpenPath = { readonly minute: number } & z.infer<typeof openPaths.row>

const eachMinute = async <Row>(
  minutes: readonly number[],
  ask: (from: number) => Promise<Row[]>,
): Promise<({ readonly minute: number } & Row)[]> => {
  const answers = await Promise.all(
    minutes.map(async (minute) => (await ask(minute * 60)).map((row) => ({ minute, ...row }))),
  )
  return answers.flat()
}

export const openPathsOf = (store: Store1, minutes: readonly number[], entries: readonly string[]) =>
  eachMinute(minutes, (at) => store.ask(openPaths, { from: at, entries: [...entries] }))

/** What tells entries and cells apart, and how paths met the candidates: as trace-rows.sql is asked. */
export type TracesAsked = {
  readonly entries: readonly string[]
  /** By entry, first latency bucket that is slow. */
  readonly slow: readonly string[]
  readonly new_in: readonly string[]
  readonly old_in: readonly string[]
  readonly clients: readonly string[]
  readonly tellers: number
  readonly branches: number
}
type EntryAndCell = Pick<TracesAsked, 'entries' | 'tellers' | 'branches'>

/** Groups of entry and cell, one object each. */
function buildGroups({ entries, tellers, branches }: EntryAndCell) {
  const numbers = new Map(entries.map((key, number) => [key, number]))
  const known = new Map<string, TraceGroup>()
  return (row: EntryAndCellTold): TraceGroup | undefined => {
    const number = numbers.get([row.service, row.operation, row.txn_code].join('\u001F'))
    if (number === undefined) return undefined
    const { channel, site, region } = row
    const branch = branches === 1 ? row.branch : ''
    const made = traceGroup(number, {
      channel,
      site,
      region,
      branch,
      teller: tellers === 1 ? row.teller : '',
    })
    const group = known.get(made.key) ?? made
    known.set(made.key, group)
    return group
  }
}

const slowOf = (row: OpenPath, slow: readonly string[], entryNumber: number) =>
  weightFrom(row.latency_buckets, row.latency_weights, Number(slow[entryNumber] ?? Infinity))

function weightFrom(buckets: readonly number[], weights: readonly number[], first: number): number {
  let sum = 0
  for (const [place, bucket] of buckets.entries()) if (bucket >= first) sum += weights[place] ?? 0
  return sum
}

const BASE = 1000

/** As trace-rows.sql sums derived rows. */
export function openTraces(seen: readonly OpenPath[], asked: TracesAsked): Map<number, TraceRow[]> {
  const groupOf = buildGroups(asked)
  const touched = new Map<string, string>()
  const touchOf = (path: string): string => {
    const known = touched.get(path)
    if (known !== undefined) return known
    const made = asked.new_in
      .map((newIn, index) =>
        path.includes(newIn) ? '2' : path.includes(asked.old_in[index] ?? '') ? '1' : '0',
      )
      .join('')
    touched.set(path, made)
    return made
  }
  const sums = new Map<string, { minute: number; group: TraceGroup; touch: string; n: number[] }>()
  for (const row of seen) {
    const group = groupOf(row)
    if (group === undefined) continue
    const client = row.client_version
    const ofClients = asked.clients.map((one) => (client === one ? '2' : client === '' ? '0' : '1'))
    const touch = touchOf(row.path) + ofClients.join('')
    const key = `${row.minute} ${touch} ${group.key}`
    const sum = sums.get(key) ?? { minute: row.minute, group, touch, n: [0, 0, 0, 0, 0, 0] }
    sums.set(key, sum)
    const more = [
      row.weighted,
      row.system_error,
      row.business_error,
      row.shed,
      row.business_reject,
      slowOf(row, asked.slow, group.entry),
    ]
    for (const [place, value] of more.entries()) sum.n[place] = (sum.n[place] ?? 0) + value
  }
  const found = new Map<number, TraceRow[]>()
  for (const { minute, group, touch, n } of sums.values()) {
    const [requests = 0, systemErrors = 0, businessErrors = 0, shed = 0, rejects = 0, slow = 0] = n.map(
      (value) => value / BASE,
    )
    const row = { group, touch, requests, systemErrors, businessErrors, shed, rejects, slow }
    const known = found.get(minute)
    if (known === undefined) found.set(minute, [row])
    else known.push(row)
  }
  return found
}

/** As caller-rows.sql sums derived rows, of the first so many entries. */
export function openCallers(
  seen: readonly OpenPath[],
  asked: Pick<TracesAsked, 'entries' | 'slow'>,
): CallerSeen[] {
  const numbers = new Map(asked.entries.map((key, number) => [key, number]))
  const sums = new Map<string, CallerSeen>()
  for (const row of seen) {
    const number = numbers.get([row.service, row.operation, row.txn_code].join('\u001F'))
    const { minute, client_version: client, caller: sender } = row
    if (number === undefined || (client === '' && sender === '')) continue
    const key = `${minute} ${client}\u001F${sender}`
    const known = sums.get(key) ?? { minute, client, sender, requests: 0, failed: 0, slow: 0 }
    sums.set(key, {
      ...known,
      requests: known.requests + row.weighted,
      failed: known.failed + row.system_error + row.business_error + row.shed,
      slow: known.slow + slowOf(row, asked.slow, number),
    })
  }
  return [...sums.values()].map((sum) => ({
    ...sum,
    requests: sum.requests / BASE,
    failed: sum.failed / BASE,
    slow: sum.slow / BASE,
  }))
}

/** As failure-rows.sql sums derived rows. Minutes without a failed entry are not asked. */
export async function openFailuresOf(
  store: Store1,
  paths: readonly OpenPath[],
  asked: EntryAndCell,
): Promise<FailureSeen[]> {
  const failing = paths.filter((row) => row.system_error + row.business_error + row.shed > 0)
  const seen = await eachMinute([...new Set(failing.map(({ minute }) => minute))], (at) =>
    store.ask(openFailures, { from: at, entries: [...asked.entries] }),
  )
  const groupOf = buildGroups(asked)
  const sums = new Map<string, FailureSeen>()
  for (const row of seen) {
    const group = groupOf(row)
    if (group === undefined) continue
    const told = {
      minute: row.minute,
      entry: group.entry,
      cell_channel: group.channel,
      cell_site: group.site,
      cell_region: group.region,
      cell_branch: group.branch,
      cell_teller: group.teller,
      origin: row.origin_service,
      version: row.origin_version,
      failed_operation: row.origin_operation,
      peer: row.origin_peer,
      failed_site: row.origin_site,
      zone: row.origin_zone,
      cluster: row.origin_cluster,
      node: row.origin_node,
      error: signatureText(row.signature),
    }
    const key = JSON.stringify(told)
    sums.set(key, { ...told, failed: (sums.get(key)?.failed ?? 0) + row.weighted })
  }
  return [...sums.values()].map((sum) => ({ ...sum, failed: sum.failed / BASE }))
}

/** As `lower(hex(…))` writes a number: whole bytes, without leading ones of zero. */
function signatureText(signature: string): string {
  if (signature === '0') return ''
  const digits = BigInt(signature).toString(16)
  return digits.length % 2 === 0 ? digits : `0${digits}`
}

/** As place-rows.sql sums derived rows. */
export async function openPlacesOf(
  store: Store1,
  minutes: readonly number[],
  asked: {
    readonly services: readonly string[]
    readonly edge_services: readonly string[]
    readonly edges: readonly string[]
  },
): Promise<PlaceSeen[]> {
  const services = [...asked.services]
  if (services.length === 0) return []
  const seen = await eachMinute(minutes, (at) => store.ask(openInstances, { from: at, services }))
  const edges = new Map(asked.edge_services.map((service, at) => [service, Number(asked.edges[at] ?? 0)]))
  const sums = new Map<string, PlaceSeen>()
  for (const row of seen) {
    const { minute, service, version, site, zone, cluster, node } = row
    const key = JSON.stringify([minute, service, version, site, zone, cluster, node])
    const edge = edges.get(service) ?? 0
    const slow = edge === 0 ? 0 : weightFrom(row.own_buckets, row.own_weights, edge + 1)
    const place = { minute, service, version, site, zone, cluster, node }
    const known = sums.get(key) ?? { ...place, requests: 0, failed: 0, slow: 0 }
    sums.set(key, {
      ...known,
      requests: known.requests + row.weighted,
      failed: known.failed + row.bad,
      slow: known.slow + slow,
    })
  }
  return [...sums.values()].map((sum) => ({
    ...sum,
    requests: sum.requests / BASE,
    failed: sum.failed / BASE,
    slow: sum.slow / BASE,
  }))
}
