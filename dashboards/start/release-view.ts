// One release: what it is and whom it serves, the verdict per measure, its steps, what differs from before, what is odd about it.

import type { FaultsReply } from '../../query/http/fault-schemas.ts'
import type { ReleaseReply } from '../../query/http/release-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import { absent, type Words } from '../i18n/words.ts'
import { isGray } from '../charts/release-lanes.ts'
import { empty, part, table } from './detail-parts.ts'
import { el } from './dom.ts'
import { faultList } from './fault-list.ts'
import { changeTypeKeys, remarkKeys, scopeWords, stateKeys, stepKeys } from './release-words.ts'
import { timeStamp } from './time-stamp.ts'

export function releaseFacts(release: ReleaseReply, nowMs: number, words: Words): HTMLElement {
  const fact = (key: TextKey, value: HTMLElement | string | null) =>
    value === null || value === ''
      ? undefined
      : el('div', {}, el('dt', {}, words.text(key)), el('dd', {}, value))
  const stamp = (at: string | null) => (at === null ? null : timeStamp(at, nowMs, words, true))
  return el(
    'dl',
    { class: 'facts' },
    fact('releaseState', words.text(stateKeys[release.state])),
    fact(
      'changeType',
      [words.text(changeTypeKeys[release.changeType]), isGray(release) ? words.text('gray') : '']
        .filter((text) => text !== '')
        .join(' · '),
    ),
    fact('versionFrom', release.versionFrom),
    fact('versionTo', release.versionTo),
    fact('releaseScope', scopeWords(release.scope, words)),
    fact(release.readyFrom === 'traffic' ? 'readyFromTraffic' : 'readyFromEvent', stamp(release.readyAt)),
    fact('startedTold', release.isImplicit ? null : stamp(release.startedAt)),
    fact('endedTold', stamp(release.endedAt)),
    fact('environment', release.environment),
    fact('releaseOrder', release.orderId),
    fact('ticket', release.ticket),
    fact('actor', release.actor),
    fact('pipeline', release.pipeline),
    fact('revision', release.vcsRevision),
    fact('artifact', release.artifact),
    fact('configHash', release.configHash),
    fact('toldAs', release.toldService),
    fact('description', release.description),
    release.isImplicit ? el('div', { class: 'muted' }, words.text('implicitRelease')) : undefined,
    release.isReversible
      ? undefined
      : el('div', { class: 'warning-text' }, `▲ ${words.text('irreversible')}`),
  )
}

export function remarkList(release: ReleaseReply, words: Words): HTMLElement | undefined {
  if (release.remarks.length === 0) return undefined
  return part(
    el('h3', {}, words.text('remarks')),
    el(
      'ul',
      { class: 'remarks' },
      ...release.remarks.map((remark) =>
        el('li', { class: 'warning-text', 'data-key': remark }, `▲ ${words.text(remarkKeys[remark])}`),
      ),
    ),
  )
}

export function stageTable(release: ReleaseReply, nowMs: number, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('stages'))
  if (release.stages.length === 0) return part(heading, empty('stagesEmpty', words))
  return part(
    heading,
    table(
      'stages',
      ['at', 'action', 'releaseScope', 'description', 'actor', 'source'],
      release.stages.map((stage) =>
        el(
          'tr',
          { 'data-key': `${stage.source}\n${stage.eventId}` },
          el('td', {}, timeStamp(stage.at, nowMs, words, true)),
          el('th', { scope: 'row' }, words.text(stepKeys[stage.kind])),
          // What is only noted changes nobody's version.
          el('td', { class: 'wraps' }, stage.kind === 'noted' ? absent : scopeWords(stage.scope, words)),
          el(
            'td',
            { class: 'wraps' },
            [stage.description, stage.ticket, stage.pipeline].filter(Boolean).join(' · ') || absent,
          ),
          el('td', {}, el('span', { class: 'clip narrow', title: stage.actor }, stage.actor || absent)),
          el(
            'td',
            {},
            el('span', { class: 'clip', title: `${stage.source} ${stage.eventId}` }, stage.source || absent),
          ),
        ),
      ),
      words,
    ),
  )
}

export function parameterTable({ parameterChanges }: ReleaseReply, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('parameters'))
  if (parameterChanges.length === 0) return part(heading, empty('parametersEmpty', words))
  const value = (text: string | null) =>
    text === null
      ? el('td', { class: 'muted' }, words.text('parameterAbsent'))
      : el('td', { class: 'wraps' }, el('code', {}, text))
  return part(
    heading,
    table(
      'parameters',
      ['parameter', 'before', 'after'],
      parameterChanges.map(({ name, before, after }) =>
        el(
          'tr',
          { 'data-key': name },
          el('th', { scope: 'row', class: 'wraps' }, el('code', {}, name)),
          value(before),
          value(after),
        ),
      ),
      words,
    ),
  )
}

export function releaseFaults(
  reply: FaultsReply | undefined,
  linkTo: (fault: string) => string,
  words: Words,
): HTMLElement | undefined {
  if (reply === undefined || reply.items.length === 0) return undefined
  return part(
    el('h3', {}, words.text('faultsOfRelease')),
    faultList({ reply, selected: undefined, linkTo }, words),
  )
}
