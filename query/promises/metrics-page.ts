// How SLOs stand as a page that Prometheus scrapes: names and labels of Sloth where they say the same, so that its dashboards and rules
// go on working, and names of our own beside them. Pure. What is not known has no line: never 0, never NaN.

import { setImmediate } from 'node:timers/promises'
import { windowLengthMs } from '../slo/slo-window.ts'
import type { Standing } from './board.ts'
import type { ToldStatus } from './status-store.ts'
import { groupLabel } from './group-label.ts'
import { windowText } from './slo-item.ts'

export const METRICS_PAGE_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Prometheus forgets a sample after five minutes; what was judged longer ago is no news here either. */
const STALE_MS = 300_000
const DAY_MS = 86_400_000
const AT_ONCE = 200

/** Labels as they are written, without those that are empty: made once for all lines that carry them. */
const labelText = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .filter(([, text]) => text !== '')
    .map(([label, text]) => `${label}="${escapeLabel(text)}"`)
    .join(',')

/** Name → what it means. Names of windows are made from their lengths. */
const HELP: Readonly<Record<string, string>> = {
  'slo:objective:ratio': 'Target of the SLO, 0 to below 1',
  'slo:error_budget:ratio': '1 - target',
  'slo:time_period:days': 'Length of the SLO window in days; of a calendar window the one that runs',
  'slo:current_burn_rate:ratio': 'Burn rate over the shortest window; 1 spends the budget in one SLO window',
  'slo:period_burn_rate:ratio': 'Burn rate over the SLO window',
  'slo:period_error_budget_remaining:ratio':
    'Part of the budget that is left, signed; of a calendar window a share of the whole one',
  surety_slo_info: 'Where the SLO belongs; always 1',
  surety_slo_condition: 'The condition that the SLO is in; 1',
  surety_slo_frozen: '1 while what fires cannot be judged and stays as it was',
  surety_slo_coverage_ratio: 'Known part of the SLO window',
  surety_slo_sli_ratio: 'Good by all over the SLO window',
  surety_slo_error_budget_remaining_ratio: 'Part of the budget that is left, signed',
  surety_slo_events_per_second: 'Events a second, over the part of the window that is known',
  surety_slo_budget_exhausted_in_seconds: 'How long the budget lasts at the present pace',
  surety_slo_known_from_timestamp_seconds: 'First slice that is known',
  surety_slo_judged_timestamp_seconds: 'The newest instant that was judged',
}
const SLI_ERROR = /^slo:sli_error:ratio_rate(.+)$/

class Page {
  readonly #families = new Map<string, string[]>()

  /** A value that is not known, or no number, has no line. */
  put(name: string, labels: string, value: number | null | undefined): void {
    if (value === undefined || value === null || !Number.isFinite(value)) return
    const lines = this.#families.get(name)
    const line = `${name}{${labels}} ${value}`
    if (lines === undefined) this.#families.set(name, [line])
    else lines.push(line)
  }

