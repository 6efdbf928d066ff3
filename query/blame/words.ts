// Every sentence of an explanation, in both languages, with the figures it stands on. Plain text: whoever shows it escapes it.

import type { Told } from '../http/fault-schemas.ts'
import type { Candidate } from './case.ts'
import type { ExposureContrast, Side } from './contrast.ts'
import type { OtherCause } from './other-causes.ts'
import type { PlaceCause } from './place-causes.ts'

export const told = (en: string, zh: string): Told => ({ en, zh })

/** «38.2 %», «0.31 %», «0 %». */
export function percent(ratio: number): string {
  const value = ratio * 100
  const digits = value === 0 ? 0 : value >= 1 ? 1 : value >= 0.1 ? 2 : 3
  return `${value.toFixed(digits)} %`
}

/** Of a posterior: what is nearly sure is not said to be sure. */
export const chance = (posterior: number): string => (posterior >= 0.9995 ? '> 99.9 %' : percent(posterior))

/** «1,078»; fractions of weighed samples are rounded. */
export const count = (value: number): string =>
  String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')

const fixed = (value: number): string => value.toFixed(1)

const share = (side: Side): string =>
  `${percent(side.requests > 0 ? side.bad / side.requests : 0)} (${count(side.bad)}/${count(side.requests)})`

