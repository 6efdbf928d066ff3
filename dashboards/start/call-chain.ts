// Which services the failing requests passed, where the failures begin, and traces to look at on both sides.

import type { Explanation } from '../../query/http/fault-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { empty, part } from './detail-parts.ts'
import { el } from './dom.ts'

export type ChainLinks = {
  readonly toService: (service: string) => string
  readonly toTrace: (trace: string) => string
}

export function callChain({ callChain: chain }: Explanation, links: ChainLinks, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('callChain'))
  if (chain.length === 0) return part(heading, empty('callChainEmpty', words))
  return part(
    heading,
    el(
      'ol',
      { class: 'chain' },
      ...chain.map((hop) =>
        el(
          'li',
          { class: hop.isOrigin ? 'origin' : undefined },
          el(
            'a',
            { href: links.toService(hop.service), 'data-service': hop.service, title: hop.system },
            hop.service,
          ),
          hop.system === '' || hop.system === hop.service
            ? undefined
            : el('span', { class: 'muted under' }, hop.system),
          el(
            'span',
            { class: hop.bad > 0 ? 'bad-text under' : 'muted under' },
            words.text('callChainBad', { count: words.count(hop.bad) }),
          ),
          hop.isOrigin
            ? el('span', { class: 'bad-text strong under' }, `■ ${words.text('originHere')}`)
            : undefined,
        ),
      ),
    ),
  )
}

export function exemplars({ exemplars: traces }: Explanation, links: ChainLinks, words: Words): HTMLElement {
  const side = (key: TextKey, mark: string, style: string, ids: readonly string[]) =>
    el(
      'p',
      {},
      el('span', { class: style }, `${mark} ${words.text(key)}: `),
      ...(ids.length === 0
        ? [el('span', { class: 'muted' }, words.text('exemplarsNone'))]
        : ids.flatMap((id) => [
            el(
              'a',
              { href: links.toTrace(id), 'data-trace': id, title: id },
              el('code', {}, id.slice(0, 12)),
            ),
            ' ',
          ])),
    )
  return part(
    el('h3', {}, words.text('exemplars')),
    side('exemplarsFailing', '■', 'bad-text', traces.failing),
    side('exemplarsHealthy', '●', 'ok-text', traces.healthy),
  )
}
