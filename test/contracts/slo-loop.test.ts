// The loop that measures and judges, on a real store and registry: what the acceptance statements say of telemetry that stops, comes
// late, or of a loop that is stopped itself.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StoreError } from '../../ingest/store/store.ts'
import { correctionsOf, decideCorrection } from '../../query/promises/corrections.ts'
import { openSloRig, sloDocument, type SloRig } from '../support/slo-rig.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
let rig: SloRig

beforeEach(async () => {
  rig = await openSloRig()
  // A day of requests, six a minute; another service is always heard.
  const fromMs = rig.beginMs - 25 * HOUR
  await rig.put(
    { fromMs, count: 25 * 360, everyMs: 10_000 },
    { service: 'other', fromMs, count: 30 * 360, everyMs: 10_000 },
  )
})
afterEach(() => rig.close())

/** Six a minute for a while. */
const traffic = (fromMs: number, minutes: number, outcome: 'ok' | 'system_error' = 'ok') => ({
  fromMs,
  count: minutes * 6,
  everyMs: 10_000,
  outcome,
})
const changes = async (subject: string) =>
  (await rig.transitions()).filter(({ transition }) => transition.subject === subject)
const conditions = async () =>
  (await changes('condition')).map(({ atMs, transition }) => [(atMs - rig.beginMs) / MINUTE, transition.to])

describe('a new SLO', () => {
  test('8.12 with backfill it has no data until enough is known, and its history raises no alert', async () => {
    // Three bad hours in the past would have fired.
    await rig.put({ ...traffic(rig.beginMs - 10 * HOUR, 60, 'system_error') })
    await rig.apply(sloDocument())
    await rig.loop.tick()
    const [first] = await rig.standings()
    expect(first?.row?.status).toMatchObject({
      condition: 'no-data',
      backfill: { doneRatio: expect.any(Number) },
    })
    await rig.put(traffic(rig.beginMs, 10))
    await rig.runTo(rig.beginMs + 5 * MINUTE)
    const [later] = await rig.standings()
    expect(later?.row?.status.window?.net.coverage).toBeGreaterThan(0.99)
    expect(later?.row?.status.backfill).toBeUndefined()
    expect(later?.row?.status.window?.net.counts.total).toBeGreaterThan(8000)
    expect((await changes('pair')).filter(({ transition }) => transition.to === 'firing')).toEqual([])
  })

  test('one whose selector matches nothing is taken, has no data and says why', async () => {
    await rig.apply(sloDocument({ name: 'nobody', where: '{ service: nobody }' }))
    await rig.runTo(rig.beginMs + 3 * MINUTE)
    const [standing] = await rig.standings()
    expect(standing?.row?.status).toMatchObject({ condition: 'no-data', isUnmatched: true })
  })

  test('equal questions are measured once', async () => {
    await rig.apply([sloDocument(), sloDocument({ name: 'stricter', target: 0.999 })].join('---\n'))
    await rig.put(traffic(rig.beginMs, 10))
    await rig.runTo(rig.beginMs + 3 * MINUTE)
    const [row] = await rig.store.rows('SELECT uniqExact(series) AS series FROM sli_slices')
    expect(Number(row?.['series'])).toBe(1)
    expect((await rig.standings()).map(({ row: told }) => told?.status.window?.net.counts.total)).toEqual([
      expect.any(Number),
      expect.any(Number),
    ])
  })
})

