// The parts that details are made of: a heading with a table under it, or a word that there is nothing.

import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'

export function part(...children: (HTMLElement | undefined)[]): HTMLElement {
  return el('div', { class: 'part' }, ...children)
}

export function empty(key: TextKey, words: Words): HTMLElement {
  return el('p', { class: 'muted' }, words.text(key))
}

/** @param numbers columns of figures, which stand to the right */
export function table(
  label: TextKey,
  heads: readonly TextKey[],
  rows: readonly HTMLElement[],
  words: Words,
  numbers: readonly TextKey[] = [],
): HTMLElement {
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      { 'aria-label': words.text(label) },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...heads.map((key) =>
            el('th', { scope: 'col', class: numbers.includes(key) ? 'number' : undefined }, words.text(key)),
          ),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
  )
}
