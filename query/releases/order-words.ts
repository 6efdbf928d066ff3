// What is to be said of an order, in both languages. Plain text; names stay as they were given.

import type { Told } from '../http/fault-schemas.ts'
import { itemName, type OrderItem } from '../registry/kinds/release-order.ts'
import type { ItemFlag, ItemProgress, OrderFlag, OrderProgress } from './order-progress.ts'

/** One sentence that says how it stands. */
export function orderHeadline({ items, flags }: OrderProgress): Told {
  const count = (state: ItemProgress['state']) => items.filter((item) => item.state === state).length
  const parts = [
    [count('done'), 'done', '完成'],
    [count('running'), 'under way', '进行中'],
    [count('planned'), 'planned', '待发布'],
    [count('missing'), 'missing', '未发布'],
    [count('taken-back'), 'taken back', '已回退'],
  ] as const
  const told = parts.filter(([number]) => number > 0)
  const en = `${items.length} ${items.length === 1 ? 'item' : 'items'}: ${told.map(([number, word]) => `${number} ${word}`).join(', ')}.`
  const zh = `共 ${items.length} 项：${told.map(([number, , word]) => `${word} ${number} 项`).join('，')}。`
  if (!flags.includes('half-rolled-back')) return { en, zh }
  return {
    en: `Half rolled back: old and new versions serve together. ${en}`,
    zh: `部分回退：新旧版本同时在线。${zh}`,
  }
}

const name = ({ item, release }: ItemProgress) => nameOf(item, release?.versionTo)
const nameOf = (item: OrderItem, observed: string | undefined) =>
  `${itemName(item)} ${item.version ?? observed ?? ''}`.trim()

/** What is not as it was planned, the worst first. */
export function orderSentences(
  progress: OrderProgress,
): readonly { readonly flag: OrderFlag; readonly text: Told }[] {
  return progress.flags.flatMap((flag) => sentencesOf(flag, progress).map((text) => ({ flag, text })))
}

function sentencesOf(flag: OrderFlag, progress: OrderProgress): readonly Told[] {
  const { items, extra, unknownSystems } = progress
  const of = (state: ItemProgress['state']) => items.filter((item) => item.state === state).map(name)
  const serving = items.filter(({ state }) => state === 'done' || state === 'running').map(name)
  if (flag === 'half-rolled-back')
    return [
      {
        en: `All or nothing, yet ${list(of('taken-back'))} ${of('taken-back').length === 1 ? 'was' : 'were'} taken back while ${list(serving)} still ${serving.length === 1 ? 'serves' : 'serve'}: take back the rest, or release again.`,
        zh: `该发布单要求全部成功或全部回退，但 ${listZh(of('taken-back'))} 已回退，${listZh(serving)} 仍在线：请回退其余各项，或重新发布。`,
      },
    ]
  if (flag === 'half-done')
    return [
      {
        en: `All or nothing, and the window is over without ${list(of('missing'))}.`,
        zh: `该发布单要求全部成功或全部回退，窗口已结束，${listZh(of('missing'))} 未发布。`,
      },
    ]
  if (flag === 'missing')
    return [
      { en: `Never went out: ${list(of('missing'))}.`, zh: `窗口结束仍未发布：${listZh(of('missing'))}。` },
    ]
  if (flag === 'extra-release')
    return extra.map((release) => {
      const what = `${release.service || release.target} ${release.versionTo}`.trim()
      return {
        en: `${what} went out in the window; no order names it.`,
        zh: `窗口内发布了 ${what}，没有发布单包含它。`,
      }
    })
  if (flag === 'unknown-system')
    return [
      {
        en: `The registry knows no ${unknownSystems.length === 1 ? 'system' : 'systems'} ${list(unknownSystems)}: check the spelling, or register.`,
        zh: `登记中没有系统 ${listZh(unknownSystems)}：请核对名称或先登记。`,
      },
    ]
  return items.filter(({ flags }) => flags.includes(flag)).map((item) => itemSentence(flag, item))
}

function itemSentence(flag: ItemFlag, item: ItemProgress): Told {
  const what = name(item)
  const { release, overtook, steps } = item
  switch (flag) {
    case 'late':
      return release?.readyAtMs === undefined
        ? { en: `${what} does not serve yet, and the window is over.`, zh: `窗口已结束，${what} 尚未上线。` }
        : { en: `${what} served only after the window.`, zh: `${what} 在窗口结束后才上线。` }
    case 'wrong-version':
      return {
        en: `${itemName(item.item)} was to become ${item.item.version}, and ${release?.versionTo || 'another version'} went out.`,
        zh: `${itemName(item.item)} 计划版本 ${item.item.version}，实际上线 ${release?.versionTo || '其他版本'}。`,
      }
    case 'out-of-order': {
      const earlier = overtook.map((other) => nameOf(other, undefined))
      return {
        en: `${what} served before ${list(earlier)}.`,
        zh: `${what} 先于 ${listZh(earlier)} 上线，与计划顺序不符。`,
      }
    }
    case 'gray-not-as-planned': {
      const late = steps.filter(({ state }) => state === 'late').length
      const skipped = steps.filter(({ state }) => state === 'skipped').length
      return {
        en: `Gray steps of ${what}: ${late} late, ${skipped} left out.`,
        zh: `${what} 的灰度步骤：${late} 步延迟，${skipped} 步被跳过。`,
      }
    }
    case 'wider-than-planned':
      return { en: `${what} serves more than was planned.`, zh: `${what} 的灰度范围超出计划。` }
    case 'left-open':
      return {
        en: `${what} is gray for longer than the order allows.`,
        zh: `${what} 的灰度时间超过发布单规定。`,
      }
    case 'unknown-system':
    default:
      return { en: `The system of ${what} is not registered.`, zh: `${what} 所属系统未登记。` }
  }
}

const SHOWN_MAX = 10
const cut = (names: readonly string[]) =>
  names.length <= SHOWN_MAX ? names : [...names.slice(0, SHOWN_MAX), `+${names.length - SHOWN_MAX}`]
const list = (names: readonly string[]) => cut(names).join(', ')
const listZh = (names: readonly string[]) => cut(names).join('、')