describe('telemetry that stops', () => {
  test('8.1 while an alert fires it stays firing, frozen, and ends only after a measured healthy short window', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 10), traffic(rig.beginMs + 10 * MINUTE, 20, 'system_error'))
    await rig.put(traffic(rig.beginMs + 60 * MINUTE, 40))
    await rig.runTo(rig.beginMs + 29 * MINUTE, 4 * MINUTE)
    expect(await rig.condition('pay-available')).toBe('burning-fast')
    await rig.runTo(rig.beginMs + 58 * MINUTE, 4 * MINUTE)
    const [frozen] = await rig.standings()
    expect(frozen?.row?.status).toMatchObject({ condition: 'burning-fast', isFrozen: true })
    const ended = async () => (await changes('pair')).filter(({ transition }) => transition.to === 'inactive')
    expect(await ended()).toEqual([])
    await rig.runTo(rig.beginMs + 70 * MINUTE)
    await rig.runTo(rig.beginMs + 99 * MINUTE, 4 * MINUTE)
    const [first] = await ended()
    // Not before five minutes of health are measured as far as they must be.
    expect(first?.atMs).toBeGreaterThanOrEqual(rig.beginMs + 64 * MINUTE)
    expect(await rig.condition('pay-available')).not.toBe('burning-fast')
  })

  test('8.2 while healthy it turns to no data within three slices and one evaluation, and is told once', async () => {
    await rig.apply(sloDocument())
    await rig.store.command(
      `ALTER TABLE requests_10s DELETE WHERE service = 'other' SETTINGS mutations_sync = 1`,
    )
    await rig.store.command(
      `ALTER TABLE service_requests_1m DELETE WHERE service = 'other' SETTINGS mutations_sync = 1`,
    )
    await rig.put(traffic(rig.beginMs, 10))
    await rig.runTo(rig.beginMs + 9 * MINUTE, 3 * MINUTE)
    expect(await rig.condition('pay-available')).toBe('healthy')
    await rig.runTo(rig.beginMs + 20 * MINUTE)
    await rig.runTo(rig.beginMs + 40 * MINUTE, 5 * MINUTE)
    const told = (await changes('silence')).map(({ atMs, transition }) => [
      (atMs - rig.beginMs) / MINUTE,
      transition.to,
    ])
    expect(told.filter(([, to]) => to === 'silent')).toHaveLength(1)
    const at = Number(told.find(([, to]) => to === 'silent')?.[0])
    expect(at).toBeGreaterThan(10)
    expect(at).toBeLessThanOrEqual(14)
    const [standing] = await rig.standings()
    expect(standing?.row?.status.condition).toBe('no-data')
    // The burn rate is not known: absent, never 0.
    expect(
      standing?.row?.status.burns.find(({ windowMs }) => windowMs === 5 * MINUTE)?.status?.net.burnRate,
    ).toBeUndefined()
  })

  test('8.11 one group of three that stops is missing after two cycles; the others are not touched', async () => {
    await rig.apply(sloDocument({ extra: ', groupBy: [region]' }))
    for (const region of ['east', 'west', 'north'])
      await rig.put({ ...traffic(rig.beginMs, region === 'west' ? 10 : 30), region })
    await rig.runTo(rig.beginMs + 8 * MINUTE, 4 * MINUTE)
    await rig.runTo(rig.beginMs + 20 * MINUTE)
    const missing = (await rig.standings()).map(({ group, row }) => [group, row?.status.isMissing])
    // The day before had no regions.
    expect(missing).toEqual([
      ['[""]', true],
      ['["east"]', false],
      ['["north"]', false],
      ['["west"]', true],
    ])
  })
})

