// The loop that finds and explains faults, on a real store and a real registry, with a clock that the test moves. What explains is the
// real engine where its answer matters, and a stand-in where only its keeping does.

import { Registry as PromRegistry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildBlameMetrics } from '../../alerts/faults/blame-metrics.ts'
import { buildDeviations } from '../../alerts/faults/deviations.ts'
import { buildExplaining } from '../../alerts/faults/explaining.ts'
import { buildFinding } from '../../alerts/faults/finding.ts'
import { faultEventFeed } from '../../alerts/publish/event-feed.ts'
import { buildTransitionFeed } from '../../alerts/publish/transition-feed.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { Fault } from '../../query/blame/case.ts'
import { ANYWHERE, type Alarm } from '../../query/faults/alarm.ts'
import { explainFault, type Explained } from '../../query/faults/explain-fault.ts'
import { buildFaultBook, OPEN_FAULTS_MAX } from '../../query/faults/fault-book.ts'
import { readFault, readFaults } from '../../query/faults/fault-reads.ts'
import { buildRelated } from '../../query/faults/lately-called.ts'
import type { Explanation, RankedCause } from '../../query/http/fault-schemas.ts'
import { loadSlos } from '../../query/promises/slos.ts'
import { iso } from '../../query/time-range.ts'
import { openSloRig, sloDocument, type SloRig } from '../support/slo-rig.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
let rig: SloRig

beforeAll(async () => {
  rig = await openSloRig()
})
afterAll(() => rig.close())
beforeEach(async () => {
  await rig.database.rows('DELETE FROM faults')
  await rig.database.rows('DELETE FROM fault_events')
  await rig.database.rows("DELETE FROM slo_publishers WHERE name = 'test'")
})

const CAUSE: RankedCause = {
  release: 'r1',
  service: 'pay',
  versionFrom: '1',
  versionTo: '2',
  changeType: 'code',
  scope: '',
  readyAt: null,
  posterior: 0.97,
  isExonerated: false,
  reason: { en: 'it did', zh: '是它' },
  evidence: [],
  contrast: null,
}

function explanation(fault: Fault, nowMs: number, more: Partial<Explanation> = {}): Explanation {
  return {
    fault: fault.id,
    decidedAt: iso(nowMs),
    onset: null,
    verdict: 'inconclusive',
    headline: { en: 'cannot tell', zh: '尚不能判断' },
    ranked: [],
    competing: [],
    set: [],
    rollback: null,
    blastRadius: {
      badRequests: 0,
      excessRequests: 0,
      channels: [],
      regions: [],
      branches: [],
      transactions: [],
    },
    callChain: [],
    wouldDecide: null,
    notes: [],
    minutesMissing: null,
    exemplars: { failing: [], healthy: [] },
    queries: [],
    ...more,
  }
}
const STEP = {
  release: 'r1',
  action: 'roll-back-version' as const,
  toVersion: '1',
  text: { en: 'roll back', zh: '回退' },
}
const BLAMED: Partial<Explanation> = {
  verdict: 'blamed',
  ranked: [CAUSE],
  rollback: { steps: [STEP], expectedReliefRatio: 0.9, warnings: [], isUnderWay: false },
}

/** What goes on until it is told to stop. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  )

type Explain = (fault: Fault, nowMs: number, signal: AbortSignal) => Promise<Explained>
const saying =
  (say: (fault: Fault, nowMs: number) => Partial<Explanation>): Explain =>
  (fault, nowMs) =>
    Promise.resolve({
      explanation: explanation(fault, nowMs, say(fault, nowMs)),
      caseDigest: `digest ${nowMs}`,
      releases: [],
    })

/** A process that looks and explains; another one knows nothing but what is kept. */
function start(explain: Explain, { leads = (): boolean => true, takesMsMax = 30_000 } = {}) {
  const clock = { now: () => rig.nowMs }
  const book = buildFaultBook(rig.database, buildRelated(rig.store, clock))
  const common = {
    book,
    clock,
    isLeading: leads,
    metrics: buildBlameMetrics(new PromRegistry()),
    logger: buildLogger('silent'),
  }
  const finding = buildFinding({
    ...common,
    transitions: buildTransitionFeed(rig.database, 'test'),
    slos: () => loadSlos(rig.registry),
    deviations: buildDeviations(rig.store),
  })
  const explaining = buildExplaining({ ...common, explain, takesMsMax })
  return { book, finding, explaining }
}

