// What was looked at about one release, in words, and the counts of its contrast.

import type { Contrast, Evidence, RankedCause } from '../../query/http/fault-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { table } from './detail-parts.ts'
import { el } from './dom.ts'
import { badRatio, termKeys, weightOf } from './fault-words.ts'
import { told } from './release-words.ts'

export function evidenceTable(cause: RankedCause, name: string, words: Words): HTMLElement {
  if (cause.evidence.length === 0 && cause.contrast === null)
    return el('p', { class: 'muted' }, words.text('evidenceEmpty'))
  const shown = cause.evidence.toSorted(
    (a, b) => Math.abs(b.llr) - Math.abs(a.llr) || (a.term < b.term ? -1 : 1),
  )
  const view = table(
    'evidence',
    ['term', 'weight', 'whatItMeans'],
    shown.map((one) => row(one, words)),
    words,
  )
  view.querySelector('table')?.setAttribute('aria-label', words.text('evidenceOf', { name }))
  return el(
    'div',
    { class: 'evidence' },
    cause.evidence.length === 0 ? undefined : view,
    cause.contrast === null ? undefined : contrastTable(cause.contrast, words),
  )
}

function row(one: Evidence, words: Words): HTMLElement {
  const { label, style } = weightOf(one.llr)
  return el(
    'tr',
    { 'data-key': one.term },
    el(
      'th',
      { scope: 'row', class: 'wraps' },
      el('span', { class: 'muted' }, `${one.term} `),
      words.text(termKeys[one.term]),
    ),
    el(
      'td',
      { class: style, title: words.text('weightHint', { value: words.signed(one.llr) }) },
      words.text(label),
    ),
    el('td', { class: 'wraps' }, one.text[told(words)]),
  )
}

const methods: Readonly<Record<Contrast['method'], TextKey>> = {
  concurrent: 'contrastMethodConcurrent',
  'difference-in-differences': 'contrastMethodDifference',
  'before-after': 'contrastMethodBefore',
}

/** The four counts that a contrast is made of. */
export function contrastTable(contrast: Contrast, words: Words): HTMLElement {
  const side = (key: TextKey, { requests, bad }: Contrast['exposed']) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, words.text(key)),
      el('td', { class: 'number' }, words.signed(bad)),
      el('td', { class: 'number' }, words.signed(requests)),
      el('td', { class: 'number' }, words.ratio(badRatio({ requests, bad }))),
    )
  return el(
    'div',
    { class: 'contrast' },
    table(
      'contrast',
      ['contrast', 'contrastBad', 'requestsColumn', 'contrastRatio'],
      [side('contrastExposed', contrast.exposed), side('contrastControl', contrast.control)],
      words,
      ['contrastBad', 'requestsColumn', 'contrastRatio'],
    ),
    el(
      'p',
      { class: 'muted' },
      `${words.text(methods[contrast.method])} · ${words.text('contrastZ', {
        z: words.signed(contrast.z),
        odds: words.short(Math.exp(Math.min(20, contrast.logOdds))),
      })}`,
    ),
  )
}