describe('telemetry that comes late', () => {
  test('8.6 within the allowance the figures are those of the run in order; coming twice changes nothing', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 5), traffic(rig.beginMs + 15 * MINUTE, 30))
    await rig.runTo(rig.beginMs + 20 * MINUTE, 4 * MINUTE)
    const late = { ...traffic(rig.beginMs + 5 * MINUTE, 10), outcome: 'system_error' as const }
    await rig.put(late)
    await rig.runTo(rig.beginMs + 25 * MINUTE)
    const [standing] = await rig.standings()
    const counts = standing?.row?.status.window?.net.counts
    const inOrder = await rig.store.rows(
      `SELECT countIf(outcome = 'ok') AS good, count() AS total FROM spans WHERE service = 'pay' AND ts >= fromUnixTimestamp64Milli(${standing?.row?.status.window?.fromMs ?? 0}) AND ts < fromUnixTimestamp64Milli(${standing?.row?.status.window?.toMs ?? 0})`,
    )
    expect([counts?.good, counts?.total]).toEqual([
      Number(inOrder[0]?.['good']),
      Number(inOrder[0]?.['total']),
    ])
    const before = await rig.store.rows('SELECT count() AS n FROM sli_slices')
    // Asked again, nothing differs: no slice is written for times that were known.
    await rig.runTo(rig.beginMs + 26 * MINUTE)
    const after = await rig.store.rows('SELECT count() AS n FROM sli_slices')
    expect(Number(after[0]?.['n']) - Number(before[0]?.['n'])).toBeLessThanOrEqual(2)
  })
})

describe('telemetry that comes later than the allowance', () => {
  test('8.7 the figure stays, a correction is noted, and only an approval restates it', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 100))
    await rig.runTo(rig.beginMs + 95 * MINUTE, 5 * MINUTE)
    const told = async () => (await rig.standings())[0]?.row?.status.window?.net.counts
    const before = await told()
    const lateMs = rig.beginMs + 5 * MINUTE
    await rig.put({ ...traffic(lateMs, 1, 'system_error'), fromMs: lateMs + 1 })
    await rig.runTo(rig.beginMs + 97 * MINUTE)
    const grown = await told()
    expect((grown?.total ?? 0) - (grown?.good ?? 0)).toBe((before?.total ?? 0) - (before?.good ?? 0))
    const series = (await rig.standings())[0]?.slo.questions.map((question) => question.series) ?? []
    const corrections = await correctionsOf(rig.database, series, 10)
    expect(corrections).toMatchObject([
      {
        startSecond: lateMs / 1000,
        before: { good: 6000, total: 6000 },
        after: { good: 6000, total: 12_000 },
        decision: 'open',
      },
    ])
    const author = { actor: 'kim', via: 'test', origin: '', reason: 'the branch was offline', request: 'r' }
    const id = corrections[0]?.id ?? 0
    await decideCorrection(rig.database, series, id, 'approved', author, new Date())
    expect(await decideCorrection(rig.database, series, id, 'rejected', author, new Date())).toBeUndefined()
    await rig.runTo(rig.beginMs + 99 * MINUTE)
    const restated = await told()
    expect((restated?.total ?? 0) - (restated?.good ?? 0)).toBe(6)
    expect(
      (await rig.registry.audit({ kind: 'slo-correction', limit: 5 })).map(({ actor, action, reason }) => [
        actor,
        action,
        reason,
      ]),
    ).toEqual([['kim', 'update', 'the branch was offline']])
  })

  test('time that was not known is filled', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 5), traffic(rig.beginMs + 15 * MINUTE, 90))
    await rig.runTo(rig.beginMs + 95 * MINUTE, 5 * MINUTE)
    const coverage = async () => (await rig.standings())[0]?.row?.status.window?.net.coverage ?? 0
    const before = await coverage()
    expect(before).toBeLessThan(1)
    await rig.put(traffic(rig.beginMs + 5 * MINUTE, 10))
    await rig.runTo(rig.beginMs + 98 * MINUTE)
    expect(await coverage()).toBe(1)
  })
})

