// The newest release events of all services.

import type { ReleaseEventsReply } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { actionKey } from '../verdict.ts'
import { el } from './dom.ts'
import { timeStamp } from './time-stamp.ts'

const eventsMax = 12

export function releaseList(
  reply: ReleaseEventsReply,
  linkTo: (service: string) => string,
  postUrl: string,
  words: Words,
): HTMLElement {
  if (reply.items.length === 0)
    return el('p', { class: 'muted' }, words.text('releasesEmpty', { url: postUrl }))
  const nowMs = Date.parse(reply.to)
  const newest = reply.items.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, eventsMax)
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...(['at', 'action', 'service', 'version', 'environment', 'description'] as const).map((key) =>
            el('th', { scope: 'col' }, words.text(key)),
          ),
        ),
      ),
      el(
        'tbody',
        {},
        ...newest.map((event) =>
          el(
            'tr',
            { 'data-key': `${event.source}\n${event.id}` },
            el('td', {}, timeStamp(event.at, nowMs, words, true)),
            el('td', { class: 'release-text', title: event.type }, `⚑ ${words.text(actionKey(event))}`),
            el(
              'td',
              {},
              event.service === ''
                ? absent
                : el(
                    'a',
                    {
                      class: 'clip narrow',
                      href: linkTo(event.service),
                      'data-service': event.service,
                      title: event.service,
                    },
                    event.service,
                  ),
            ),
            el('td', {}, el('span', { class: 'clip narrow', title: event.version }, event.version || absent)),
            el('td', {}, event.environment || absent),
            el(
              'td',
              {},
              el('span', { class: 'clip wide', title: event.description }, event.description || absent),
            ),
          ),
        ),
      ),
    ),
  )
}