const alarm = (id: string, service: string, atMs: number): Alarm => ({
  key: `external/${id}`,
  series: `external/${id}`,
  origin: 'external',
  name: id,
  measure: 'errors',
  place: { ...ANYWHERE, service },
  system: undefined,
  atMs,
})
const faults = () =>
  readFaults(
    rig.database,
    { fromMs: rig.nowMs - 30 * 24 * HOUR, toMs: rig.nowMs + 1 },
    { service: undefined, release: undefined, systems: undefined },
    500,
  )
async function only() {
  const all = await faults()
  expect(all).toHaveLength(1)
  const found = await readFault(rig.database, all[0]?.id ?? '', undefined)
  if (found === undefined) throw new Error('it is listed and not there')
  return found
}
const events = async () => {
  const rows = await rig.database.rows('SELECT event FROM fault_events ORDER BY id')
  return rows.map(
    ({ event }) => event as { id: string; type: string; data: { subject: { content: object } } },
  )
}
async function runTo(ms: number, everyMs: number, process: ReturnType<typeof start>) {
  while (rig.nowMs < ms) {
    rig.nowMs = Math.min(ms, rig.nowMs + everyMs)
    await process.explaining.round()
  }
}

describe('faults are found', () => {
  test('where an SLO pages and where the detector sees it, as one fault, and end when it is over', async () => {
    const beganMs = rig.beginMs
    const process = start(saying(() => BLAMED))
    await process.finding.round()
    await rig.apply(sloDocument({ name: 'pay-up', target: 0.99, step: '10s' }))
    const badMs = beganMs + 2 * MINUTE
    const put = { service: 'pay', operation: 'transfer', region: 'east' }
    await rig.put(
      { ...put, fromMs: beganMs - 2 * HOUR, count: 7320, everyMs: 1000 },
      { ...put, fromMs: badMs, count: 600, everyMs: 500, outcome: 'system_error' },
      { ...put, fromMs: badMs + 5 * MINUTE, count: 3600, everyMs: 500 },
    )
    const step = async (ms: number) => {
      while (rig.nowMs < ms) {
        rig.nowMs += 10_000
        await rig.loop.tick()
        await process.finding.round()
      }
    }
    await step(badMs)
    expect(await faults()).toEqual([])
    await step(badMs + 4 * MINUTE)
    const found = await only()
    expect(found).toMatchObject({ measure: 'errors', place: { service: 'pay' }, endedAt: null })
    const rang = await rig.database.rows('SELECT DISTINCT origin FROM fault_alarms ORDER BY origin')
    expect(rang.map(({ origin }) => origin)).toEqual(['detector', 'slo'])
    await rig.apply(sloDocument({ name: 'other' }))
    await step(badMs + 12 * MINUTE)
    // The SLO is gone, so nothing of it rings any more; the detector saw its end.
    expect((await only()).endedAt).not.toBeNull()
  })

  test('where requests stay away, and not where nobody sends anything: that is not measured', async () => {
    const fromMs = rig.nowMs
    const process = start(saying(() => ({})))
    await rig.put(
      { service: 'gone', operation: 'pay', fromMs, count: 1800, everyMs: 1000 },
      { service: 'stays', operation: 'pay', fromMs, count: 2700, everyMs: 1000 },
    )
    const lostAt = async (ms: number) => {
      rig.nowMs = ms
      for (let round = 0; round < 3; round += 1, rig.nowMs += MINUTE) await process.finding.round()
      const found = await faults()
      return found.filter(({ endedAt }) => endedAt === null).map(({ place }) => place.service)
    }
    expect(await lostAt(fromMs + 25 * MINUTE)).not.toContain('gone')
    const lost = await lostAt(fromMs + 36 * MINUTE)
    expect(lost).toContain('gone')
    expect(lost).not.toContain('stays')
    const fed = await lostAt(fromMs + 50 * MINUTE)
    // What rang goes on to ring: nobody knows that it is over.
    expect(fed).toEqual(lost)
  })
})