describe('a loop that is stopped', () => {
  test('8.13 killed for twenty minutes it judges what it missed in order, with the true times, as if it had never stopped', async () => {
    const script = [
      traffic(rig.beginMs, 10),
      traffic(rig.beginMs + 10 * MINUTE, 12, 'system_error'),
      traffic(rig.beginMs + 22 * MINUTE, 60),
    ]
    await rig.apply(sloDocument())
    await rig.put(...script)
    await rig.runTo(rig.beginMs + 60 * MINUTE)
    const unbroken = (await rig.transitions()).map(({ atMs, transition }) => [atMs, transition])
    const words = await conditions()
    await rig.close()

    rig = await openSloRig()
    const fromMs = rig.beginMs - 25 * HOUR
    await rig.put(
      { fromMs, count: 25 * 360, everyMs: 10_000 },
      { service: 'other', fromMs, count: 30 * 360, everyMs: 10_000 },
    )
    await rig.apply(sloDocument())
    await rig.put(...script)
    await rig.runTo(rig.beginMs + 8 * MINUTE)
    await rig.restart()
    rig.nowMs = rig.beginMs + 28 * MINUTE
    await rig.loop.tick()
    await rig.runTo(rig.beginMs + 60 * MINUTE)
    // It began, went on while nobody looked, and ended.
    expect(words.map(([, to]) => to)).toEqual(['healthy', 'burning-fast', 'healthy'])
    expect(await conditions()).toEqual(words)
    expect((await rig.transitions()).map(({ atMs, transition }) => [atMs, transition])).toEqual(unbroken)
    const firing = (await changes('pair')).filter(({ transition }) => transition.to === 'firing')
    expect(new Set(firing.map(({ transition }) => 'id' in transition && transition.id)).size).toBe(
      firing.length,
    )
    const [progress] = await rig.database.rows('SELECT missed FROM slo_progress WHERE step_seconds = 60')
    expect(Number(progress?.['missed'])).toBeGreaterThanOrEqual(19)
  })

  test('one leads; another waits and goes on when it is gone', async () => {
    await rig.apply(sloDocument())
    await rig.loop.tick()
    const another = rig.another()
    await another.tick()
    expect([rig.loop.isLeading(), another.isLeading()]).toEqual([true, false])
    await rig.loop.stop()
    await another.tick()
    expect(another.isLeading()).toBe(true)
    await another.stop()
  })

  test('what a replaced leader still has in hand is not kept', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 30))
    await rig.runTo(rig.beginMs + 2 * MINUTE)
    // As another that took the lead would leave it, while this one does not know yet.
    await rig.database.rows('UPDATE slo_leader SET epoch = epoch + 1')
    const before = (await rig.transitions()).length
    const judgedTo = async () =>
      (await rig.database.rows('SELECT judged_to FROM slo_progress WHERE step_seconds = 60'))[0]?.[
        'judged_to'
      ]
    const kept = await judgedTo()
    rig.nowMs = rig.beginMs + 4 * MINUTE
    await rig.loop.tick()
    expect(rig.loop.isLeading()).toBe(false)
    expect([await judgedTo(), (await rig.transitions()).length]).toEqual([kept, before])
    await rig.runTo(rig.beginMs + 6 * MINUTE)
    expect(rig.loop.isLeading()).toBe(true)
    expect(await judgedTo()).not.toEqual(kept)
  })
})

describe('a store that does not answer', () => {
  test('8.10 is an error and not missing data: its own transition after three failures, the last good value with its age', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 60))
    await rig.runTo(rig.beginMs + 10 * MINUTE, 2 * MINUTE)
    expect(await rig.condition('pay-available')).toBe('healthy')
    const ask = rig.store.ask.bind(rig.store)
    const isBroken = { asked: 0 }
    Object.assign(rig.store, {
      ask: (question: { readonly name: string }, ...rest: unknown[]) => {
        if (question.name !== 'slo-slices') return Reflect.apply(ask, undefined, [question, ...rest])
        isBroken.asked += 1
        return Promise.reject(new StoreError('SURETY_STORE_BUSY', 'not now'))
      },
    })
    await rig.runTo(rig.beginMs + 15 * MINUTE)
    const [standing] = await rig.standings()
    expect(isBroken.asked).toBeGreaterThanOrEqual(3)
    expect(standing?.row?.status).toMatchObject({ condition: 'error', failure: 'not now' })
    expect(standing?.row?.status.lastGood?.atMs).toBe(rig.beginMs + 9 * MINUTE)
    Object.assign(rig.store, { ask })
    await rig.runTo(rig.beginMs + 17 * MINUTE)
    expect((await changes('measuring')).map(({ transition }) => transition.to)).toEqual(['fails', 'works'])
    expect(await rig.condition('pay-available')).toBe('healthy')
    // What could not be asked then was asked afterwards.
    expect((await rig.standings())[0]?.row?.status.window?.net.coverage).toBe(1)
  })
})

