// The list of SLOs with its head: how many stand how, the filter, how much of it is shown.

import type { SlosReply } from '../../query/http/slo-schemas.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { conditionMarks } from './slo-marks.ts'
import { fitsFilter, foldGroups, worstFirst } from './slo-order.ts'
import type { SloList } from './slo-questions.ts'
import { sloTable, type SloTable } from './slo-table.ts'

/** A screen's worth. */
export const fewLines = 20
/** The page stays quick with so many rows; the filter finds the rest. */
const manyLines = 200
const unmeasuredMax = 50

export type SloListView = Omit<SloTable, 'lines'> & {
  readonly list: SloList | undefined
  readonly find: string
  readonly isAll: boolean
}

export function sloListView(view: SloListView, words: Words): HTMLElement[] {
  const { list } = view
  const find = view.find.trim()
  const head = el(
    'div',
    { class: 'section-head', 'data-key': 'head' },
    el('h2', { id: 'slos-heading' }, words.text('slos')),
    list === undefined ? undefined : summary(list.counts, words),
    el('input', {
      type: 'search',
      'data-key': 'find',
      id: 'slo-find',
      class: 'find',
      'aria-label': words.text('sloFind'),
      placeholder: words.text('sloFindHint'),
      // What is typed is the element's own; this is where it begins.
      value: view.find === '' ? undefined : view.find,
      spellcheck: 'false',
      maxlength: 100,
    }),
  )
  if (list === undefined) return [head, el('p', { class: 'muted' }, words.text('slosLoading'))]
  const fitting =
    find === '' || list.isFound ? list.items : list.items.filter((item) => fitsFilter(item, find))
  const lines = foldGroups(fitting)
  if (lines.length === 0)
    return [
      head,
      el(
        'p',
        { class: 'muted' },
        find === '' ? words.text('slosEmpty') : words.text('slosNoneFit', { text: find }),
      ),
      ...unmeasured(list, words),
    ]
  const shown = lines.slice(0, view.isAll || find !== '' ? manyLines : fewLines)
  return [
    head,
    sloTable({ ...view, lines: shown }, words),
    ...foot(view, list, lines.length, shown.length, words),
    ...unmeasured(list, words),
  ]
}

/** Definitions that nobody judges here are no rows, and no secret either. */
function unmeasured(list: SloList, words: Words): HTMLElement[] {
  if (list.unmeasured.length === 0) return []
  const told = list.unmeasured
    .slice(0, unmeasuredMax)
    .map(({ slo, reasons }) =>
      el(
        'li',
        {},
        words.text('slosUnmeasuredOne', { slo, reasons: reasons.join(words.text('clauseSeparator')) }),
      ),
    )
  const count = words.count(list.unmeasured.length)
  return [
    el(
      'details',
      { class: 'unmeasured muted', 'data-key': 'unmeasured' },
      el('summary', {}, words.text('slosUnmeasured', { count })),
      el('ul', {}, ...told),
    ),
  ]
}

function summary(counts: SlosReply['counts'], words: Words): HTMLElement {
  const entries = worstFirst.flatMap((condition) => {
    const count = counts[condition] ?? 0
    if (count === 0) return []
    const { mark, label, level } = conditionMarks[condition]
    return [
      el(
        'span',
        { class: `condition plain ${level}`, 'data-key': condition },
        el('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
        words.text('sloSummaryEntry', { count: words.count(count), condition: words.text(label) }),
      ),
    ]
  })
  return el('span', { class: 'summary', role: 'status' }, ...entries)
}

function foot(
  { isAll, find }: SloListView,
  list: SloList,
  lines: number,
  shown: number,
  words: Words,
): HTMLElement[] {
  const told: (HTMLElement | string)[] = []
  if (shown < lines)
    told.push(words.text('sloShowing', { shown: words.count(shown), count: words.count(lines) }), ' ')
  const toggle = (to: boolean, text: string) =>
    el('button', { type: 'button', 'data-all': String(to), 'data-key': 'all' }, text)
  if (find.trim() === '') {
    const isEveryLine = lines <= manyLines && list.isWhole
    if (!isAll && lines > fewLines)
      told.push(
        toggle(
          true,
          isEveryLine
            ? words.text('sloShowAll', { count: words.count(lines) })
            : words.text('sloShowMore', { count: words.count(Math.min(lines, manyLines)) }),
        ),
      )
    else if (isAll && lines > fewLines)
      told.push(toggle(false, words.text('sloShowWorst', { count: words.count(fewLines) })))
  }
  const all = Object.values(list.counts).reduce((sum, count) => sum + count, 0)
  if (!list.isWhole)
    told.push(
      el(
        'span',
        { class: 'muted' },
        ` ${words.text('sloMoreThanLoaded', { shown: words.count(list.items.length), count: words.count(all) })}`,
      ),
    )
  return told.length === 0 ? [] : [el('p', { class: 'foot', 'data-key': 'foot' }, ...told)]
}
