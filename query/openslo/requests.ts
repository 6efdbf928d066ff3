// From what a source of ours says of requests to the question that is asked of them.

import {
  GOOD_OUTCOMES,
  OUTCOMES,
  type Dimension,
  type GoodRequest,
  type ProbeIndicator,
  type RequestIndicator,
  type Selection,
  type Subject,
} from '../slo/model.ts'
import { readSelector, type Read } from './metric-query.ts'
import {
  GROUPS_DEFAULT,
  type BadRequests,
  type GoodRequests,
  type WrittenProbe,
  type WrittenRequests,
  type WrittenSelection,
} from './source-shapes.ts'
import type { z } from 'zod'

export type Requests = Omit<RequestIndicator, 'good'>

/** @returns the requests, or why the probe that stands in for them cannot be read */
export function requestsOf(written: WrittenRequests): Read<Requests> {
  const { where, except, traffic, groupBy, groupsMax, fallback } = written
  const isEntry = written.signal === 'journey'
  const selections = [
    ...selectionsOf(where, false),
    ...selectionsOf(except, true),
    ...(isEntry ? [selection({ kind: 'dimension', name: 'txnCode' }, listOf(written.txnCode), false)] : []),
  ]
  const probe = fallback === undefined ? undefined : probeOf(fallback.probe)
  if (probe !== undefined && 'reason' in probe) return probe
  return {
    value: {
      kind: 'requests',
      where: selections.toSorted((a, b) => order(keyOf(a), keyOf(b))),
      isEntry,
      traffic: sorted(listOf(traffic ?? 'live')),
      groupBy: (groupBy ?? []).map((one) =>
        typeof one === 'string'
          ? { kind: 'dimension', name: one }
          : { kind: 'attribute', key: one.attribute },
      ),
      groupsMax: groupBy === undefined ? 1 : (groupsMax ?? GROUPS_DEFAULT),
      fallback:
        fallback === undefined || probe === undefined
          ? undefined
          : { totalMin: fallback.below, probe: probe.value },
    },
  }
}

/** Good when all holds. Without a word on outcomes: those that are good, unless codes decide. */
export function goodOf({
  outcomes,
  withinMs,
  returnCodes,
  exceptReturnCodes,
}: z.infer<typeof GoodRequests>): GoodRequest {
  const codes = returnCodes ?? exceptReturnCodes
  return {
    outcomes: ordered(outcomes ?? (codes === undefined ? GOOD_OUTCOMES : OUTCOMES)),
    withinMs,
    returnCodes:
      codes === undefined ? undefined : { isExcluded: returnCodes === undefined, codes: sorted(codes) },
  }
}

/** Bad when any holds, so good when none does: the same question as its opposite. */
export function goodOfBad({ outcomes = [], overMs, returnCodes }: z.infer<typeof BadRequests>): GoodRequest {
  return {
    outcomes: OUTCOMES.filter((one) => !outcomes.includes(one)),
    withinMs: overMs,
    returnCodes: returnCodes === undefined ? undefined : { isExcluded: true, codes: sorted(returnCodes) },
  }
}

/** Durations are whole nanoseconds: below a value is within the nanosecond before it. */
export function fasterThan(valueMs: number, isInclusive: boolean): GoodRequest {
  return { outcomes: OUTCOMES, withinMs: isInclusive ? valueMs : valueMs - 1e-6, returnCodes: undefined }
}

// What the Collector's HTTP check receiver writes: 1 when the status is in the class.
const CHECK_METRIC = 'httpcheck.status'

export function probeOf(written: WrittenProbe): Read<ProbeIndicator> {
  if ('url' in written)
    return {
      value: {
        kind: 'probe',
        metric: CHECK_METRIC,
        matchers: [
          { label: 'http.status_class', op: '=', value: written.statusClass ?? '2xx' },
          { label: 'http.url', op: '=', value: written.url },
        ],
      },
    }
  const read = readSelector(written.selector)
  return 'reason' in read ? read : { value: { kind: 'probe', ...read.value } }
}

function selectionsOf(written: WrittenSelection = {}, isExcluded: boolean): Selection[] {
  const { attributes = {}, ...dimensions } = written
  return [
    ...Object.entries(dimensions).flatMap(([name, values]) =>
      values === undefined
        ? []
        : [selection({ kind: 'dimension', name: name as Dimension }, listOf(values), isExcluded)],
    ),
    ...Object.entries(attributes).map(([key, values]) =>
      selection({ kind: 'attribute', key }, listOf(values), isExcluded),
    ),
  ]
}

const selection = (subject: Subject, values: readonly string[], isExcluded: boolean): Selection => ({
  subject,
  isExcluded,
  values: sorted(values),
})
const listOf = (values: string | readonly string[]) => (typeof values === 'string' ? [values] : values)
const sorted = (values: readonly string[]) => [...new Set(values)].toSorted(order)
const ordered = (outcomes: GoodRequest['outcomes']) => OUTCOMES.filter((one) => outcomes.includes(one))
const order = (a: string, b: string) => (a < b ? -1 : Number(a > b))
const keyOf = ({ subject, isExcluded, values }: Selection) =>
  JSON.stringify([subject.kind, 'name' in subject ? subject.name : subject.key, isExcluded, values])
