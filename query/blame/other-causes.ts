// Competing causes that are neither a rollout nor a place: what is called (databases, partners), who calls (client versions, callers), load,
// and clocks (expired certificates, scheduled jobs).

import { countZ } from '../statistics/counts.ts'
import type { FaultCase, TraceRows } from './case.ts'
import { at, type CaseColumns } from './case-columns.ts'
import { concentration } from './concentration.ts'
import type { Onset } from './onset.ts'
import { entryOf, order } from './place-causes.ts'

export type OtherCause = {
  readonly kind: 'external-dependency' | 'database' | 'client-version' | 'caller' | 'load' | 'schedule'
  readonly name: string
  /** Log-likelihood ratio before it is set against releases. */
  readonly llr: number
  /** Of the excess, 0–1. */
  readonly share: number
  readonly figures: Readonly<Record<string, number>>
  /** Versions that alone show it, as «service version»; empty when several do or it is not known. */
  readonly onlyVersion: string
}

type Window = { readonly from: number; readonly to: number; readonly phi: number }

/** Share of failures in excess by what they began at; `peer` counts failures of far sides only. */
export function originShares(
  faultCase: FaultCase,
  from: number,
  to: number,
): {
  readonly excess: number
  readonly byPeer: ReadonlyMap<string, number>
  readonly byVersion: ReadonlyMap<string, number>
  readonly byService: ReadonlyMap<string, number>
} {
  const [before, since] = [Math.max(1, from - faultCase.fromMinute), Math.max(1, to - from)]
  const peers = new Map<string, number>()
  const versions = new Map<string, number>()
  const services = new Map<string, number>()
  const versionServices = new Map<string, string>()
  for (const row of faultCase.failures) {
    if (row.minute >= to || faultCase.isAffected?.[row.entry] === false) continue
    const weight = row.minute >= from ? row.count : -row.count * (since / before)
    const key = row.peer === '' ? services : peers
    const name = row.peer === '' ? row.service : row.peer
    key.set(name, (key.get(name) ?? 0) + weight)
    if (row.peer === '') {
      const version = `${row.service} ${row.version}`
      versionServices.set(version, row.service)
      // Versions are new; their past is their service's, so nothing is taken off.
      if (row.minute >= from) versions.set(version, (versions.get(version) ?? 0) + row.count)
    }
  }
  const positive = (map: Map<string, number>): Map<string, number> =>
    new Map([...map].map(([name, sum]) => [name, Math.max(0, sum)]))
  const [byPeer, byService] = [positive(peers), positive(services)]
  const excess = [...byPeer.values(), ...byService.values()].reduce((sum, value) => sum + value, 0)
  return { excess, byPeer, byService, byVersion: versions }
}

