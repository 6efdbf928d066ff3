// The sentence at the top: which service version is worst now, and how sure that is. Pure arithmetic and words;
// what to do about it, and which release caused it, are not judged here.

import type { IngestStatusReply, ReleaseEvent, ServiceItem, ServicesReply } from '../query/http/schemas.ts'
import type { TextKey } from './i18n/en.ts'
import type { Words } from './i18n/words.ts'

/** How long «now» is, minutes: long enough for a ratio at 1 request/s, short enough to forget what is over. */
export const verdictMinutes = 5

export type Level = 'bad' | 'warning' | 'ok' | 'quiet'

export type Verdict =
  | { readonly kind: 'empty' }
  | { readonly kind: 'quiet'; readonly newestAt: string; readonly nowAt: string }
  | {
      readonly kind: 'failing'
      readonly level: 'bad' | 'warning'
      readonly worst: ServiceItem
      readonly others: readonly ServiceItem[]
      readonly silent: readonly string[]
    }
  | {
      readonly kind: 'answering'
      readonly services: number
      readonly worst: ServiceItem | undefined
      readonly silent: readonly string[]
    }

/** Requests that failed by our doing: system error, business error, shed. A business reject is an answer. */
export function badRequests(item: ServiceItem): number {
  return item.outcomes.system_error + item.outcomes.business_error + item.outcomes.shed
}

// Until a service has an SLO there is no promise to hold it to, so two plain thresholds stand in: 1 % is what
// people notice in reports, 5 % what they notice at the counter. The lower end of the interval must pass them and
// a handful of failures must exist, so that one failed request of two does not shout at 03:00.
const warningRatio = 0.01
const badRatio = 0.05
const failuresMin = 3

/** What the figures of one service version allow to say. `quiet` without requests. */
export function levelOf(item: ServiceItem): Level {
  if (item.requests === 0) return 'quiet'
  const bad = badRequests(item)
  if (bad < failuresMin) return 'ok'
  const atLeast = lowerBound(bad, item.requests)
  if (atLeast >= badRatio) return 'bad'
  return atLeast >= warningRatio ? 'warning' : 'ok'
}

/**
 * Lower end of the 95 % Wilson interval of bad ÷ all.
 * Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
 */
export function lowerBound(bad: number, all: number): number {
  const z = 1.96
  const ratio = bad / all
  const square = (z * z) / all
  const spread = z * Math.sqrt((ratio * (1 - ratio) + square / 4) / all)
  return Math.max(0, (ratio + square / 2 - spread) / (1 + square))
}

const levelOrder: Readonly<Record<Level, number>> = { bad: 0, warning: 1, ok: 2, quiet: 3 }

/** Bad ones first; among equals the higher error ratio, then the more traffic, then the name. */
export function sortWorstFirst(items: readonly ServiceItem[]): readonly ServiceItem[] {
  return items.toSorted(
    (a, b) =>
      levelOrder[levelOf(a)] - levelOrder[levelOf(b)] ||
      (b.errorRatio ?? -1) - (a.errorRatio ?? -1) ||
      b.requests - a.requests ||
      byText(a.service, b.service) ||
      byText(a.version, b.version),
  )
}

/**
 * @param now   service versions over the last `verdictMinutes`
 * @param range service versions over the range on screen: who is in it but not in `now` has gone silent
 * @param ingest tells an empty store from a silent one; undefined when it could not be asked
 */
export function verdict(
  now: ServicesReply,
  range: ServicesReply,
  ingest: IngestStatusReply | undefined,
): Verdict {
  const current = sortWorstFirst(now.items.filter((item) => item.requests > 0))
  const worst = current[0]
  if (worst === undefined) {
    const newestAt =
      ingest?.newestSpanAt ??
      range.items
        .map((item) => item.lastSeenAt)
        .toSorted(byText)
        .at(-1)
    return newestAt == null ? { kind: 'empty' } : { kind: 'quiet', newestAt, nowAt: now.to }
  }
  const answering = new Set(current.map((item) => item.service))
  const silent = [...new Set(range.items.map((item) => item.service))]
    .filter((service) => !answering.has(service))
    .toSorted(byText)
  const level = levelOf(worst)
  if (level === 'bad' || level === 'warning') {
    const others = current.slice(1).filter((item) => ['bad', 'warning'].includes(levelOf(item)))
    return { kind: 'failing', level, worst, others, silent }
  }
  return {
    kind: 'answering',
    services: answering.size,
    worst: (worst.errorRatio ?? 0) > 0 ? worst : undefined,
    silent,
  }
}

