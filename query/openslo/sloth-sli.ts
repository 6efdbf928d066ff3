// What an SLO of Sloth counts, as an SLI of v1: two queries of Prometheus in the part of PromQL that is executed.

import { readDifference, readEvents, readRatio, ratioIndicator } from './metric-query.ts'
import type { Path, Tell } from './problem.ts'
import type { SliSpecV1 } from './schema-v1.ts'

export type SlothSli = {
  readonly events?: { readonly errorQuery: string; readonly totalQuery: string } | undefined
  readonly raw?: { readonly errorRatioQuery: string } | undefined
  readonly plugin?: { readonly id: string } | undefined
}

/** @returns undefined when it cannot be measured; why is told */
export function sliOf({ events, raw, plugin }: SlothSli, path: Path, tell: Tell): SliSpecV1 | undefined {
  const there = [events, raw, plugin].filter((one) => one !== undefined).length
  if (there !== 1) {
    const [code, message] =
      there === 0
        ? (['required', 'has no indicator'] as const)
        : (['one-of', 'has several indicators'] as const)
    tell('error', code, path, message, 'keep exactly one of events, raw')
    return undefined
  }
  if (plugin !== undefined) {
    const message = `«${plugin.id}» makes the queries, and is not there`
    tell(
      'error',
      'sloth-plugin',
      [...path, 'plugin', 'id'],
      message,
      'write the queries that it makes as events; sloth generate shows them',
    )
    return undefined
  }
  const read =
    raw === undefined ? ofEvents(events ?? { errorQuery: '', totalQuery: '' }) : ofRaw(raw.errorRatioQuery)
  if (!('reasons' in read)) return read
  for (const { at, reason } of read.reasons)
    tell(
      'error',
      'query',
      [...path, ...at],
      reason,
      'write sum(rate(METRIC{label="value"}[{{.window}}])), or measure requests with a source of the type Surety',
    )
  return undefined
}

type Reasons = { readonly reasons: readonly { readonly at: Path; readonly reason: string }[] }

function ofRaw(query: string): SliSpecV1 | Reasons {
  const ratio = readRatio(query, true)
  if ('reason' in ratio) return { reasons: [{ at: ['raw', 'errorRatioQuery'], reason: ratio.reason }] }
  const { part, total, isInverted } = ratio.value
  return {
    ratioMetric: { counter: true, [isInverted ? 'good' : 'bad']: sourceOf(part), total: sourceOf(total) },
  }
}

function ofEvents({ errorQuery, totalQuery }: NonNullable<SlothSli['events']>): SliSpecV1 | Reasons {
  const total = readEvents(totalQuery, true)
  const difference = readDifference(errorQuery)
  const isRest = 'value' in difference && isSame(readEvents(difference.value.all, true), total)
  const query = isRest ? difference.value.less : errorQuery
  const part = readEvents(query, true)
  const reasons: Reasons['reasons'][number][] = []
  if ('reason' in part) reasons.push({ at: ['events', 'errorQuery'], reason: part.reason })
  if ('reason' in total) reasons.push({ at: ['events', 'totalQuery'], reason: total.reason })
  if ('reason' in part || 'reason' in total) return { reasons }
  const which = isRest ? 'good' : 'bad'
  const ratio = ratioIndicator(part.value, total.value, which)
  if ('reason' in ratio) return { reasons: [{ at: ['events'], reason: ratio.reason }] }
  return { ratioMetric: { counter: true, [which]: sourceOf(query), total: sourceOf(totalQuery) } }
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

const sourceOf = (query = '') => ({ metricSource: { type: 'Prometheus', spec: { query: query.trim() } } })