export function peerCauses(
  faultCase: FaultCase,
  window: Window,
  shares: ReturnType<typeof originShares>,
): OtherCause[] {
  type Sum = {
    kind: string
    bad0: number
    n0: number
    bad: number
    n: number
    byCaller: Map<string, { bad: number; n: number; bad0: number; n0: number }>
  }
  const isSlow = faultCase.fault.measure === 'latency'
  const sums = new Map<string, Sum>()
  for (const row of faultCase.peers) {
    if (row.minute >= window.to) continue
    const sum = entryOf(sums, row.peer, () => ({
      kind: row.kind,
      bad0: 0,
      n0: 0,
      bad: 0,
      n: 0,
      byCaller: new Map(),
    }))
    const caller = entryOf(sum.byCaller, `${row.caller} ${row.callerVersion}`, () => ({
      bad: 0,
      n: 0,
      bad0: 0,
      n0: 0,
    }))
    const bad = isSlow ? row.slow + row.bad : row.bad
    for (const part of [sum, caller])
      if (row.minute >= window.from) {
        part.bad += bad
        part.n += row.calls
      } else {
        part.bad0 += bad
        part.n0 += row.calls
      }
  }
  return [...sums]
    .sort((a, b) => order(a[0], b[0]))
    .flatMap(([name, sum]) => {
      const ratio = (sum.bad0 + 0.5) / (sum.n0 + 500)
      const z = countZ(sum.bad, sum.n * ratio, window.phi)
      if (z < 3) return []
      const failing = [...sum.byCaller].filter(
        ([, part]) => countZ(part.bad, part.n * ratio, window.phi) >= 3,
      )
      const trafficOfFailing = failing.reduce((all, [, part]) => all + part.n, 0) / Math.max(1, sum.n)
      const only = failing.length === 1 && trafficOfFailing < 0.9 ? (failing[0]?.[0] ?? '') : ''
      const share = shares.excess > 0 ? (shares.byPeer.get(name) ?? 0) / shares.excess : 0
      const strength = Math.min(8, (z * z) / 2 - 3.5)
      return [
        {
          kind: sum.kind === 'database' ? ('database' as const) : ('external-dependency' as const),
          name,
          // A far side that fails more, but where few of the failures begin, is a bystander.
          llr: share >= 0.5 ? strength : isSlow ? strength * 0.75 : strength * Math.max(0, share),
          share,
          figures: {
            calls: sum.n,
            bad: sum.bad,
            ratio: sum.n > 0 ? sum.bad / sum.n : 0,
            ratioBefore: sum.n0 > 0 ? sum.bad0 / sum.n0 : 0,
            callersHit: failing.length,
            callers: sum.byCaller.size,
            share,
          },
          onlyVersion: only,
        },
      ]
    })
}

export function callerCauses(faultCase: FaultCase, window: Window): OtherCause[] {
  const isSlow = faultCase.fault.measure === 'latency'
  return (['client_version', 'caller'] as const).flatMap((kind) => {
    const rows = faultCase.callers.filter((row) => row.kind === kind && row.minute < window.to)
    const names = [...new Set(rows.map(({ name }) => name))].sort(order)
    if (names.length < 2) return []
    const minutes = Math.max(1, window.to - window.from)
    let [allBad0, all0] = [0, 0]
    for (const row of rows)
      if (row.minute < window.from) {
        allBad0 += isSlow ? row.slow : row.bad
        all0 += row.requests
      }
    const ratio = (allBad0 + 0.5) / (all0 + 500)
    const weight = new Map(names.map((name) => [name, new Float64Array(minutes)]))
    const bad = new Map(names.map((name) => [name, new Float64Array(minutes)]))
    const [allWeight, allBad] = [new Float64Array(minutes), new Float64Array(minutes)]
    let [sumBad, sumUsual] = [0, 0]
    for (const row of rows) {
      const minute = row.minute - window.from
      if (minute < 0) continue
      const [w, k] = [weight.get(row.name), bad.get(row.name)]
      const badNow = isSlow ? row.slow : row.bad
      if (w !== undefined) w[minute] = at(w, minute) + row.requests * ratio
      if (k !== undefined) k[minute] = at(k, minute) + badNow
      allWeight[minute] = at(allWeight, minute) + row.requests * ratio
      allBad[minute] = at(allBad, minute) + badNow
      sumBad += badNow
      sumUsual += row.requests * ratio
    }
    return names.flatMap((name) => {
      const [groupWeight, groupBad] = [weight.get(name), bad.get(name)]
      if (groupWeight === undefined || groupBad === undefined) return []
      const race = concentration({ groupWeight, groupBad, allWeight, allBad }, window.phi)
      const inside =
        groupBad.reduce((sum, value) => sum + value, 0) - groupWeight.reduce((sum, value) => sum + value, 0)
      const share = sumBad > sumUsual ? Math.min(1, Math.max(0, inside / (sumBad - sumUsual))) : 0
      const llr = Math.min(8, race.gain - Math.log(names.length) - 1)
      if (llr < 1 || share < 0.6) return []
      const cause: OtherCause = {
        kind: kind === 'caller' ? 'caller' : 'client-version',
        name,
        llr: llr * share,
        share,
        figures: { bad: race.bad, expected: race.expected, share },
        onlyVersion: '',
      }
      return [cause]
    })
  })
}

