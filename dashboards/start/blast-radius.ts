// Who is hit by a fault: channels, regions, branches and transactions with their bad share.

import type { BlastRadius } from '../../query/http/fault-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { part, table } from './detail-parts.ts'
import { el } from './dom.ts'
import { badRatio } from './fault-words.ts'

const hitsMax = 6

export function blastRadius(radius: BlastRadius, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('blastRadius'))
  if (radius.badRequests <= 0) return part(heading, el('p', { class: 'muted' }, words.text('blastNobody')))
  return part(
    heading,
    el(
      'p',
      {},
      words.text('blastSum', {
        bad: words.count(radius.badRequests),
        excess: words.count(Math.max(0, radius.excessRequests)),
      }),
    ),
    el(
      'div',
      { class: 'hits' },
      hits('channels', radius.channels, words),
      hits('regions', radius.regions, words),
      hits('branches', radius.branches, words),
      hits('transactions', radius.transactions, words),
    ),
  )
}

function hits(name: TextKey, all: BlastRadius['channels'], words: Words): HTMLElement {
  if (all.length === 0)
    return el('div', {}, el('span', { class: 'muted' }, `${words.text(name)}: ${words.text('hitEmpty')}`))
  const worst = all.toSorted((a, b) => b.bad - a.bad || (a.name < b.name ? -1 : 1)).slice(0, hitsMax)
  const more = all.length - worst.length
  return el(
    'div',
    {},
    table(
      name,
      [name, 'contrastBad', 'hitShare'],
      worst.map((hit) =>
        el(
          'tr',
          { 'data-key': hit.name },
          el(
            'th',
            { scope: 'row' },
            hit.name === ''
              ? el('span', { class: 'muted' }, words.text('hitUnnamed'))
              : el('span', { class: 'clip narrow', title: hit.name }, hit.name),
          ),
          el('td', { class: 'number' }, words.count(hit.bad)),
          el('td', { class: 'number' }, words.ratio(badRatio(hit))),
        ),
      ),
      words,
      ['contrastBad', 'hitShare'],
    ),
    more > 0
      ? el('span', { class: 'muted' }, words.text('hitMore', { count: words.count(more) }))
      : undefined,
  )
}
