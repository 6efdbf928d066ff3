// A trace as an indented tree with a bar per span; attributes unfold below the line.

import type { TraceReply } from '../../query/http/schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import { absent, type Words } from '../i18n/words.ts'
import { nameOf } from '../verdict.ts'
import { el } from './dom.ts'
import { timeStamp } from './time-stamp.ts'
import { type Span, type TraceRow, traceTree } from './trace-tree.ts'

/** More lines than a person reads, few enough for a browser to lay out at once. */
const spansMax = 1000

/** Deeper spans keep this indentation, or the name would leave its column. */
const depthMax = 16

const outcomes: Readonly<
  Record<Span['outcome'], { mark: string; label: TextKey; style: string; bar: string }>
> = {
  ok: { mark: '●', label: 'ok', style: 'ok-text', bar: '' },
  business_reject: { mark: '◇', label: 'businessReject', style: 'muted', bar: '' },
  business_error: { mark: '■', label: 'businessError', style: 'bad-text strong', bar: 'bad' },
  shed: { mark: '▲', label: 'shed', style: 'warning-text strong', bar: 'warning' },
  system_error: { mark: '■', label: 'systemError', style: 'bad-text strong', bar: 'bad' },
}

export function traceView(reply: TraceReply, nowMs: number, words: Words): HTMLElement {
  const tree = traceTree(reply.spans)
  const shown = tree.rows.slice(0, spansMax)
  const services = new Set(reply.spans.map((span) => span.service)).size
  const headline = words.text('traceHead', {
    spans: words.count(reply.spans.length),
    services: words.count(services),
    duration: words.milliseconds(tree.durationMs),
    time: tree.startAt === undefined ? absent : words.time(Date.parse(tree.startAt), nowMs),
  })
  return el(
    'div',
    { 'data-key': reply.traceId },
    el('p', {}, el('code', {}, reply.traceId), ' ', headline),
    el(
      'ol',
      { class: 'spans' },
      el(
        'li',
        {},
        el(
          'div',
          { class: 'span-line head' },
          ...(['span', 'service', 'outcome', 'timeline'] as const).map((key) =>
            el('span', {}, words.text(key)),
          ),
          el('span', { class: 'number' }, words.text('duration')),
        ),
      ),
      ...shown.map((row) => line(row, tree.durationMs, nowMs, words)),
    ),
    shown.length < tree.rows.length
      ? el('p', { class: 'muted' }, words.text('traceTruncated', { shown: words.count(shown.length) }))
      : undefined,
  )
}

function line(row: TraceRow, durationMs: number, nowMs: number, words: Words): HTMLElement {
  const { span } = row
  const { mark, label, style, bar } = outcomes[span.outcome]
  const name = el('span', { class: 'fold', title: span.name }, span.name === '' ? absent : span.name)
  name.style.paddingLeft = `${Math.min(row.depth, depthMax) * 14}px`
  if (row.orphan) name.append(el('span', { class: 'warning-text' }, ` ▲ ${words.text('traceMissingParent')}`))
  const span100 = durationMs === 0 ? 0 : 100 / durationMs
  const mark100 = el('span', { class: `bar ${bar}`.trimEnd() })
  mark100.style.left = `${Math.min(row.offsetMs * span100, 99.8)}%`
  mark100.style.width = `${durationMs === 0 ? 100 : span.durationMs * span100}%`
  return el(
    'li',
    {},
    el(
      'details',
      {},
      el(
        'summary',
        { class: 'span-line' },
        name,
        el('span', { title: nameOf(span, words) }, nameOf(span, words)),
        el('span', { class: style }, `${mark} ${words.text(label)}`),
        el('span', { class: 'lane', 'aria-hidden': 'true' }, mark100),
        el('span', { class: 'number' }, words.milliseconds(span.durationMs)),
      ),
      detail(span, nowMs, words),
    ),
  )
}

function detail(span: Span, nowMs: number, words: Words): HTMLElement {
  const facts: Record<string, string> = {
    [words.text('startedAt')]: span.startAt,
    [words.text('kind')]: span.kind,
    [words.text('status')]: `${span.statusCode} ${span.statusMessage}`.trimEnd(),
    [words.text('spanId')]: span.spanId,
    [words.text('parentSpanId')]: span.parentSpanId ?? absent,
    [words.text('site')]: span.site === '' ? absent : span.site,
  }
  const events = span.events.map((event) =>
    el('div', {}, timeStamp(event.at, nowMs, words, false), ` ${event.name}`, pairs(event.attributes)),
  )
  return el(
    'div',
    { class: 'span-detail' },
    el('h3', {}, words.text('spanFacts')),
    pairs(facts),
    el('h3', {}, words.text('attributes')),
    pairs(span.attributes),
    el('h3', {}, words.text('resource')),
    pairs(span.resource),
    ...(events.length === 0 ? [] : [el('h3', {}, words.text('events')), ...events]),
  )
}

function pairs(values: Readonly<Record<string, string>>): HTMLElement {
  const entries = Object.entries(values)
  if (entries.length === 0) return el('span', { class: 'muted' }, absent)
  return el(
    'table',
    {},
    el(
      'tbody',
      {},
      ...entries.map(([key, value]) => el('tr', {}, el('th', { scope: 'row' }, key), el('td', {}, value))),
    ),
  )
}