  text(): string {
    const parts = [...this.#families]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, lines]) => `# HELP ${name} ${helpOf(name)}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`)
    return parts.join('')
  }
}

const helpOf = (name: string) =>
  HELP[name] ?? `Bad by all over the last ${SLI_ERROR.exec(name)?.[1] ?? 'window'}, exclusions applied`

/** Ten thousand SLOs are 300,000 lines; others have their turn in between. */
export async function metricsPage(standings: readonly Standing[], nowMs: number): Promise<string> {
  const page = new Page()
  for (const [place, { slo, judged, group, row }] of standings.entries()) {
    if (place % AT_ONCE === AT_ONCE - 1) await setImmediate()
    const { policy, budgetRatio } = judged.compiled
    const { service, objectives } = slo.definition
    // As Sloth names what it takes from OpenSLO; one objective needs no number.
    const id = `${service}-${slo.name}${objectives.length > 1 && !judged.isComposite ? `-${judged.objective}` : ''}`
    const within = { objective: String(judged.objective), group: groupLabel(group) }
    const own = labelText({ slo: slo.name, ...within })
    const sloth = labelText({ sloth_id: id, sloth_service: service, sloth_slo: slo.name, ...within })
    page.put('slo:objective:ratio', sloth, policy.objective)
    page.put('slo:error_budget:ratio', sloth, budgetRatio)
    page.put('slo:time_period:days', sloth, windowLengthMs(policy.window, nowMs) / DAY_MS)
    const belongs = labelText({
      service,
      system: slo.system ?? '',
      tier: slo.tier ?? '',
      owner: slo.owner ?? '',
      slo_window: windowText(policy.window),
      budgeting: policy.budgeting.method,
    })
    page.put('surety_slo_info', `${own},${belongs}`, 1)
    if (row === undefined) continue
    page.put('surety_slo_judged_timestamp_seconds', own, seconds(row.status.judgedAtMs))
    page.put('surety_slo_known_from_timestamp_seconds', own, seconds(row.status.knownFromMs))
    if (nowMs - row.judgedAtMs > STALE_MS) continue
    putWindow(page, own, row.status)
    putBurns(page, sloth, row.status)
    if (policy.budgeting.method === 'Occurrences') putRates(page, own, row.status, slo.stepMs)
  }
  return page.text()
}

function putWindow(page: Page, own: string, status: ToldStatus): void {
  page.put('surety_slo_condition', `${own},condition="${status.condition}"`, 1)
  page.put('surety_slo_frozen', own, Number(status.isFrozen))
  const { window, pace } = status
  for (const [exclusions, side, budget] of [
    ['applied', window?.net, status.budget],
    ['ignored', window?.gross, status.budgetGross],
  ] as const) {
    const labels = `${own},exclusions="${exclusions}"`
    page.put('surety_slo_coverage_ratio', labels, side?.coverage)
    page.put('surety_slo_sli_ratio', labels, side?.sliRatio)
    page.put('surety_slo_error_budget_remaining_ratio', labels, budget?.remainingRatio)
  }
  if (pace !== undefined && pace.exhaustedInMs !== 'never')
    page.put('surety_slo_budget_exhausted_in_seconds', own, pace.exhaustedInMs / 1000)
}

function putBurns(page: Page, sloth: string, { window, budget, burns }: ToldStatus): void {
  page.put('slo:period_burn_rate:ratio', sloth, window?.net.burnRate)
  page.put('slo:period_error_budget_remaining:ratio', sloth, budget?.remainingRatio)
  const [shortest] = burns.toSorted((a, b) => a.windowMs - b.windowMs)
  page.put('slo:current_burn_rate:ratio', sloth, shortest?.status?.net.burnRate)
  for (const { windowMs, status } of burns) {
    const text = windowText({ kind: 'rolling', durationMs: windowMs })
    page.put(
      `slo:sli_error:ratio_rate${text}`,
      `${sloth},sloth_window="${text}"`,
      errorRatio(status?.net.sliRatio),
    )
  }
}

function putRates(page: Page, own: string, { burns }: ToldStatus, stepMs: number): void {
  for (const { windowMs, status } of burns) {
    // A minute that is known says nothing of a month.
    if (status?.net.kind !== 'known' && status?.net.kind !== 'no-traffic') continue
    const { total, known } = status.net.counts
    const window = windowText({ kind: 'rolling', durationMs: windowMs })
    if (known > 0)
      page.put('surety_slo_events_per_second', `${own},window="${window}"`, (total * 1000) / (known * stepMs))
  }
}

/** What a subtraction adds behind the fifteenth digit is cut off. */
const errorRatio = (sliRatio: number | null | undefined) =>
  sliRatio === undefined || sliRatio === null ? undefined : Number((1 - sliRatio).toFixed(15))

const seconds = (ms: number | null | undefined) => (ms === undefined || ms === null ? undefined : ms / 1000)

/** As the text format wants it; a lone surrogate is no character of it. */
const escapeLabel = (text: string) =>
  text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
