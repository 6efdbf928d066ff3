// One line that tells whether telemetry arrives: lag, rows per second, dead letters, parts, Kafka.

import type { IngestStatusReply } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { timeStamp } from './time-stamp.ts'

/** Twice what an exporter's usual batch delay (5 s) and a slow store explain, in seconds. */
const lagWarnSeconds = 30

/** Above this the engine's background merging has lost ground; inserts are slowed down from about 1,000 on. */
const partsWarn = 300

export function statusStrip(status: IngestStatusReply, words: Words): HTMLElement {
  const nowMs = Date.parse(status.at)
  const late = status.lagSeconds !== null && status.lagSeconds > lagWarnSeconds
  const manyParts = status.spans.parts > partsWarn
  return el(
    'div',
    { class: 'strip notice' },
    el('span', { class: 'strong' }, words.text('ingest')),
    el(
      'dl',
      {},
      fact(
        words.text('lag'),
        status.lagSeconds === null ? absent : words.seconds(Math.max(0, status.lagSeconds)),
        late,
        words.text('lagHint'),
      ),
      fact(
        words.text('storedPerSecond'),
        words.text('spansPerSecond', { value: words.ratePerSecond(status.rowsPerSecond) }),
      ),
      fact(
        words.text('storedSpans'),
        `${words.short(status.spans.rows)} (${words.bytes(status.spans.bytesOnDisk)})`,
      ),
      fact(words.text('parts'), words.count(status.spans.parts), manyParts, words.text('partsHint')),
      deadLetters(status, nowMs, words),
      kafka(status, words),
    ),
  )
}

function fact(label: string, value: string, warn = false, title?: string): HTMLElement {
  return el(
    'div',
    { title },
    el('dt', {}, label),
    // The triangle says what the colour says.
    el('dd', { class: warn ? 'warning-text' : undefined }, warn ? `▲ ${value}` : value),
  )
}

function deadLetters({ deadLetters: letters }: IngestStatusReply, nowMs: number, words: Words): HTMLElement {
  const label = words.text('deadLetters')
  const newest = letters.newest[0]
  const hint = words.text('deadLettersHint', { total: words.count(letters.total) })
  if (newest === undefined) return fact(label, words.count(letters.lastHour), letters.lastHour > 0, hint)
  return el(
    'div',
    { title: `${newest.reason}\n${hint}` },
    el('dt', {}, label),
    el(
      'dd',
      {},
      el(
        'details',
        { id: 'dead-letters' },
        el(
          'summary',
          { class: letters.lastHour > 0 ? 'warning-text' : undefined },
          letters.lastHour > 0 ? `▲ ${words.count(letters.lastHour)}` : words.count(letters.lastHour),
        ),
        el(
          'div',
          { class: 'popover' },
          el('p', { class: 'muted' }, hint),
          el('h2', {}, words.text('deadLettersNewest')),
          ...letters.newest.map((letter) =>
            el(
              'p',
              {},
              timeStamp(letter.at, nowMs, words, true),
              ' ',
              el('span', { class: 'strong' }, letter.reason),
              ' ',
              el(
                'span',
                { class: 'muted' },
                words.text('deadLetterOrigin', { origin: letter.origin, bytes: words.bytes(letter.bytes) }),
              ),
            ),
          ),
        ),
      ),
    ),
  )
}

function kafka({ kafka: partitions }: IngestStatusReply, words: Words): HTMLElement | undefined {
  if (partitions === null) return undefined
  const messages = partitions.reduce((sum, partition) => sum + partition.lagMessages, 0)
  const paused = partitions.filter((partition) => partition.paused).length
  const title = partitions
    .map(({ topic, partition, lagMessages }) =>
      words.text('kafkaHint', { topic, partition: String(partition), lag: words.count(lagMessages) }),
    )
    .join('\n')
  const value = words.text('kafkaLagValue', { messages: words.short(messages) })
  return paused === 0
    ? fact(words.text('kafkaLag'), value, false, title)
    : fact(
        words.text('kafkaLag'),
        `${value}${words.text('clauseSeparator')}${words.text('kafkaPaused', { count: words.count(paused) })}`,
        true,
        title,
      )
}