/** What a morning's rise is taken from: after this long a step is no longer told from the hours of the day. */
const LOAD_MINUTES = 30
/** Requests of the day before without which it says nothing. */
const DAY_BEFORE_MIN = 200
/** Fewer known minutes tell no rate. */
const KNOWN_MINUTES_MIN = 5

/** More requests than before, and than the hour of the day brings: errors that grow with them are the load's. */
export function loadCause(columns: CaseColumns, onset: Onset, window: Window): OtherCause | undefined {
  const { case: faultCase, series } = columns
  const { rows } = faultCase
  // The last minute may be partial, and the onset's own stands for neither side.
  const end = Math.max(onset.at + 1, Math.min(window.to, faultCase.toMinute - 1, onset.at + LOAD_MINUTES))
  const since = { from: onset.at, to: end }
  const before = { from: onset.at - 40, to: onset.at - 10 }
  const seen = {
    requests: series.requests,
    isSeen: seenMinutes(rows, faultCase.fromMinute, series.requests.length),
  }
  const now = rateOf(seen, faultCase.fromMinute, since).rate
  const { rate: past, minutes } = rateOf(seen, faultCase.fromMinute, before)
  if (past <= 0 || now <= 0 || minutes < KNOWN_MINUTES_MIN) return undefined
  const growth = now / past / usualGrowth(columns, since, before)
  let [shed, bad] = [0, 0]
  for (let row = 0; row < rows.length; row++) {
    if (at(rows.minute, row) < window.from || columns.isAffected[at(rows.entry, row)] !== true) continue
    shed += at(rows.shed, row)
    bad += at(columns.bad, row)
  }
  const shedShare = faultCase.fault.measure === 'latency' || bad <= 0 ? 0 : Math.min(1, shed / bad)
  if (growth < 1.25 && shedShare < 0.5) return undefined
  const llr = Math.min(7, 9 * Math.log(Math.max(1, growth))) + (shedShare > 0.3 ? 1.5 : 0)
  return {
    kind: 'load',
    name: '',
    llr,
    share: 1,
    figures: { growth, now, past, shedShare },
    onlyVersion: '',
  }
}

type Span = { readonly from: number; readonly to: number }

type Load = { readonly requests: Float64Array; readonly isSeen: Uint8Array }

/** Minutes in which anything was asked anywhere: before the first traffic of a store, or while nothing was recorded, load is not zero but unknown. */
function seenMinutes(rows: TraceRows, firstMinute: number, length: number): Uint8Array {
  const isSeen = new Uint8Array(length)
  for (let row = 0; row < rows.length; row++) {
    const minute = at(rows.minute, row) - firstMinute
    if (minute >= 0 && minute < length) isSeen[minute] = 1
  }
  return isSeen
}

/** Requests a minute, of those minutes that are known. */
function rateOf(
  { requests, isSeen }: Load,
  fromMinute: number,
  { from, to }: Span,
): { readonly rate: number; readonly minutes: number } {
  let [sum, minutes] = [0, 0]
  for (
    let minute = Math.max(0, from - fromMinute);
    minute < Math.min(requests.length, to - fromMinute);
    minute++
  ) {
    if (at(isSeen, minute) === 0) continue
    sum += at(requests, minute)
    minutes++
  }
  return { rate: minutes > 0 ? sum / minutes : 0, minutes }
}

/** How much the same minutes of the day before rose; 1 when they did not, or are not known. */
function usualGrowth(
  { case: faultCase, isAffected, isInPlace }: CaseColumns,
  since: Span,
  before: Span,
): number {
  const { dayBefore, fromMinute, toMinute } = faultCase
  if (dayBefore === undefined) return 1
  const requests = new Float64Array(Math.max(0, toMinute - fromMinute))
  for (let row = 0; row < dayBefore.length; row++) {
    const minute = at(dayBefore.minute, row) + MINUTES_A_DAY - fromMinute
    if (minute < 0 || minute >= requests.length) continue
    if (isAffected[at(dayBefore.entry, row)] !== true || isInPlace[at(dayBefore.cell, row)] !== true) continue
    requests[minute] = at(requests, minute) + at(dayBefore.requests, row)
  }
  const isSeen = seenMinutes(dayBefore, fromMinute - MINUTES_A_DAY, requests.length)
  const { rate: past, minutes } = rateOf({ requests, isSeen }, fromMinute, before)
  if (past * minutes < DAY_BEFORE_MIN) return 1
  return Math.max(1, rateOf({ requests, isSeen }, fromMinute, since).rate / past)
}

