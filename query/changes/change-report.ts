// The change effect ledger: what each release cost against what would have been without it, and the four keys of DORA by team,
// system and vendor. Pure; who reads verdicts and counts lives elsewhere.

import type { ChangeItem, ChangesReply, ChangeTotals } from '../http/change-schemas.ts'
import type { BeforeAfter } from '../reports/release-effects.ts'
import type { Release } from '../releases/release.ts'
import { iso } from '../time-range.ts'
import { releaseName } from '../verdicts/release-verdict.ts'
import { wordOf, type KeptVerdict } from '../verdicts/verdict-store.ts'

const TAKEN_BACK: ReadonlySet<string> = new Set(['aborted', 'rolled_back'])
const DAY_MS = 86_400_000

export const DEFINITIONS: ChangesReply['definitions'] = [
  {
    name: 'perDay',
    text: {
      en: 'Deployment frequency: releases that became ready (or, where nothing shows that, began) in the range, a day; told and implicit ones.',
      zh: '部署频率：统计期内就绪（无流量佐证时为开始）的投产数 ÷ 天数，含无事件的隐式投产。',
    },
  },
  {
    name: 'leadTimeMedianSeconds',
    text: {
      en: 'Lead time: from the earliest thing that was told of a release (commit, merge, approval) to its first traffic; only releases of which something was told before they began. The median, and of how many.',
      zh: '变更前置时间：从最早的相关事件（提交、合并、审批）到首笔流量；仅含有此类事件的投产。给出中位数及样本数。',
    },
  },
  {
    name: 'changeFailureRatio',
    text: {
      en: 'Change failure rate, measured from effect: releases that are worse (a person’s word before ours) or were taken back ÷ releases that are worse, not worse or taken back. Those that cannot be told are in neither.',
      zh: '变更失败率（按实际效果）：变差（人的结论优先）或被回退的投产 ÷ 已有结论或被回退的投产；尚不能判断的不计入。',
    },
  },
  {
    name: 'recoveryMedianSeconds',
    text: {
      en: 'Time to restore, measured from effect: from the first minute in which a failed release cost requests to the end of the last, when it is over. The median, and of how many.',
      zh: '恢复时间（按实际效果）：失败投产从首个受损分钟到末个受损分钟结束，仅含已恢复的。给出中位数及样本数。',
    },
  },
  {
    name: 'lostRequests',
    text: {
      en: 'Lost: bad requests (system errors, business errors, shed) of those exposed, beyond what their counterfactual leads one to expect; minutes in which that was at least two requests and half a percent. counterfactual says what it is: the version before in the same minutes, others outside the scope, or the time before alone.',
      zh: '损失：命中请求中超出反事实预期的坏请求（系统错误、业务错误、限流）；损失分钟为该分钟超出至少两笔且不低于 0.5 %。counterfactual 说明对照：同一分钟旧版本、灰度范围外请求，或仅投产前。',
    },
  },
]

export type ChangeSource = { readonly kept: KeptVerdict; readonly effects: BeforeAfter | undefined }

export function changeItem({ kept, effects }: ChangeSource): ChangeItem {
  const { release, effect, verdict } = kept
  const word = wordOf(verdict)
  const isFailure = word === 'worse' || TAKEN_BACK.has(release.state)
  const { worseSinceMs, recoveredAtMs } = effect ?? {}
  const readyAtMs = release.readyAtMs
  return {
    release: release.id,
    name: releaseName(release),
    service: release.service === '' ? release.target : release.service,
    version: release.versionTo,
    system: kept.system ?? null,
    team: kept.team ?? null,
    vendor: kept.vendor ?? null,
    changeType: release.changeType,
    state: release.state,
    readyAt: readyAtMs === undefined ? null : iso(readyAtMs),
    verdict: word,
    isFailure,
    counterfactual: effect?.method ?? null,
    lostRequests: effect === undefined ? null : Math.round(effect.excessRequests * 10) / 10,
    lostMinutes: effect?.badMinutes ?? null,
    worseSince: worseSinceMs === undefined ? null : iso(worseSinceMs),
    recoveredAt: recoveredAtMs === undefined ? null : iso(recoveredAtMs),
    recoverySeconds:
      isFailure && worseSinceMs !== undefined && recoveredAtMs !== undefined
        ? (recoveredAtMs - worseSinceMs) / 1000
        : null,
    leadTimeSeconds: leadTimeSeconds(release),
    before: effects?.before ?? null,
    after: effects?.after ?? null,
  }
}

/** From the first thing that was told before it began. */
function leadTimeSeconds({ stages, readyAtMs }: Release): number | null {
  const told = stages.filter(({ kind }) => kind === 'noted' || kind === 'requested').map(({ atMs }) => atMs)
  const first = told.reduce((a, b) => Math.min(a, b), Infinity)
  return readyAtMs === undefined || first >= readyAtMs ? null : (readyAtMs - first) / 1000
}

export function changeTotals(items: readonly ChangeItem[], days: number): ChangeTotals[] {
  const by = (kind: 'team' | 'system' | 'vendor') =>
    [...Map.groupBy(items, (item) => item[kind] ?? '')]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, group]) => totalsOf(kind, name, group, days))
  return [totalsOf('all', '', items, days), ...by('team'), ...by('system'), ...by('vendor')]
}

function totalsOf(
  by: ChangeTotals['by'],
  name: string,
  items: readonly ChangeItem[],
  days: number,
): ChangeTotals {
  const failures = items.filter(({ isFailure }) => isFailure)
  const judged = items.filter((item) => item.isFailure || item.verdict !== 'cannot-tell')
  const leads = items.flatMap(({ leadTimeSeconds: seconds }) => (seconds === null ? [] : [seconds]))
  const recoveries = failures.flatMap(({ recoverySeconds: seconds }) => (seconds === null ? [] : [seconds]))
  return {
    by,
    name,
    releases: items.length,
    perDay: items.length / days,
    judged: judged.length,
    failures: failures.length,
    changeFailureRatio: judged.length === 0 ? null : failures.length / judged.length,
    leadTimeMedianSeconds: median(leads),
    leadTimeKnown: leads.length,
    recoveryMedianSeconds: median(recoveries),
    recoveryKnown: recoveries.length,
    lostRequests: failures.reduce((sum, item) => sum + (item.lostRequests ?? 0), 0),
    lostMinutes: failures.reduce((sum, item) => sum + (item.lostMinutes ?? 0), 0),
  }
}

export const daysOf = (fromMs: number, toMs: number): number => (toMs - fromMs) / DAY_MS

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const high = sorted[Math.floor(middle)]
  if (high === undefined) return null
  return Number.isInteger(middle) ? (high + (sorted[middle - 1] ?? high)) / 2 : high
}
