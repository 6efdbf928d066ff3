// The figures of an SLO's row: how good it was, what is left, how fast that burns. Net figures first; gross ones only where
// exclusions make a difference.

import type { SloItem } from '../../query/http/slo-schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { signedBar } from './signed-bar.ts'
import { burnFigures } from './slo-figures.ts'

const burnsMax = 3

export function sliCell({ target, window }: SloItem, words: Words): (HTMLElement | string)[] {
  const aim = el('span', { class: 'muted under' }, words.text('targetOf', { target: words.sli(target) }))
  if (window === null) return [absent, aim]
  const { net, gross } = window
  const isMissed = net.sliRatio !== null && net.sliRatio < target
  const shown = el(
    'span',
    {
      class: isMissed ? 'bad-text strong' : 'strong',
      title: words.text('sliHint', { good: words.count(net.good), total: words.count(net.total) }),
    },
    `${isMissed ? '▼ ' : ''}${words.sli(net.sliRatio)}`,
  )
  if (gross.sliRatio === net.sliRatio) return [shown, aim]
  const value = words.sli(gross.sliRatio)
  return [
    shown,
    el(
      'span',
      { class: 'muted under', title: words.text('grossOf', { value }) },
      words.text('grossShort', { value }),
    ),
    aim,
  ]
}

export function budgetCell(item: SloItem, nowMs: number, words: Words): (HTMLElement | string)[] {
  const { budget: net, budgetGross, lastGood } = item
  if (net === null) {
    if (lastGood === null) return [absent]
    const time = words.time(Date.parse(lastGood.at), nowMs)
    return [
      absent,
      el(
        'span',
        { class: 'muted under' },
        words.text('lastKnown', { value: words.left(lastGood.remainingRatio), time }),
      ),
    ]
  }
  const { remainingRatio, isEstimate } = net
  const parts = [
    signedBar(remainingRatio),
    el(
      'span',
      {
        class: `strong${remainingRatio < 0 ? ' bad-text' : ''}`,
        title: isEstimate ? words.text('estimate') : undefined,
      },
      `${isEstimate ? '≈ ' : ''}${words.left(remainingRatio)}`,
    ),
  ]
  if (budgetGross !== null && budgetGross.remainingRatio !== remainingRatio) {
    const value = words.left(budgetGross.remainingRatio)
    parts.push(
      el(
        'span',
        { class: 'muted under', title: words.text('grossOf', { value }) },
        words.text('grossShort', { value }),
      ),
    )
  }
  return parts
}

export function burnsCell(item: SloItem, words: Words): (HTMLElement | string)[] {
  const figures = burnFigures(item)
  if (figures.length === 0) return [absent]
  return figures.slice(0, burnsMax).map(({ windowSeconds, rate, above }) => {
    const values = { window: words.seconds(windowSeconds), rate: words.times(rate) }
    return el(
      'span',
      {
        class: 'burn',
        title:
          above === undefined
            ? words.text('burnOf', values)
            : words.text('burnOver', { ...values, factor: words.times(above) }),
      },
      el('span', { class: 'muted' }, values.window),
      ' ',
      el(
        'span',
        { class: above === undefined ? undefined : 'bad-text strong' },
        `${above === undefined ? '' : '▲ '}${values.rate}`,
      ),
    )
  })
}
