import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { openMemoryProduce } from '../../ingest/kafka/memory-produce.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { Transition } from '../../query/slo/slo-state.ts'
import { sloEventFeed } from './event-feed.ts'
import { buildPublishMetrics } from './publish-metrics.ts'
import { buildPublisher } from './publisher.ts'
import { EVENT_TYPES, sloEvent, type SloEvent } from './slo-event.ts'
import type { ToldTransition, TransitionFeed } from './transition-feed.ts'

const AT = Date.UTC(2026, 9, 1, 4)

function told(id: number, more: Partial<ToldTransition> = {}): ToldTransition {
  return {
    id,
    atMs: AT + id,
    judgedAtMs: AT + 60_000,
    slo: 'pay / 支付',
    objective: 1,
    group: '',
    system: 'core-payment',
    generation: 3,
    transition: { atMs: AT + id, subject: 'condition', from: 'healthy', to: 'outage' },
    condition: 'outage',
    ...more,
  }
}

/** A feed in memory whose row fails to move when it is told to. */
function memoryFeed(all: readonly ToldTransition[]): TransitionFeed & { fail: boolean; last: number } {
  return {
    fail: false,
    last: 0,
    next(max) {
      return Promise.resolve(all.filter(({ id }) => id > this.last).slice(0, max))
    },
    moveTo(id) {
      if (this.fail) return Promise.reject(new Error('the registry is gone'))
      this.last = Math.max(this.last, id)
      return Promise.resolve()
    },
    backlog() {
      const waiting = all.filter(({ id }) => id > this.last)
      return Promise.resolve({ count: waiting.length, oldestAtMs: waiting[0]?.judgedAtMs })
    },
  }
}

function open(all: readonly ToldTransition[], leads = true) {
  const feed = memoryFeed(all)
  const port = openMemoryProduce()
  const registry = new Registry()
  const publisher = buildPublisher({
    feeds: [
      sloEventFeed(feed, (transitions) =>
        Promise.resolve(transitions.map((one) => sloEvent(one, undefined, undefined))),
      ),
    ],
    port,
    topic: 'surety_events',
    isLeading: () => leads,
    metrics: buildPublishMetrics(registry),
    logger: buildLogger('silent'),
    now: () => AT + 90_000,
  })
  const ids = () =>
    port.written.map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as SloEvent).id)
  return { feed, port, publisher, ids, metrics: () => registry.metrics() }
}

const many = (count: number) => Array.from({ length: count }, (_, index) => told(index + 1))
const idsTo = (count: number) => many(count).map(({ id }) => `transition-${id}`)

describe('publishing', () => {
  test('everything is sent in order, and the row moves behind it', async () => {
    const { feed, publisher, ids } = open(many(450))
    expect(await publisher.round()).toBe(true)
    expect(ids()).toEqual(idsTo(450))
    expect(feed.last).toBe(450)
    await publisher.round()
    expect(ids()).toHaveLength(450)
  })

  test('a crash between sending and moving repeats events under the same ids', async () => {
    const { feed, publisher, ids, port } = open(many(3))
    feed.fail = true
    await expect(publisher.round()).rejects.toThrow('the registry is gone')
    feed.fail = false
    await publisher.round()
    expect(ids()).toEqual([...idsTo(3), ...idsTo(3)])
    const texts = port.written.map(({ value }) => Buffer.from(value).toString())
    expect(texts.slice(3)).toEqual(texts.slice(0, 3))
  })

  test('a broker that is away delays, says so, and loses nothing', async () => {
    const { feed, publisher, ids, port, metrics } = open(many(5))
    const away = { kind: 'away', message: 'Kafka: no broker answers' } as const
    port.answerNext({ kind: 'acknowledged' }, { kind: 'acknowledged' }, away, away, away)
    expect(await publisher.round()).toBe(false)
    expect(feed.last).toBe(2)
    expect(publisher.heldUp()).toBe('3 events wait for the topic surety_events: Kafka: no broker answers')
    const page = await metrics()
    expect(page).toMatch(/^surety_events_waiting 3$/m)
    expect(page).toMatch(/^surety_events_oldest_waiting_seconds 30$/m)
    expect(page).toMatch(/^surety_events_failures_total 1$/m)
    expect(await publisher.round()).toBe(true)
    expect(ids()).toEqual(idsTo(5))
    expect(publisher.heldUp()).toBeUndefined()
    expect(await metrics()).toMatch(/^surety_events_waiting 0$/m)
  })

  test('an event that the topic never takes holds up those behind it', async () => {
    const { feed, publisher, port } = open(many(3))
    port.answerNext({ kind: 'acknowledged' }, { kind: 'too-large', message: 'raise its max.message.bytes' })
    expect(await publisher.round()).toBe(false)
    expect(feed.last).toBe(1)
    expect(publisher.heldUp()).toMatch(/raise its max\.message\.bytes/)
  })

  test('only the leader publishes', async () => {
    const { publisher, ids } = open(many(3), false)
    expect(await publisher.round()).toBe(true)
    expect(ids()).toEqual([])
    expect(publisher.heldUp()).toBeUndefined()
  })
})

describe('an event', () => {
  test('is a CloudEvent with a stable id, the instant it is true for, and what changed', () => {
    const figures = {
      atMs: AT,
      condition: 'healthy',
      sliRatio: 0.9995,
      sliRatioGross: 0.999,
      remainingRatio: 0.5,
      burnRate: null,
      coverage: 1,
    }
    expect(sloEvent(told(7), undefined, figures)).toEqual({
      specversion: '1.0',
      id: 'transition-7',
      source: '/surety/slo/pay%20%2F%20%E6%94%AF%E4%BB%98',
      type: 'io.surety.slo.condition.changed.v1',
      subject: 'pay / 支付/1',
      time: '2026-10-01T04:00:00.007Z',
      datacontenttype: 'application/json',
      data: {
        slo: 'pay / 支付',
        objective: 1,
        objectiveName: null,
        group: null,
        groupKey: '',
        displayName: null,
        service: null,
        system: 'core-payment',
        owner: null,
        tier: null,
        target: null,
        generation: 3,
        from: 'healthy',
        to: 'outage',
        condition: 'outage',
        pair: null,
        evidence: null,
        figures: {
          toldAt: '2026-10-01T04:00:00.000Z',
          sliRatio: 0.9995,
          sliRatioGross: 0.999,
          budgetRemainingRatio: 0.5,
          burnRate: null,
          coverage: 1,
        },
        judgedAt: '2026-10-01T04:01:00.000Z',
      },
    })
  })

  test('every subject has a type of its own', () => {
    const subjects: Transition['subject'][] = [
      'condition',
      'pair',
      'outage',
      'silence',
      'measuring',
      'budget',
    ]
    expect(new Set(subjects.map((subject) => EVENT_TYPES[subject])).size).toBe(
      Object.keys(EVENT_TYPES).length,
    )
  })
})
