// What else could explain a fault than a release.

import type { Explanation } from '../../query/http/fault-schemas.ts'
import type { Words } from '../i18n/words.ts'
import { empty, part, table } from './detail-parts.ts'
import { el } from './dom.ts'
import { hypothesisKeys } from './fault-words.ts'
import { told } from './release-words.ts'
import { shareBar } from './share-bar.ts'

export function competingTable({ competing }: Explanation, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('competing'))
  if (competing.length === 0) return part(heading, empty('competingEmpty', words))
  return part(
    heading,
    table(
      'competing',
      ['probability', 'hypothesis', 'whatItMeans'],
      competing.map((one) =>
        el(
          'tr',
          { 'data-key': `${one.kind} ${one.name}` },
          el(
            'td',
            {},
            shareBar(one.posterior, one.posterior >= 0.5 ? 'warning' : 'quiet'),
            words.ratio(one.posterior),
          ),
          el(
            'th',
            { scope: 'row' },
            `${words.text(hypothesisKeys[one.kind])} `,
            one.name === '' ? undefined : el('span', { class: 'clip narrow', title: one.name }, one.name),
          ),
          el('td', { class: 'wraps' }, one.text[told(words)]),
        ),
      ),
      words,
    ),
  )
}