const MINUTES_A_DAY = 1440

export const CERTIFICATE = /certificate|x509|expired|notafter|tls|ssl|handshake|证书|过期/i

/** What a caller says of a far side that does not answer: it is told by where failures begin, and by no clock. */
const FAR_SIDE = /socket ?timeout|connect|circuit|unavailable|deadline/i

/** A new signature on all versions at one instant: a certificate that expired, a job that ran. */
export function scheduleCauses(faultCase: FaultCase, onset: Onset, window: Window): OtherCause[] {
  type Sum = { before: number; since: number; byVersion: Map<string, number>; text: string; service: string }
  const sums = new Map<string, Sum>()
  let all = 0
  for (const row of faultCase.signatures) {
    if (row.minute >= window.to) continue
    const sum = entryOf(sums, row.signature, () => ({
      before: 0,
      since: 0,
      byVersion: new Map(),
      text: `${row.type} ${row.message}`,
      service: row.service,
    }))
    if (row.minute < window.from) sum.before += row.count
    else {
      sum.since += row.count
      all += row.count
      const key = `${row.service} ${row.version}`
      sum.byVersion.set(key, (sum.byVersion.get(key) ?? 0) + row.count)
    }
  }
  const traffic = new Map<string, number>()
  for (const row of faultCase.places)
    if (row.minute >= window.from && row.minute < window.to) {
      const key = `${row.service} ${row.version}`
      traffic.set(key, (traffic.get(key) ?? 0) + row.requests)
    }
  const event = faultCase.events.find(
    ({ kind, atMs }) => /expir|cert|cron|job|schedul/i.test(kind) && Math.abs(atMs / 60_000 - onset.at) <= 3,
  )
  return [...sums]
    .sort((a, b) => order(a[0], b[0]))
    .flatMap(([, sum]) => {
      const share = all > 0 ? sum.since / all : 0
      if (sum.since < 5 || share < 0.4 || sum.before > 0.02 * sum.since) return []
      const isCertificate = CERTIFICATE.test(sum.text)
      if (!isCertificate && FAR_SIDE.test(sum.text)) return []
      // Versions of the services that show it: does each show it as much as it has requests?
      const services = new Set([...sum.byVersion.keys()].map((key) => key.slice(0, key.lastIndexOf(' '))))
      const versions = [...traffic].filter(([key]) => services.has(key.slice(0, key.lastIndexOf(' '))))
      const requests = versions.reduce((total, [, n]) => total + n, 0)
      const others = versions
        .map(([key, n]) => ({
          key,
          expected: requests > 0 ? (sum.since * n) / requests : 0,
          bad: sum.byVersion.get(key) ?? 0,
        }))
        .filter(({ expected }) => expected >= 3)
      const missing = others.some(({ expected, bad }) => bad < 0.3 * expected)
      const isOnSeveral = others.length > 1 && !missing
      const isOnEdge = onset.at % 5 === 0
      const llr =
        (isCertificate ? 7 : 0) +
        (isOnSeveral ? 3 : missing ? -6 : 0) +
        (isOnEdge ? 1 : 0) +
        (event === undefined ? 0 : 3)
      if (llr <= 0) return []
      const only = missing ? (others.find(({ bad, expected }) => bad >= 0.3 * expected)?.key ?? '') : ''
      return [
        {
          kind: 'schedule' as const,
          name: sum.text.trim().slice(0, 120),
          llr: Math.min(8, llr),
          share,
          figures: {
            count: sum.since,
            before: sum.before,
            versions: others.length,
            isCertificate: isCertificate ? 1 : 0,
            share,
          },
          onlyVersion: only,
        },
      ]
    })
}