export type Sentence = {
  readonly level: Level
  readonly headline: string
  /** What else belongs to the verdict, one sentence each. */
  readonly more: readonly string[]
  /** The service the sentence is about, to open its charts. */
  readonly service: string | undefined
}

/** @param release latest release event of the worst service version, if one is known */
export function sentence(
  result: Verdict,
  words: Words,
  context: {
    readonly otlpTracesUrl: string
    readonly release: ReleaseEvent | undefined
    readonly nowMs: number
  },
): Sentence {
  const minutes = String(verdictMinutes)
  const end = words.text('sentenceEnd')
  if (result.kind === 'empty') {
    const url = context.otlpTracesUrl
    return {
      level: 'quiet',
      headline: words.text('verdictEmpty', { url }),
      more: [words.text('verdictEmptyHint', { url })],
      service: undefined,
    }
  }
  if (result.kind === 'quiet') {
    const atMs = Date.parse(result.newestAt)
    const nowMs = Date.parse(result.nowAt)
    const values = { minutes, time: words.time(atMs, nowMs), ago: words.ago(atMs, nowMs) }
    return {
      level: 'quiet',
      headline: words.text('verdictQuiet', values) + end,
      more: [],
      service: undefined,
    }
  }
  const silent =
    result.silent.length === 0
      ? []
      : [words.text('verdictSilent', { minutes, list: words.list(result.silent.map(shortName), 5) })]
  if (result.kind === 'failing') {
    const { worst, others } = result
    const { release } = context
    const more: string[] = []
    if (release !== undefined)
      more.push(
        words.text('verdictRelease', {
          action: words.text(actionKey(release)),
          ago: words.ago(Date.parse(release.at), context.nowMs),
        }),
      )
    if (others.length > 0) {
      const named = others.map((item) => `${nameOf(item, words)} ${words.ratio(item.errorRatio)}`)
      more.push(words.text('verdictOthers', { list: words.list(named, 3) }))
    }
    return {
      level: result.level,
      headline: figures('verdictFailing', worst, words) + end,
      more: [...more, ...silent],
      service: worst.service,
    }
  }
  const who =
    result.services === 1
      ? words.text('verdictAnsweringOne')
      : words.text('verdictAnswering', { services: words.count(result.services) })
  const errors =
    result.worst === undefined
      ? words.text('verdictNoErrors', { minutes })
      : figures('verdictWorst', result.worst, words)
  return {
    level: 'ok',
    headline: who + words.text('clauseSeparator') + errors + end,
    more: silent,
    service: result.worst?.service,
  }
}

/** «transfer 2.14.0», or what is missing of it. */
export function nameOf(item: { readonly service: string; readonly version: string }, words: Words): string {
  const service = item.service === '' ? words.text('serviceUnknown') : shortName(item.service)
  return item.version === ''
    ? `${service} (${words.text('versionUnknown')})`
    : `${service} ${shortName(item.version)}`
}

const actionKeys: Readonly<Record<ReleaseEvent['action'], TextKey>> = {
  deployed: 'actionDeployed',
  upgraded: 'actionUpgraded',
  rolledback: 'actionRolledback',
  removed: 'actionRemoved',
  published: 'actionPublished',
  other: 'actionOther',
}

/** The words for what a release event says happened. */
export function actionKey(event: ReleaseEvent): TextKey {
  return actionKeys[event.action]
}

/** A name may be 512 characters long; a sentence has room for 60. */
function shortName(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 59)}…`
}

function figures(key: 'verdictFailing' | 'verdictWorst', item: ServiceItem, words: Words): string {
  return words.text(key, {
    what: nameOf(item, words),
    ratio: words.ratio(item.errorRatio),
    bad: words.count(badRequests(item)),
    requests: words.count(item.requests),
    minutes: String(verdictMinutes),
    rate: words.text('requestsPerSecond', { value: words.ratePerSecond(item.ratePerSecond) }),
  })
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
