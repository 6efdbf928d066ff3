// What to take back, in which order, what that would help, and what to mind. Advice only: nothing here acts.

import type { Explanation } from '../../query/http/fault-schemas.ts'
import type { Words } from '../i18n/words.ts'
import { part } from './detail-parts.ts'
import { el } from './dom.ts'
import type { CauseLinks } from './ranked-causes.ts'
import { told } from './release-words.ts'

export function rollbackAdvice({ rollback }: Explanation, links: CauseLinks, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('rollback'))
  if (rollback === null || rollback.steps.length === 0)
    return part(
      heading,
      el('p', { class: 'muted' }, words.text('rollbackNone')),
      ...warnings(rollback?.warnings ?? [], words),
    )
  return part(
    heading,
    rollback.isUnderWay ? el('p', { class: 'notice ok' }, `● ${words.text('rollbackUnderWay')}`) : undefined,
    el(
      'ol',
      { class: 'steps' },
      ...rollback.steps.map((step) =>
        el(
          'li',
          { 'data-key': step.release },
          step.action === 'none-irreversible'
            ? el('span', { class: 'warning-text' }, `▲ ${words.text('irreversible')}: `)
            : undefined,
          el(
            'a',
            { class: 'strong', href: links.toRelease(step.release), 'data-release': step.release },
            step.text[told(words)],
          ),
          step.toVersion === ''
            ? undefined
            : el('span', { class: 'muted' }, ` ${words.text('rollbackTo', { version: step.toVersion })}`),
        ),
      ),
    ),
    rollback.expectedReliefRatio === null
      ? undefined
      : el('p', {}, words.text('rollbackRelief', { ratio: words.ratio(rollback.expectedReliefRatio) })),
    ...warnings(rollback.warnings, words),
    el('p', { class: 'muted' }, words.text('rollbackOnlySuggested')),
  )
}

function warnings(
  list: readonly { readonly en: string; readonly zh: string }[],
  words: Words,
): HTMLElement[] {
  return list.map((one) => el('p', { class: 'warning-text' }, `▲ ${one[told(words)]}`))
}