describe('the schedule', () => {
  test('is kept across restarts: nothing is repeated, nothing forgotten, nothing told twice', async () => {
    const beganMs = rig.nowMs
    const blame = saying((_, nowMs) => (nowMs - beganMs >= 30_000 ? BLAMED : {}))
    let process = start(blame)
    await process.book.take(alarm('one', 'pay', beganMs), beganMs)
    await process.explaining.round()
    for (let second = 5; second <= 240; second += 5) {
      if (second % 35 === 0) process = start(blame)
      await runTo(beganMs + second * 1000, 5000, process)
    }
    const seconds = (await only()).decisions.map(({ decidedAt }) => (Date.parse(decidedAt) - beganMs) / 1000)
    expect(seconds).toEqual([0, 15, 30, 45, 60, 75, 90, 105, 120, 180, 240])
    // Once cannot tell, once blamed with what to do.
    expect((await events()).map(({ id, type }) => [id.replace(/^f-[0-9a-f]{16}/, ''), type])).toEqual([
      ['-1', 'dev.cdevents.incident.detected.0.3.0'],
      ['-3', 'dev.cdevents.incident.detected.0.3.0'],
      ['-3-rollback', 'dev.cdeventsx.surety-rollback.suggested.0.1.0'],
    ])
    process = start(blame)
    await runTo(beganMs + 25 * HOUR, 10 * MINUTE, process)
    const late = (await only()).decisions.map(({ decidedAt }) => Date.parse(decidedAt) - beganMs)
    expect(late.slice(-2).map((ms) => Math.floor(ms / HOUR))).toEqual([3, 24])
    expect(new Set(late).size).toBe(late.length)
    expect(await process.explaining.round()).toBe(0)
  })

  test('two processes that both take themselves for the leader keep one decision', async () => {
    const [one, other] = [start(saying(() => BLAMED)), start(saying(() => BLAMED))]
    await one.book.take(alarm('two', 'pay', rig.nowMs), rig.nowMs)
    await Promise.all([one.explaining.round(), other.explaining.round()])
    expect((await only()).decisions).toHaveLength(1)
    expect(await events()).toHaveLength(2)
  })

  test('who does not lead decides nothing', async () => {
    const process = start(
      saying(() => BLAMED),
      { leads: () => false },
    )
    await process.book.take(alarm('three', 'pay', rig.nowMs), rig.nowMs)
    await process.explaining.round()
    await process.finding.round()
    expect((await only()).decisions).toEqual([])
  })

  test('one that fails or takes for ever is tried again later and holds up no other', async () => {
    const explain: Explain = (fault, nowMs, signal) =>
      fault.place.service === 'slow'
        ? untilAborted(signal)
        : fault.place.service === 'broken'
          ? Promise.reject(new Error('the store is busy'))
          : saying(() => BLAMED)(fault, nowMs, signal)
    const process = start(explain, { takesMsMax: 20 })
    for (const service of ['slow', 'broken', 'pay', 'card'])
      await process.book.take(alarm(service, service, rig.nowMs), rig.nowMs)
    await process.explaining.round()
    const verdicts = Object.fromEntries(
      (await faults()).map(({ place, verdict }) => [place.service, verdict]),
    )
    expect(verdicts).toEqual({ slow: null, broken: null, pay: 'blamed', card: 'blamed' })
    rig.nowMs += 5000
    const patient = start(saying(() => BLAMED))
    await patient.explaining.round()
    expect((await faults()).map(({ verdict }) => verdict)).toEqual(['blamed', 'blamed', 'blamed', 'blamed'])
  })
})

