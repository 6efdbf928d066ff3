// The verdict on a night: one line for each system, and one word for all: go, watch, or roll back. Pure and deterministic.

import type { Told } from '../http/fault-schemas.ts'
import type { WindowLine, WindowVerdict, WindowWord } from '../http/verdict-schemas.ts'
import { iso } from '../time-range.ts'
import { releaseName } from '../verdicts/release-verdict.ts'
import { wordOf, type KeptVerdict } from '../verdicts/verdict-store.ts'
import { NO_ORDERS, type NightOrders } from './night-orders.ts'
import type { ReleaseWindow } from './release-window.ts'

const ORDER: readonly WindowWord[] = ['go', 'watch', 'roll-back']
const TAKEN_BACK: ReadonlySet<string> = new Set(['aborted', 'rolled_back', 'removed'])

/**
 * @param kept    releases that were begun in the window
 * @param orders  what its release orders planned and did not see, and what none of them planned
 */
export function windowVerdict(
  window: ReleaseWindow,
  timeZone: string,
  kept: readonly KeptVerdict[],
  orders: NightOrders = NO_ORDERS,
): WindowVerdict {
  const systemOfRelease = new Map(kept.map(({ release, system = '' }) => [release.id, system]))
  const missing = Map.groupBy(orders.missing, ({ system }) => system)
  // A release stands in the line that its verdict stands in.
  const extra = Map.groupBy(orders.extra, (one) => systemOfRelease.get(one.release) ?? one.system)
  const bySystem = Map.groupBy(kept, ({ system }) => system ?? '')
  const lines = [...new Set([...bySystem.keys(), ...missing.keys(), ...extra.keys()])]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((system) =>
      lineOf(system, bySystem.get(system) ?? [], {
        missing: missing.get(system) ?? [],
        extra: extra.get(system) ?? [],
      }),
    )
  const verdict = worst(lines.map((line) => line.verdict))
  return {
    id: window.id,
    from: iso(window.fromMs),
    to: iso(window.toMs),
    timeZone,
    verdictAt: iso(window.verdictAtMs),
    verdict,
    reasons: reasonsOf(lines),
    lines,
  }
}

function lineOf(system: string, kept: readonly KeptVerdict[], orders: NightOrders): WindowLine {
  const releases = kept
    .map((one) => ({
      id: one.release.id,
      name: releaseName(one.release),
      verdict: wordOf(one.verdict),
      ours: one.verdict.verdict,
      fault: one.verdict.fault,
      isTakenBack: TAKEN_BACK.has(one.release.state),
      orderId: one.release.orderId,
      headline: one.verdict.headline,
      overrideReason: one.verdict.override?.reason ?? null,
    }))
    .toSorted((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1))
  const worse = releases.filter((one) => one.verdict === 'worse' && !one.isTakenBack)
  // A person who calls it worse says nothing of the kind: then it is taken for technical.
  const technical = worse.filter(({ fault }) => fault !== 'business')
  const open = releases.filter((one) => one.verdict === 'cannot-tell' && !one.isTakenBack)
  const takenBack = releases.filter(({ isTakenBack }) => isTakenBack)
  const name = system === '' ? { en: 'Without a system', zh: '未归属系统' } : { en: system, zh: system }
  const names = (list: readonly { readonly name: string }[]) => list.map((one) => one.name).join(', ')
  const parts: Told[] = []
  if (technical.length > 0)
    parts.push({ en: `roll back ${names(technical)}`, zh: `建议回退 ${names(technical)}` })
  const business = worse.filter((one) => !technical.includes(one))
  if (business.length > 0)
    parts.push({
      en: `a person decides about ${names(business)} (business fault)`,
      zh: `${names(business)} 为业务故障，由人决定`,
    })
  if (open.length > 0) parts.push({ en: `cannot tell yet: ${names(open)}`, zh: `尚不能判断：${names(open)}` })
  if (takenBack.length > 0)
    parts.push({ en: `taken back: ${names(takenBack)}`, zh: `已回退：${names(takenBack)}` })
  const { missing, extra } = orders
  const ofOrders = (list: readonly { readonly name: string; readonly order: string }[]) => ({
    en: list.map(({ name: one, order }) => `${one} (order ${order})`).join(', '),
    zh: list.map(({ name: one, order }) => `${one}（发布单 ${order}）`).join('、'),
  })
  if (missing.length > 0)
    parts.push({
      en: `planned and not seen: ${ofOrders(missing).en}`,
      zh: `计划内未投产：${ofOrders(missing).zh}`,
    })
  if (extra.length > 0)
    parts.push({ en: `in no order: ${ofOrders(extra).en}`, zh: `计划外投产：${ofOrders(extra).zh}` })
  const toWatch = business.length + open.length + missing.length + extra.length
  const fine = releases.length - worse.length - open.length - takenBack.length
  if (fine > 0) parts.push({ en: `${fine} not worse`, zh: `${fine} 个未变差` })
  return {
    system,
    verdict: technical.length > 0 ? 'roll-back' : toWatch > 0 ? 'watch' : 'go',
    text: {
      en: `${name.en}: ${parts.map(({ en }) => en).join('; ')}.`,
      zh: `${name.zh}：${parts.map(({ zh }) => zh).join('；')}。`,
    },
    releases,
    missing: missing.map(({ order, name: what }) => ({ order, name: what })),
    extra: extra.map(({ order, name: what, release }) => ({ order, name: what, release })),
  }
}

function reasonsOf(lines: readonly WindowLine[]): Told[] {
  if (lines.length === 0) return [{ en: 'Nothing was released in this window.', zh: '本窗口没有投产。' }]
  const telling = lines.filter(({ verdict }) => verdict !== 'go')
  if (telling.length === 0)
    return [
      { en: 'No release of this window is worse than what served before.', zh: '本窗口所有投产均未变差。' },
    ]
  return telling
    .toSorted((a, b) => ORDER.indexOf(b.verdict) - ORDER.indexOf(a.verdict))
    .map(({ text }) => text)
}

const worst = (words: readonly WindowWord[]): WindowWord =>
  words.reduce<WindowWord>((one, other) => (ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one), 'go')
