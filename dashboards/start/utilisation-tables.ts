// What nodes and containers use, as two tables: figures with a bar each. A bar's length is the share of what there is
// (nodes) or may be used (containers: the limit); what a container asked for has a column of its own.

import type { UtilisationReply } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { el } from './dom.ts'

type Figures = { readonly cpu: number | null; readonly memory: number | null }

/** From here on a person should look: throttling or an out-of-memory kill is near. */
const FULL = 0.9
const HIGH = 0.75
const CONTAINERS_SHOWN = 20

/** @returns the share used, 0–1 and beyond; null without either figure */
export function share(used: number | null, of: number | null): number | null {
  return used === null || of === null || of <= 0 ? null : used / of
}

export function levelOf(ratio: number | null): 'bad' | 'warning' | 'ok' | 'quiet' {
  if (ratio === null) return 'quiet'
  if (ratio >= FULL) return 'bad'
  return ratio >= HIGH ? 'warning' : 'ok'
}

export function utilisationTables(reply: UtilisationReply, words: Words): HTMLElement {
  if (reply.nodes.length === 0 && reply.containers.length === 0)
    return el('p', { class: 'muted' }, words.text('utilisationEmpty'))
  const shown = reply.containers.slice(0, CONTAINERS_SHOWN)
  return el(
    'div',
    { class: 'utilisation' },
    table(
      words.text('nodes'),
      [words.text('node'), words.text('siteColumn'), words.text('cpu'), words.text('memory')],
      reply.nodes.map((node) =>
        el(
          'tr',
          { 'data-key': `${node.cluster}\n${node.node}` },
          el('th', { scope: 'row' }, clip(node.node, `${node.node} · ${node.cluster}`)),
          el('td', {}, node.site || absent),
          meterCell(node.usage.cpu, node.capacity.cpu, null, cores(words), words),
          meterCell(node.usage.memory, node.capacity.memory, null, bytes(words), words),
        ),
      ),
    ),
    el(
      'div',
      {},
      table(
        words.text('containers'),
        [
          words.text('container'),
          words.text('siteColumn'),
          words.text('cpu'),
          words.text('ofRequest'),
          words.text('memory'),
          words.text('ofRequest'),
        ],
        shown.map((item) =>
          el(
            'tr',
            { 'data-key': `${item.cluster}\n${item.namespace}\n${item.pod}\n${item.container}` },
            el(
              'th',
              { scope: 'row' },
              clip(item.container || item.pod, `${item.pod} · ${item.namespace} · ${item.node}`),
            ),
            el('td', {}, item.site || absent),
            meterCell(item.usage.cpu, item.limit.cpu, item.request.cpu, cores(words), words),
            ofRequest(item.usage, item.request, 'cpu', words),
            meterCell(item.usage.memory, item.limit.memory, item.request.memory, bytes(words), words),
            ofRequest(item.usage, item.request, 'memory', words),
          ),
        ),
      ),
      shown.length < reply.containerCount
        ? el(
            'p',
            { class: 'muted' },
            words.text('showingRows', {
              shown: words.count(shown.length),
              count: words.count(reply.containerCount),
            }),
          )
        : undefined,
    ),
  )
}

function table(caption: string, heads: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      { 'aria-label': caption },
      el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)))),
      el('tbody', {}, ...rows),
    ),
  )
}

function meterCell(
  usage: number | null,
  most: number | null,
  request: number | null,
  text: (value: number) => string,
  words: Words,
): HTMLElement {
  if (usage === null) return el('td', { class: 'muted' }, absent)
  const ratio = share(usage, most)
  if (ratio === null)
    return el('td', {}, `${text(usage)} `, el('span', { class: 'muted' }, words.text('noLimit')))
  const level = levelOf(ratio)
  const title = [
    words.text('usedOf', { used: text(usage), of: text(most ?? 0) }),
    request === null ? '' : words.text('requested', { value: text(request) }),
  ]
  return el(
    'td',
    { title: title.filter((line) => line !== '').join('\n') },
    el('meter', {
      min: 0,
      max: 1,
      low: HIGH,
      high: FULL,
      optimum: 0,
      value: Math.min(1, ratio),
      'aria-hidden': 'true',
    }),
    ' ',
    // The triangle says what the colour says.
    el(
      'span',
      { class: level === 'bad' ? 'bad-text strong' : level === 'warning' ? 'warning-text' : undefined },
      `${level === 'bad' || level === 'warning' ? '▲ ' : ''}${words.ratio(ratio)}`,
    ),
    ' ',
    el('span', { class: 'muted' }, words.text('usedOf', { used: text(usage), of: text(most ?? 0) })),
  )
}

function ofRequest(usage: Figures, request: Figures, of: keyof Figures, words: Words): HTMLElement {
  return el('td', { class: 'number' }, words.ratio(share(usage[of], request[of])))
}

const clip = (text: string, title: string) => el('span', { class: 'clip', title }, text)
const cores = (words: Words) => (value: number) => words.text('cores', { value: words.ratePerSecond(value) })
const bytes = (words: Words) => (value: number) => words.bytes(value)
