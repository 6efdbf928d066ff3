// A release, whom it serves and what became of it, in the words of the reader. Pure.

import type {
  ReleaseItem,
  ReleaseReply,
  ReleaseVerdict,
  ReleaseVerdictWord,
} from '../../query/http/release-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'

type Verdicted = ReleaseVerdictWord | 'none'

/** Shape and word carry the verdict; colour repeats it. */
export const releaseVerdictMarks: Readonly<
  Record<Verdicted, { readonly mark: string; readonly label: TextKey; readonly style: string }>
> = {
  worse: { mark: '■', label: 'worse', style: 'bad' },
  'not-worse': { mark: '●', label: 'notWorse', style: 'ok' },
  'cannot-tell': { mark: '◆', label: 'cannotTell', style: 'release' },
  none: { mark: '◇', label: 'noVerdict', style: 'quiet' },
}

const loudest: readonly Verdicted[] = ['worse', 'cannot-tell', 'none', 'not-worse']

/** The verdict that stands for several releases at one place. */
export function loudestVerdict(releases: readonly Pick<ReleaseItem, 'verdict'>[]): Verdicted {
  return loudest.find((word) => releases.some(({ verdict }) => (verdict ?? 'none') === word)) ?? 'none'
}

/** «transfer 2.14.0»; of what is no service its target. */
export function releaseName({
  service,
  target,
  versionTo,
}: Pick<ReleaseItem, 'service' | 'target' | 'versionTo'>): string {
  return [service === '' ? target : service, versionTo].filter((text) => text !== '').join(' ')
}

const attributes: Readonly<Record<string, TextKey>> = {
  site: 'scopeSite',
  region: 'scopeRegion',
  branch: 'scopeBranch',
  teller: 'scopeTeller',
  channel: 'scopeChannel',
  zone: 'scopeZone',
  cluster: 'scopeCluster',
}

const valuesMax = 6

/** «branch 0531-*, 10% of requests» */
export function scopeWords({ selectors, weightPercent }: ReleaseItem['scope'], words: Words): string {
  const parts = selectors.map(({ attribute, match, values }) => {
    const key = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined
    const shown = values.map((value) =>
      match === 'prefix' ? `${value}*` : match === 'regex' ? `/${value}/` : value,
    )
    return words.text('scopeOf', {
      attribute: key === undefined ? attribute : words.text(key),
      values: words.list(shown, valuesMax),
    })
  })
  if (weightPercent !== null && weightPercent < 100)
    parts.push(words.text('scopeWeight', { percent: words.signed(weightPercent) }))
  return parts.length === 0 ? words.text('scopeEverybody') : parts.join(words.text('listSeparator'))
}

/** What hovering a release tells, a line each. */
export function releaseLines(release: ReleaseItem, nowMs: number, words: Words): readonly string[] {
  const { mark, label } = releaseVerdictMarks[release.verdict ?? 'none']
  const from = release.versionFrom === '' ? '' : ` (${words.text('versionFrom')} ${release.versionFrom})`
  return [
    `${releaseName(release)}${from}`,
    [release.system, words.text(changeTypeKeys[release.changeType]), words.text(stateKeys[release.state])]
      .filter((text) => text !== '')
      .join(' · '),
    scopeWords(release.scope, words),
    words.time(Date.parse(release.readyAt ?? release.startedAt), nowMs),
    `${mark} ${release.headline?.[told(words)] ?? words.text(label)}`,
  ]
}

/** The name of the reader's language in sentences that the API tells in both. */
export function told(words: Words): 'en' | 'zh' {
  return words.language === 'en' ? 'en' : 'zh'
}

export const changeTypeKeys: Readonly<Record<ReleaseItem['changeType'], TextKey>> = {
  code: 'changeCode',
  config: 'changeConfig',
  flag: 'changeFlag',
  schema: 'changeSchema',
  infra: 'changeInfra',
  host_patch: 'changeHostPatch',
  scaling: 'changeScaling',
  network: 'changeNetwork',
  client: 'changeClient',
}

export const stateKeys: Readonly<Record<ReleaseItem['state'], TextKey>> = {
  requested: 'stateRequested',
  in_progress: 'stateInProgress',
  paused: 'statePaused',
  serving: 'stateServing',
  completed: 'stateCompleted',
  aborted: 'stateAborted',
  rolled_back: 'stateRolledBack',
  removed: 'stateRemoved',
}

export const stepKeys: Readonly<Record<ReleaseReply['stages'][number]['kind'], TextKey>> = {
  requested: 'stepRequested',
  started: 'stepStarted',
  step: 'stepStep',
  ready: 'stepReady',
  completed: 'stepCompleted',
  paused: 'stepPaused',
  aborted: 'stepAborted',
  failed: 'stepFailed',
  rolled_back: 'stepRolledBack',
  removed: 'stepRemoved',
  noted: 'stepNoted',
}

export const remarkKeys: Readonly<Record<ReleaseItem['remarks'][number], TextKey>> = {
  'no-event': 'remarkNoEvent',
  'late-event': 'remarkLateEvent',
  'skewed-clock': 'remarkSkewedClock',
  'future-event': 'remarkFutureEvent',
  alias: 'remarkAlias',
  'never-reported': 'remarkNeverReported',
  'never-served': 'remarkNeverServed',
  'duplicate-events': 'remarkDuplicateEvents',
  'out-of-order': 'remarkOutOfOrder',
  'same-minute': 'remarkSameMinute',
  'not-drained': 'remarkNotDrained',
  'left-open': 'remarkLeftOpen',
}

type Measure = ReleaseVerdict['measures'][number]

export const measureKeys: Readonly<Record<Measure['measure'], TextKey>> = {
  system_error: 'measureSystemError',
  business_error: 'measureBusinessError',
  shed: 'measureShed',
  business_reject: 'measureBusinessReject',
  latency: 'measureLatency',
  new_error_signatures: 'measureNewErrorSignatures',
  requests_lost: 'measureRequestsLost',
  resource_per_request: 'measureResourcePerRequest',
}

export const reasonKeys: Readonly<Record<Measure['reasons'][number], TextKey>> = {
  'error-not-new': 'reasonErrorNotNew',
  'few-and-transient': 'reasonFewAndTransient',
  'too-few-earlier-releases': 'reasonTooFewEarlierReleases',
  'not-significantly-higher': 'reasonNotSignificantlyHigher',
  'usual-during-releases': 'reasonUsualDuringReleases',
}
