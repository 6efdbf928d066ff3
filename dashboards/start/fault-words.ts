// A fault, what was found about it and how much it weighs, in the words of the reader. Pure.

import type { Competing, Evidence, FaultItem } from '../../query/http/fault-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'

type BlameWord = NonNullable<FaultItem['verdict']> | 'none'

/** Shape and word carry the answer; colour repeats it. */
export const blameMarks: Readonly<
  Record<
    BlameWord,
    { readonly mark: string; readonly label: TextKey; readonly style: string; readonly box: string }
  >
> = {
  blamed: { mark: '■', label: 'blamed', style: 'bad', box: 'bad' },
  suspect: { mark: '▲', label: 'suspect', style: 'warning', box: 'warning' },
  'not-a-rollout': { mark: '○', label: 'notARollout', style: 'quiet', box: '' },
  inconclusive: { mark: '◆', label: 'inconclusive', style: 'release', box: 'release' },
  none: { mark: '◇', label: 'noVerdict', style: 'quiet', box: '' },
}

const measureKeys: Readonly<Record<FaultItem['measure'], TextKey>> = {
  errors: 'measureErrors',
  latency: 'measureSlow',
  requests_lost: 'measureLost',
}

/** «transfer POST /transfers · errors» */
export function faultName({ place, measure }: Pick<FaultItem, 'place' | 'measure'>, words: Words): string {
  const where = [place.service, place.operation || place.txnCode].filter((text) => text !== '').join(' ')
  return [where, words.text(measureKeys[measure])].filter((text) => text !== '').join(' · ')
}

const placeKeys = [
  ['channel', 'scopeChannel'],
  ['site', 'scopeSite'],
  ['region', 'scopeRegion'],
  ['branch', 'scopeBranch'],
] as const

/** Whom of all customers it is about; empty for everybody. */
export function placeWords({ place }: Pick<FaultItem, 'place'>, words: Words): string {
  const parts = placeKeys.flatMap(([name, key]) =>
    place[name] === '' ? [] : [words.text('scopeOf', { attribute: words.text(key), values: place[name] })],
  )
  if (place.txnCode !== '' && place.operation !== '') parts.push(place.txnCode)
  return parts.join(words.text('listSeparator'))
}

export function originWords({ origin, name }: Pick<FaultItem, 'origin' | 'name'>, words: Words): string {
  if (origin === 'detector') return words.text('originDetector')
  if (origin === 'slo')
    return name === '' ? words.text('originSloUnnamed') : words.text('originSlo', { name })
  return name === '' ? words.text('originExternalUnnamed') : words.text('originExternal', { name })
}

/** The running ones first, then the newest. */
export function newestFirst(items: readonly FaultItem[]): readonly FaultItem[] {
  const rank = ({ endedAt }: FaultItem) => (endedAt === null ? 0 : 1)
  return items.toSorted(
    (a, b) => rank(a) - rank(b) || Date.parse(b.alarmAt) - Date.parse(a.alarmAt) || (a.id < b.id ? -1 : 1),
  )
}

export const termKeys: Readonly<Record<Evidence['term'], TextKey>> = {
  E1: 'termTime',
  E2: 'termExposure',
  E3: 'termDose',
  E4: 'termScope',
  E5: 'termOrigin',
  E6: 'termNovelty',
  E7: 'termStep',
}

export const hypothesisKeys: Readonly<Record<Competing['kind'], TextKey>> = {
  site: 'hypothesisSite',
  cluster: 'hypothesisCluster',
  zone: 'hypothesisZone',
  node: 'hypothesisNode',
  'client-version': 'hypothesisClientVersion',
  caller: 'hypothesisCaller',
  'external-dependency': 'hypothesisExternalDependency',
  load: 'hypothesisLoad',
  database: 'hypothesisDatabase',
  schedule: 'hypothesisSchedule',
  unknown: 'hypothesisUnknown',
}

/** A log-likelihood ratio at or below it is a veto. */
const vetoAt = -50

/**
 * How a log-likelihood ratio is said: e^1 ≈ 3 times likelier is weak, e^2 ≈ 7 plain, e^4 ≈ 55 strong.
 *
 * @returns label, and the style of its colour
 */
export function weightOf(llr: number): { readonly label: TextKey; readonly style: string } {
  if (llr <= vetoAt) return { label: 'weightVeto', style: 'ok-text strong' }
  const size = Math.abs(llr)
  if (size < 0.5) return { label: 'weightNone', style: 'muted' }
  const isFor = llr > 0
  if (size >= 4)
    return isFor
      ? { label: 'weightForStrong', style: 'bad-text strong' }
      : { label: 'weightAgainstStrong', style: 'ok-text strong' }
  if (size >= 2)
    return isFor ? { label: 'weightFor', style: 'bad-text' } : { label: 'weightAgainst', style: 'ok-text' }
  return isFor ? { label: 'weightForWeak', style: '' } : { label: 'weightAgainstWeak', style: '' }
}

/** Of requests, bad ÷ all; null without requests. */
export function badRatio({
  requests,
  bad,
}: {
  readonly requests: number
  readonly bad: number
}): number | null {
  return requests > 0 ? Math.min(1, bad / requests) : null
}