export const minuteText = (minutes: number): string => {
  if (minutes < 120) return `${Math.round(minutes)} min`
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} d`
}
const minuteTextZh = (minutes: number): string => {
  if (minutes < 120) return `${Math.round(minutes)} 分钟`
  return minutes < 2880 ? `${Math.round(minutes / 60)} 小时` : `${Math.round(minutes / 1440)} 天`
}

/** «pay 2.13.4 → 2.14.0», or what changed when it is no version. */
export function releaseName({ release }: Candidate): string {
  const what = release.service || release.target || release.toldService
  const versions =
    release.versionFrom === '' ? release.versionTo : `${release.versionFrom} → ${release.versionTo}`
  return release.versionTo === '' ? `${what} (${release.changeType})` : `${what} ${versions}`
}

/** «region = R3; 5 %»; empty for everybody. */
export function scopeName({ release }: Candidate): string {
  const parts = release.scope.selectors.map(
    ({ attribute, match, values }) =>
      `${attribute} ${match === 'exact' ? '=' : match} ${values.slice(0, 5).join(', ')}${values.length > 5 ? ' …' : ''}`,
  )
  const weight = release.scope.weightPercent
  if (weight !== undefined && weight < 100) parts.push(`${weight} %`)
  return parts.join('; ')
}

const bad = (isSlow: boolean): Told => (isSlow ? told('were slow', '变慢') : told('failed', '失败'))

export const timeWords = {
  veto: (minutes: number): Told =>
    told(
      `It began to serve ${minuteText(minutes)} after the fault began, so it cannot be the cause.`,
      `它在故障开始 ${minuteTextZh(minutes)}后才开始服务，不可能是原因。`,
    ),
  neverServed: (): Told =>
    told('No request has met it before the fault began.', '故障开始前没有请求经过它。'),
  lag: (minutes: number): Told =>
    told(
      `It took effect ${minuteText(minutes)} before the fault began.`,
      `它在故障开始前 ${minuteTextZh(minutes)}生效。`,
    ),
}

export function contrastWords(candidate: Candidate, contrast: ExposureContrast, isSlow: boolean): Told {
  const { release } = candidate
  const version = release.versionTo || release.changeType
  const before = release.versionFrom || (candidate.scopeCells === undefined ? '' : 'out of scope')
  const verb = bad(isSlow)
  const control =
    before === 'out of scope'
      ? told('outside its scope', '范围外')
      : told(`on ${before || 'the version before'}`, `旧版本 ${before}`.trim())
  const { exposed, control: others } = contrast
  if (contrast.method === 'concurrent')
    return told(
      `${share(exposed).replace(' (', ` of requests on ${version} ${verb.en} (`)}, ${share(others).replace(' (', ` ${control.en} at the same minutes (`)}; z = ${fixed(contrast.z)}.`,
      `新版本 ${version} 的请求有 ${share(exposed).replace(' (', ` ${verb.zh}（`).replace(')', '）')}，同一时间${control.zh} ${share(others).replace(' (', '（').replace(')', '）')}；z = ${fixed(contrast.z)}。`,
    )
  const usual = (side: Side): string => percent(side.requests > 0 ? side.usual / side.requests : 0)
  return told(
    `Inside its scope ${share(exposed)} ${verb.en} where ${usual(exposed)} was usual; outside ${share(others)} where ${usual(others)} was usual; difference in differences z = ${fixed(contrast.z)}.`,
    `范围内${verb.zh} ${share(exposed)}，平常为 ${usual(exposed)}；范围外 ${share(others)}，平常为 ${usual(others)}；双重差分 z = ${fixed(contrast.z)}。`,
  )
}

export const contrastRemarks = {
  noControl: (): Told =>
    told(
      'Every request that met its service met the new version: there is no control group to compare with.',
      '经过该服务的请求全部是新版本，没有对照组可比较。',
    ),
  notTouched: (badRequests: number): Told =>
    told(
      `None of the ${count(badRequests)} failing requests touched it.`,
      `${count(badRequests)} 笔异常请求都没有经过它。`,
    ),
  weak: (z: number): Told =>
    told(
      `Not enough traffic yet to tell both sides apart (z = ${fixed(z)}).`,
      `流量还不足以区分两侧（z = ${fixed(z)}）。`,
    ),
  exonerated: (en: string, zh: string, z: number, zIfGuilty: number): Told =>
    told(
      `${en} If it were the cause, z would be about ${fixed(zIfGuilty)}; it is ${fixed(z)}.`,
      `${zh}若是它引起，z 应约为 ${fixed(zIfGuilty)}，实际为 ${fixed(z)}。`,
    ),
  othersToo: (ratio: number): Told =>
    told(
      `${percent(ratio)} of the excess is among requests that never met it.`,
      `${percent(ratio)} 的超额异常出现在没有经过它的请求中。`,
    ),
  betterExplained: (by: string): Told =>
    told(`Where requests go bad is described better by ${by}.`, `异常的分布用 ${by} 解释更好。`),
}

export const doseWords = {
  recovered: (before: number, after: number): Told =>
    told(
      `After it was taken back the ratio fell from ${percent(before)} to ${percent(after)}.`,
      `回滚后异常率从 ${percent(before)} 降到 ${percent(after)}。`,
    ),
  stayed: (before: number, after: number): Told =>
    told(
      `It was taken back and the fault stayed: ${percent(before)} before, ${percent(after)} after.`,
      `回滚后故障仍在：之前 ${percent(before)}，之后 ${percent(after)}。`,
    ),
  follows: (): Told =>
    told('The excess grows and shrinks with its share of the traffic.', '超额异常随它的流量占比增减。'),
  ignores: (): Told =>
    told('The excess does not follow its share of the traffic.', '超额异常不随它的流量占比变化。'),
  wentAway: (): Told =>
    told('The effect went away while the version stayed.', '版本仍在服务，影响已自行消失。'),
}

export const scopeWords = (inside: number, traffic: number): Told =>
  told(
    `${percent(inside)} of the excess lies inside its scope, which has ${percent(traffic)} of the traffic.`,
    `${percent(inside)} 的超额异常在其范围内，该范围占流量的 ${percent(traffic)}。`,
  )

export const originWords = {
  here: (ratio: number, ochiai: number): Told =>
    told(
      `${percent(ratio)} of the failures began at this version; Ochiai ${ochiai.toFixed(2)}.`,
      `${percent(ratio)} 的失败始于该版本；Ochiai ${ochiai.toFixed(2)}。`,
    ),
  hops: (service: string, hops: number): Told =>
    told(
      `Most failures began at ${service}, ${hops} ${hops === 1 ? 'hop' : 'hops'} away.`,
      `多数失败始于 ${service}，相距 ${hops} 跳。`,
    ),
  apart: (service: string): Told =>
    told(
      `Failures began at ${service}, which no observed call connects with it.`,
      `失败始于 ${service}，没有观测到与它相连的调用。`,
    ),
}

export const noveltyWords = {
  novel: (type: string, ratio: number): Told =>
    told(
      `The error «${type}» is new: not in the versions before; ${percent(ratio)} of it on this version.`,
      `错误“${type}”是新出现的，旧版本没有；${percent(ratio)} 在该版本上。`,
    ),
  usual: (times: number, of: number): Told =>
    told(
      `This error appeared at ${times} of its last ${of} releases: usual during releases.`,
      `该错误在最近 ${of} 次投产中出现 ${times} 次，属投产期间常见。`,
    ),
}

export const stepWords = {
  others: (): Told =>
    told('Operations that never call it went bad at the same time.', '不调用它的操作同时变差。'),
  flat: (hit: number, of: number): Told =>
    told(
      `${hit} of ${of} operations that call it went bad at the onset; those that do not stayed flat.`,
      `调用它的 ${of} 个操作中有 ${hit} 个在故障开始时变差，不调用它的保持平稳。`,
    ),
  alone: (): Told =>
    told(
      'All operations at hand call it: only time and place speak, not a comparison.',
      '所有操作都调用它：只有时间和位置，没有对比。',
    ),
}

const PLACES = { site: '中心', cluster: '集群', zone: '可用区', node: '节点' } as const

export const competingWords = {
  place: (cause: PlaceCause): Told => {
    const same = {
      en: cause.sameAs.map(({ kind, name }) => `${kind} ${name}`).join(', '),
      zh: cause.sameAs.map(({ kind, name }) => `${PLACES[kind]} ${name}`).join('、'),
    }
    return told(
      `${percent(cause.share)} of the requests that failed by themselves ran in ${cause.kind} ${cause.name}${same.en === '' ? '' : ` (all there is of ${same.en})`}, in ${cause.servicesHit.length} services, whatever their version.`,
      `${percent(cause.share)} 的自身失败发生在${PLACES[cause.kind]} ${cause.name}${same.zh === '' ? '' : `（即${same.zh}的全部）`}，涉及 ${cause.servicesHit.length} 个服务，与版本无关。`,
    )
  },
  other: ({ kind, name, figures, share: part }: OtherCause): Told => {
    const figure = (key: string): number => figures[key] ?? 0
    if (kind === 'load')
      return told(
        `Requests grew to ${fixed(figure('growth'))} times the rate before; ${percent(figure('shedShare'))} of the bad ones were refused by limits.`,
        `请求量增至之前的 ${fixed(figure('growth'))} 倍；${percent(figure('shedShare'))} 的异常为限流拒绝。`,
      )
    if (kind === 'schedule')
      return told(
        `A new error on all versions since one minute: «${name}» (${count(figure('count'))} times).`,
        `从某一分钟起所有版本同时出现新错误：“${name}”（${count(figure('count'))} 次）。`,
      )
    if (kind === 'client-version' || kind === 'caller')
      return told(
        `${percent(part)} of the excess comes from ${kind === 'caller' ? 'caller' : 'client version'} ${name}.`,
        `${percent(part)} 的超额异常来自${kind === 'caller' ? '调用方' : '客户端版本'} ${name}。`,
      )
    return told(
      `${percent(part)} of the failures began at calls to ${name}: ${percent(figure('ratio'))} of its calls are bad, ${percent(figure('ratioBefore'))} before, from ${figure('callersHit')} of ${figure('callers')} callers.`,
      `${percent(part)} 的失败始于对 ${name} 的调用：调用异常率 ${percent(figure('ratio'))}，之前 ${percent(figure('ratioBefore'))}，涉及 ${figure('callers')} 个调用版本中的 ${figure('callersHit')} 个。`,
    )
  },
  unknown: (slice: string): Told =>
    slice === ''
      ? told('Something that the data does not name.', '数据中未能指明的其他原因。')
      : told(`Something that hits ${slice}.`, `影响 ${slice} 的其他原因。`),
}

const CAUSES: Readonly<Record<string, string>> = {
  site: '中心',
  cluster: '集群',
  zone: '可用区',
  node: '节点',
  'client-version': '客户端版本',
  caller: '调用方',
  'external-dependency': '外部依赖',
  load: '负载',
  database: '数据库',
  schedule: '定时任务或证书过期',
  unknown: '其他原因',
}
const CAUSES_EN: Readonly<Record<string, string>> = {
  'client-version': 'client version',
  'external-dependency': 'external dependency',
  schedule: 'a schedule or an expired certificate',
  unknown: 'something else',
}

export const causeName = (kind: string, name: string): Told =>
  told(`${CAUSES_EN[kind] ?? kind} ${name}`.trim(), `${CAUSES[kind] ?? kind} ${name}`.trim())

export const headlineWords = {
  blamed: (names: readonly string[], posterior: number): Told =>
    told(
      `${names.join(' together with ')} caused this fault (${chance(posterior)}).`,
      `本次故障由 ${names.join(' 与 ')} 引起（${chance(posterior)}）。`,
    ),
  oneOf: (names: readonly string[], posterior: number): Told =>
    told(
      `One of ${names.join(' or ')} caused this fault (${chance(posterior)}): the data cannot tell them apart.`,
      `本次故障由 ${names.join(' 或 ')} 之一引起（${chance(posterior)}）：数据无法区分。`,
    ),
  suspect: (name: string, posterior: number): Told =>
    told(
      `${name} is the first suspect (${chance(posterior)}); it is not proved.`,
      `${name} 是首要嫌疑（${chance(posterior)}），尚未证实。`,
    ),
  notARollout: (cause: Told, posterior: number): Told =>
    told(
      `No release did it: ${cause.en} (${chance(posterior)}).`,
      `不是投产引起：${cause.zh}（${chance(posterior)}）。`,
    ),
  started: (): Told =>
    told(
      'Nothing is wrong beyond errors of instances that start, as most releases bring them.',
      '除实例启动期间的惯常错误外，未见其他异常。',
    ),
  none: (): Told => told('No release did it; what did is not known.', '不是投产引起；原因未明。'),
  inconclusive: (): Told =>
    told('It cannot be told yet what caused this fault.', '尚不能判断本次故障的原因。'),
  nothing: (): Told =>
    told('No deviation can be seen in the requests of this fault.', '该故障的请求中看不到偏离。'),
}

/** What was set aside. */
export const startUpWords = (name: string, failed: number): Told =>
  told(
    `${count(failed)} failed requests while ${name} started are set aside: the same error came with most of its earlier releases.`,
    `${name} 启动期间的 ${count(failed)} 笔失败请求未计入：同样的错误在其此前多数发布中都出现过。`,
  )

export const decideWords = {
  traffic: (name: string, requests: number, minutes: number): Told =>
    told(
      `${count(requests)} more requests on both sides of ${name}, about ${minuteText(minutes)}.`,
      `还需 ${name} 两侧共 ${count(requests)} 笔请求，约 ${minuteTextZh(minutes)}。`,
    ),
  pause: (name: string): Told =>
    told(
      `Pause or narrow ${name} for 5 minutes: if the fault follows, it is the cause.`,
      `将 ${name} 暂停或缩小范围 5 分钟：若故障随之变化，即为原因。`,
    ),
  wait: (): Told => told('A few more minutes of traffic.', '再等几分钟流量。'),
}

export const reasonWords = {
  leading: (reason: Told): Told => reason,
  notFirst: (): Told =>
    told('Nothing speaks against it, but another cause is likelier.', '没有反证，但另有更可能的原因。'),
}

export const rollbackWords = {
  'withdraw-scope': (name: string, scope: string): Told =>
    told(`Withdraw the gray rule of ${name} (${scope}).`, `撤回 ${name} 的灰度规则（${scope}）。`),
  'revert-parameter': (name: string, parameters: string): Told =>
    told(
      `Revert the parameters of ${name}${parameters === '' ? '' : `: ${parameters}`}.`,
      `恢复 ${name} 的参数${parameters === '' ? '' : `：${parameters}`}。`,
    ),
  'roll-back-version': (service: string, version: string): Told =>
    told(
      `Roll ${service} back to ${version === '' ? 'the version before' : version}.`,
      `将 ${service} 回滚到 ${version === '' ? '上一版本' : version}。`,
    ),
  'none-irreversible': (name: string): Told =>
    told(`${name} cannot be taken back; mend it forward.`, `${name} 不可回退，需向前修复。`),
  irreversible: (name: string): Told =>
    told(
      `${name} is marked as irreversible: check data and schema first.`,
      `${name} 标记为不可逆：请先检查数据与表结构。`,
    ),
  schema: (service: string): Told =>
    told(
      `A schema change of ${service} went out meanwhile: the version before may not fit it.`,
      `${service} 期间有表结构变更：旧版本可能不兼容。`,
    ),
  order: (order: string): Told =>
    told(
      `Belongs to release order ${order}: look at what else went out with it.`,
      `属于发布单 ${order}：请核对同单的其他发布。`,
    ),
}