test('one is explained at a time, also beyond its time, and a new fault before those that have an answer', async () => {
  const order: string[] = []
  let running = 0
  let book: ReturnType<typeof start>['book'] | undefined
  const explain: Explain = async (fault, nowMs, signal) => {
    const { service } = fault.place
    order.push(service)
    running += 1
    expect(running).toBe(1)
    // Comes while another is explained that had its first answer, as the third of a round.
    if (service === 'old-1' && order.length > 3) await book?.take(alarm('new', 'new', rig.nowMs), rig.nowMs)
    if (service === 'old-0' && order.length > 3) await untilAborted(signal).catch(() => undefined)
    running -= 1
    return saying(() => BLAMED)(fault, nowMs, signal)
  }
  const process = start(explain, { takesMsMax: 20 })
  ;({ book } = process)
  for (const service of ['old-0', 'old-1', 'old-2'])
    await book.take(alarm(service, service, rig.nowMs), rig.nowMs)
  await process.explaining.round()
  const firstRound = order.splice(0).toSorted()
  expect(firstRound).toEqual(['old-0', 'old-1', 'old-2'])
  order.push('', '', '')
  rig.nowMs += 15_000
  await process.explaining.round()
  const again = order.slice(3)
  expect(again.toSorted()).toEqual(['new', 'old-0', 'old-1', 'old-2'])
  expect(again.indexOf('new')).toBe(again.indexOf('old-1') + 1)
})

test('more faults than anybody looks at are not taken', async () => {
  const { book } = start(saying(() => BLAMED))
  for (let place = 0; place < OPEN_FAULTS_MAX; place += 1)
    await book.take(alarm(`s${place}`, `s${place}`, rig.nowMs), rig.nowMs)
  expect(await book.take(alarm('late', 'late', rig.nowMs), rig.nowMs)).toEqual({ kind: 'refused' })
  expect((await book.take(alarm('again', 's1', rig.nowMs), rig.nowMs)).kind).toBe('joined')
  await book.endBefore('external', rig.nowMs + 1, rig.nowMs + 1)
  expect((await book.counts()).open).toBe(0)
  expect((await book.take(alarm('late', 'late', rig.nowMs), rig.nowMs)).kind).toBe('new')
})

test('what is told outward says the same after a crash, and blames by package URL', async () => {
  const process = start(saying(() => BLAMED))
  await process.book.take(alarm('four', 'pay', rig.nowMs), rig.nowMs)
  await process.explaining.round()
  const feed = faultEventFeed(rig.database, 'test-events')
  const sent = await feed.next(10)
  expect(JSON.stringify(await feed.next(10))).toBe(JSON.stringify(sent))
  const { id } = await only()
  expect(sent.map(({ key }) => key)).toEqual([id, id])
  expect(sent[0]?.event).toMatchObject({
    specversion: '1.0',
    id: `${id}-1`,
    subject: id,
    data: {
      context: { specversion: '0.5.1', id: `${id}-1`, type: 'dev.cdevents.incident.detected.0.3.0' },
      subject: {
        id,
        content: {
          service: { id: 'pay' },
          environment: { id: 'unknown' },
          artifactId: 'pkg:generic/pay@2',
        },
      },
      customData: { verdict: 'blamed', cause: { release: 'r1' } },
    },
  })
  expect(sent[1]?.event).toMatchObject({
    data: {
      context: { links: [{ linkType: 'RELATION', target: { contextId: `${id}-1` } }] },
      subject: { content: { incident: { id }, steps: [STEP] } },
    },
  })
  await feed.moveTo(sent.at(-1)?.id ?? 0)
  expect(await feed.next(10)).toEqual([])
})

test('the real engine says the same of the same case, byte by byte', async () => {
  const fault: Fault = {
    id: 'f-test',
    origin: 'external',
    name: '',
    measure: 'errors',
    place: { ...ANYWHERE, service: 'pay' },
    alarmAtMs: rig.nowMs,
    endedAtMs: undefined,
  }
  const parts = () => ({ store: rig.store, registry: rig.registry })
  const first = await explainFault(parts(), fault, rig.nowMs + 5 * MINUTE)
  const again = await explainFault(parts(), fault, rig.nowMs + 5 * MINUTE)
  expect(JSON.stringify(again.explanation)).toBe(JSON.stringify(first.explanation))
  expect(again.caseDigest).toBe(first.caseDigest)
  const later = await explainFault(parts(), fault, rig.nowMs + 6 * MINUTE)
  expect(later.caseDigest).not.toBe(first.caseDigest)
})