describe('definitions that change', () => {
  test('2.11 a new target keeps what was measured; a new question begins a new generation', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 30))
    await rig.runTo(rig.beginMs + 5 * MINUTE)
    const measured = async () =>
      Number((await rig.store.rows('SELECT uniqExact(series) AS n FROM sli_slices'))[0]?.['n'])
    expect(await measured()).toBe(1)
    await rig.apply(sloDocument({ target: 0.95 }))
    await rig.runTo(rig.beginMs + 7 * MINUTE)
    const [standing] = await rig.standings()
    expect(await measured()).toBe(1)
    expect(standing?.slo.generation).toBe(1)
    expect(standing?.row?.status).toMatchObject({ objective: 0.95, window: { net: { coverage: 1 } } })
    await rig.apply(sloDocument({ where: '{ service: pay, channel: mobile }' }))
    await rig.runTo(rig.beginMs + 9 * MINUTE)
    const [changed] = await rig.standings()
    expect(changed?.slo.generation).toBe(2)
    expect(await measured()).toBe(2)
  })

  test('excluded time counts in one figure and not in the other, also when it is told afterwards', async () => {
    await rig.apply(sloDocument())
    await rig.put(traffic(rig.beginMs, 5), traffic(rig.beginMs + 5 * MINUTE, 5, 'system_error'))
    await rig.put(traffic(rig.beginMs + 10 * MINUTE, 20))
    await rig.runTo(rig.beginMs + 12 * MINUTE, 3 * MINUTE)
    const told = async () => (await rig.standings())[0]?.row?.status.window
    expect((await told())?.net.counts.good).toBe((await told())?.gross.counts.good)
    await rig.apply(
      `apiVersion: surety/v1
kind: Exclusion
metadata: { name: change-4711 }
spec:
  reason: planned work
  approver: head of operations
  ticket: CHG-4711
  from: ${new Date(rig.beginMs + 5 * MINUTE).toISOString()}
  to: ${new Date(rig.beginMs + 10 * MINUTE).toISOString()}
  appliesTo: { slos: [pay-available] }
`,
      'exclusions',
    )
    await rig.runTo(rig.beginMs + 15 * MINUTE)
    const window = await told()
    expect(window?.net.sliRatio).toBe(1)
    expect(window?.gross.sliRatio).toBeLessThan(1)
    expect((window?.gross.counts.total ?? 0) - (window?.net.counts.total ?? 0)).toBe(30)
  })
})

test('a fault changes the state of a ten-second SLO before its slice is over', async () => {
  await rig.apply(sloDocument({ step: '10s', annotations: "    surety/outage-ratio: '0.5'" }))
  const busy = (fromMs: number, seconds: number, outcome: 'ok' | 'system_error') => ({
    fromMs,
    count: seconds * 10,
    everyMs: 100,
    outcome,
  })
  const faultMs = rig.beginMs + 2 * MINUTE
  await rig.put(busy(rig.beginMs, 120, 'ok'))
  await rig.runTo(faultMs, 5000)
  await rig.put(busy(faultMs, 3, 'system_error'))
  await rig.runTo(faultMs + 4000, 2000)
  expect(await rig.condition('pay-available')).toBe('outage')
  await rig.put(busy(faultMs + 3000, 60, 'ok'))
  await rig.runTo(faultMs + 50_000, 5000)
  const outages = (await changes('outage')).map(({ transition }) => transition.to)
  expect(outages).toEqual(['firing', 'inactive'])
})
