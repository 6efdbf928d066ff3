// The releases that may have caused a fault, likeliest first, each with why; and those that did not, with why not.

import type { Explanation, RankedCause } from '../../query/http/fault-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import { absent, type Words } from '../i18n/words.ts'
import { empty, part } from './detail-parts.ts'
import { el } from './dom.ts'
import { evidenceTable } from './evidence-table.ts'
import { changeTypeKeys, releaseName, told } from './release-words.ts'
import { shareBar } from './share-bar.ts'
import { timeStamp } from './time-stamp.ts'

export type CauseLinks = { readonly toRelease: (release: string) => string }

/** More than a person weighs; the API lists every candidate. */
const causesMax = 12

export function rankedCauses(explanation: Explanation, links: CauseLinks, words: Words): HTMLElement {
  const suspects = explanation.ranked.filter(({ isExonerated }) => !isExonerated)
  const heading = el('h3', {}, words.text('rankedCauses'))
  if (suspects.length === 0) return part(heading, empty('rankedEmpty', words))
  const names = explanation.set.map((id) => {
    const found = explanation.ranked.find(({ release }) => release === id)
    return found === undefined ? id : nameOf(found)
  })
  return part(
    heading,
    names.length < 2
      ? undefined
      : el(
          'p',
          { class: 'notice warning' },
          `▲ ${words.text('sameSet', { list: words.list(names, causesMax) })}`,
        ),
    causeList(suspects, explanation, links, words, true),
  )
}

export function exonerated(explanation: Explanation, links: CauseLinks, words: Words): HTMLElement {
  const innocent = explanation.ranked.filter(({ isExonerated }) => isExonerated)
  const heading = el('h3', {}, words.text('exonerated'))
  if (innocent.length === 0) return part(heading, empty('exoneratedEmpty', words))
  return part(heading, causeList(innocent, explanation, links, words, false))
}

function causeList(
  causes: readonly RankedCause[],
  explanation: Explanation,
  links: CauseLinks,
  words: Words,
  isFirstOpen: boolean,
): HTMLElement {
  const nowMs = Date.parse(explanation.decidedAt)
  const more = causes.length - causesMax
  return el(
    'ol',
    { class: 'causes' },
    ...causes
      .slice(0, causesMax)
      .map((cause, place) => causeView(cause, isFirstOpen && place === 0, nowMs, links, words)),
    more > 0 ? el('li', { class: 'muted' }, words.text('hitMore', { count: words.count(more) })) : undefined,
  )
}

function causeView(
  cause: RankedCause,
  isOpen: boolean,
  nowMs: number,
  links: CauseLinks,
  words: Words,
): HTMLElement {
  const name = nameOf(cause)
  const style = cause.isExonerated ? 'ok' : cause.posterior >= 0.5 ? 'bad' : 'quiet'
  const fact = (key: TextKey, ...value: (HTMLElement | string)[]) =>
    el('span', { class: 'fact' }, el('span', { class: 'muted' }, `${words.text(key)} `), ...value)
  const shown = evidenceTable(cause, name, words)
  return el(
    'li',
    { class: 'cause', 'data-key': cause.release },
    el(
      'p',
      { class: 'cause-line' },
      el(
        'span',
        { class: 'cause-share', title: words.text('probability') },
        shareBar(cause.posterior, style),
        el('strong', {}, words.ratio(cause.posterior)),
      ),
      el(
        'a',
        { class: 'strong', href: links.toRelease(cause.release), 'data-release': cause.release },
        `⚑ ${name}`,
      ),
      cause.versionFrom === '' ? undefined : fact('versionFrom', cause.versionFrom),
      el('span', { class: 'muted' }, words.text(changeTypeKey(cause.changeType))),
      fact('servesWhom', cause.scope === '' ? words.text('scopeEverybody') : cause.scope),
      fact('servedSince', cause.readyAt === null ? absent : timeStamp(cause.readyAt, nowMs, words, false)),
    ),
    el(
      'p',
      { class: 'says' },
      cause.isExonerated ? el('span', { class: 'ok-text' }, '● ') : undefined,
      cause.reason[told(words)],
    ),
    isOpen ? shown : el('details', {}, el('summary', {}, words.text('evidence')), shown),
  )
}

/** A change type of a newer API is shown as code. */
function changeTypeKey(changeType: string): TextKey {
  return Object.entries(changeTypeKeys).find(([name]) => name === changeType)?.[1] ?? 'changeCode'
}

function nameOf({ service, versionTo, release }: RankedCause): string {
  return releaseName({ service, versionTo, target: '' }) || release
}
