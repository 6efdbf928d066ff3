// The table of SLOs, worst first; groups fold under their SLO. Rows carry data-slo, what a click means is decided by
// slo-section.ts.

import type { SloItem } from '../../query/http/slo-schemas.ts'
import type { SloWhich } from '../api.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { budgetCell, burnsCell, sliCell } from './slo-cells.ts'
import { groupWords, notes } from './slo-figures.ts'
import { conditionBadge, tierBadge } from './slo-marks.ts'
import { itemKey, type SloLine } from './slo-order.ts'

/** Groups shown under one SLO; a branch bank has dozens, a mistake has thousands. */
const groupsMax = 50

export type SloTable = {
  readonly lines: readonly SloLine[]
  /** Keys of the lines whose groups are shown. */
  readonly expanded: ReadonlySet<string>
  readonly selected: SloWhich | undefined
  readonly nowMs: number
  readonly linkTo: (which: SloWhich) => string
  readonly linkToService: (service: string) => string
}

const columns: readonly { readonly label: TextKey; readonly hint?: TextKey; readonly isNumber?: boolean }[] =
  [
    { label: 'state' },
    { label: 'slo' },
    { label: 'serviceAndSystem' },
    { label: 'targetAndSli', isNumber: true },
    { label: 'budgetLeft' },
    { label: 'burnRates', hint: 'burnRatesHint' },
    { label: 'coverage', hint: 'coverageHint', isNumber: true },
    { label: 'sentenceColumn' },
  ]

export function sloTable(table: SloTable, words: Words): HTMLElement {
  const objectives = Map.groupBy(table.lines, ({ worst }) => worst.slo)
  // Roles are repeated, because narrow screens lay rows out as blocks, which takes a table's meaning away.
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      { class: 'slos', role: 'table', 'aria-labelledby': 'slos-heading' },
      el(
        'thead',
        { role: 'rowgroup' },
        el(
          'tr',
          { role: 'row' },
          ...columns.map(({ label, hint, isNumber }) =>
            el(
              'th',
              {
                scope: 'col',
                role: 'columnheader',
                class: isNumber === true ? 'number' : undefined,
                title: hint === undefined ? undefined : words.text(hint),
              },
              words.text(label),
            ),
          ),
        ),
      ),
      el(
        'tbody',
        { role: 'rowgroup' },
        ...table.lines.flatMap((line) => {
          const hasSiblings = (objectives.get(line.worst.slo)?.length ?? 0) > 1
          return lineRows(line, hasSiblings, table, words)
        }),
      ),
    ),
  )
}

function lineRows(line: SloLine, hasSiblings: boolean, table: SloTable, words: Words): HTMLElement[] {
  const { worst, groups, key } = line
  if (groups.length === 0) return [row(worst, key, name(worst, hasSiblings, table), table, words)]
  const isOpen = table.expanded.has(key)
  const shown = isOpen ? groups.slice(0, groupsMax) : []
  const head = row(
    worst,
    key,
    [
      ...name(worst, hasSiblings, table),
      el(
        'span',
        { class: 'fold-line' },
        el(
          'button',
          { type: 'button', class: 'fold-button', 'data-fold': key, 'aria-expanded': String(isOpen) },
          `${isOpen ? '▾' : '▸'} ${words.text('groupsMany', { count: words.count(groups.length) })}`,
        ),
        ' ',
        el('span', { class: 'muted' }, words.text('groupWorst', { group: groupWords(worst, words) })),
      ),
    ],
    table,
    words,
  )
  const rows = shown.map((item) =>
    row(item, `${key}\n${item.groupKey}`, [link(item, groupWords(item, words), table)], table, words, true),
  )
  if (isOpen && shown.length < groups.length)
    rows.push(
      el(
        'tr',
        { role: 'row', 'data-key': `${key}\nmore`, class: 'group' },
        el(
          'td',
          { role: 'cell', colspan: columns.length, class: 'muted' },
          words.text('groupsShown', {
            shown: words.count(shown.length),
            count: words.count(groups.length),
          }),
        ),
      ),
    )
  return [head, ...rows]
}

function name(item: SloItem, hasSiblings: boolean, table: SloTable): HTMLElement[] {
  const shown = item.displayName || item.slo
  const objective = hasSiblings ? item.objectiveName || `#${item.objective + 1}` : ''
  return [
    link(item, objective === '' ? shown : `${shown} · ${objective}`, table),
    ...(shown === item.slo ? [] : [el('span', { class: 'muted under', title: item.slo }, item.slo)]),
  ]
}

function link(item: SloItem, text: string, table: SloTable): HTMLElement {
  return el('a', { class: 'slo-name', href: table.linkTo(whichOf(item)), title: item.description }, text)
}

function row(
  item: SloItem,
  key: string,
  title: readonly HTMLElement[],
  table: SloTable,
  words: Words,
  isGroup = false,
): HTMLElement {
  const { selected, nowMs } = table
  const isSelected = selected !== undefined && itemKey(item) === itemKeyOf(selected)
  const cell = (label: TextKey, kind: string, ...children: (HTMLElement | string | undefined)[]) =>
    el('td', { role: 'cell', class: kind, 'data-label': words.text(label) }, ...children)
  const said = notes(item, nowMs, words)
  return el(
    'tr',
    {
      role: 'row',
      'data-key': key,
      'data-slo': item.slo,
      'data-objective': item.objective,
      'data-group': item.groupKey,
      'aria-current': isSelected ? 'true' : undefined,
      class: `${item.condition}${isGroup ? ' group' : ''}`,
    },
    cell(
      'state',
      'state',
      conditionBadge(item.condition, words),
      item.isFrozen
        ? el('span', { class: 'held', title: words.text('heldHint') }, ` ‖ ${words.text('held')}`)
        : undefined,
      el(
        'span',
        { class: 'muted under' },
        words.text('since', { time: words.time(Date.parse(item.since), nowMs) }),
      ),
    ),
    el('th', { scope: 'row', role: 'rowheader', class: 'title' }, ...title),
    isGroup ? cell('serviceAndSystem', 'service') : serviceCell(item, table, words, cell),
    cell('targetAndSli', 'number', ...sliCell(item, words)),
    cell('budgetLeft', 'budget', ...budgetCell(item, nowMs, words)),
    cell('burnRates', 'burns', ...burnsCell(item, words)),
    cell('coverage', 'number', words.ratio(item.window?.net.coverage ?? null)),
    cell(
      'sentenceColumn',
      'says',
      item.sentences[words.language],
      ...said.map((note) => el('span', { class: 'muted under' }, note)),
    ),
  )
}

function serviceCell(
  item: SloItem,
  table: SloTable,
  words: Words,
  cell: (label: TextKey, kind: string, ...children: (HTMLElement | string | undefined)[]) => HTMLElement,
): HTMLElement {
  return cell(
    'serviceAndSystem',
    'service',
    el(
      'a',
      { class: 'clip', href: table.linkToService(item.service), 'data-service': item.service },
      item.service,
    ),
    el(
      'span',
      { class: 'under' },
      item.system === null
        ? el('span', { class: 'muted' }, words.text('noSystem'))
        : el('span', { class: 'muted clip narrow', title: item.system }, item.system),
      ' ',
      item.system === null ? undefined : tierBadge(item.tier, words),
    ),
  )
}

export const whichOf = ({ slo, objective, groupKey }: SloItem): SloWhich => ({
  slo,
  objective,
  group: groupKey,
})

export const itemKeyOf = ({ slo, objective, group }: SloWhich): string =>
  itemKey({ slo, objective, groupKey: group })
