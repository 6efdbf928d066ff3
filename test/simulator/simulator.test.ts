// What the simulator promises: the same seed gives the same bytes, classes have their shares, what surrounds a fault is as the
// protocol says, nothing of the truth is in a case, and a world that is none is refused.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seedsOf } from '../../deploy/simulate-command.ts'
import { BASELINES } from './baselines/baselines.ts'
import { buildCase } from './fault-case.ts'
import { classesOf, makeDay, makeIncident } from './incidents.ts'
import { Random } from './random.ts'
import { record } from './record.ts'
import { MINUTE_MS, readyMsOf } from './rollouts.ts'
import { runDay } from './run-day.ts'
import { runIncident } from './run-incident.ts'
import { openScene } from './scene.ts'
import { Stream } from './stream.ts'
import { releasesAt, tell } from './told.ts'
import { buildWorld, INCIDENT_CLASSES, loadWorld } from './world.ts'

const bank = loadWorld(new URL('worlds/bank.json', import.meta.url))
const village = new URL('worlds/village.json', import.meta.url)

function caseOf(seed: number) {
  const scenario = makeIncident(bank, seed, 0, 'R1')
  const onset = Math.floor(scenario.truth.onsetMs / MINUTE_MS)
  const stream = new Stream({
    world: bank,
    seed: scenario.seed,
    fromMinute: onset - 10,
    releases: scenario.releases,
    effects: scenario.effects,
  })
  stream.drawUntil(onset + 5)
  const nowMs = (onset + 5) * MINUTE_MS
  const place = {
    service: 'mobile-gateway',
    operation: '',
    txnCode: '',
    channel: '',
    site: '',
    region: '',
    branch: '',
  }
  const fault = {
    id: 'f',
    origin: 'detector',
    name: '',
    measure: 'errors',
    place,
    alarmAtMs: nowMs,
    endedAtMs: undefined,
  } as const
  const releases = releasesAt(stream, tell(bank, scenario.releases, scenario.seed), nowMs)
  return { scenario, seen: buildCase({ stream, dayBefore: undefined, events: [] }, fault, releases, nowMs) }
}

test('the world is as large as the protocol asks', () => {
  expect(bank.services.length).toBeGreaterThanOrEqual(30)
  expect(bank.services.length).toBeLessThanOrEqual(40)
  expect(bank.entries).toHaveLength(8)
  expect(bank.places).toHaveLength(4 * 6 * 3)
})

test('the same seed gives the same case, another one another', () => {
  const bytes = (seed: number) => JSON.stringify(caseOf(seed).seen)
  expect(bytes(3)).toBe(bytes(3))
  expect(bytes(3)).not.toBe(bytes(4))
})

test('nothing of the truth is in a case', () => {
  const { scenario, seen } = caseOf(3)
  const text = JSON.stringify(seen)
  for (const { key } of scenario.releases) expect(text).not.toContain(`"${key}"`)
  expect(text).not.toContain('culprit')
  expect(text).not.toContain('isOfEffect')
})

test('a later look has the minutes that an earlier one could not have, and none of those to come', () => {
  const scenario = makeIncident(bank, 3, 0, 'R1')
  const { stream, startMinute, telling } = openScene(bank, scenario, {})
  const at = (minute: number) => {
    const nowMs = minute * MINUTE_MS
    const place = { service: '', operation: '', txnCode: '', channel: '', site: '', region: '', branch: '' }
    const fault = {
      id: 'f',
      origin: 'detector',
      name: '',
      measure: 'errors',
      place,
      alarmAtMs: (startMinute + 3) * MINUTE_MS,
      endedAtMs: undefined,
    } as const
    const releases = releasesAt(stream, telling, nowMs)
    const { failures, places, rows } = buildCase(
      { stream, dayBefore: undefined, events: [] },
      fault,
      releases,
      nowMs,
    )
    const newest = (list: readonly { readonly minute: number }[]) =>
      list.reduce((most, row) => Math.max(most, row.minute), 0)
    return [newest(failures), newest(places), rows.minute.at(-1)]
  }
  stream.drawUntil(startMinute + 4)
  expect(at(startMinute + 4)).toEqual([3, 3, 3].map((minute) => startMinute + minute))
  stream.drawUntil(startMinute + 30)
  expect(at(startMinute + 6)).toEqual([5, 5, 5].map((minute) => startMinute + minute))
})

test('every class has its share over a hundred seeds', () => {
  const all = Array.from({ length: 100 }, (_, index) => classesOf(bank, index + 1)).flat()
  expect(all.length).toBeGreaterThanOrEqual(1000)
  for (const kind of INCIDENT_CLASSES) {
    const share = all.filter((one) => one === kind).length / all.length
    expect(Math.abs(share - bank.file.incidents.classes[kind])).toBeLessThan(0.01)
  }
})

test('innocents: many near the onset, some of the same service', () => {
  let [innocents, near, same] = [0, 0, 0]
  for (let seed = 1; seed <= 60; seed += 1) {
    const { releases, truth } = makeIncident(bank, seed, 0, 'R1')
    const culprit = releases.find(({ key }) => truth.culprits.includes(key))
    for (const release of releases) {
      if (release === culprit || readyMsOf(release) < truth.onsetMs - 72 * 60 * MINUTE_MS) continue
      const isNear = Math.abs(readyMsOf(release) - truth.onsetMs) <= 5 * MINUTE_MS
      if (release.orderId === '' && !isNear) continue
      innocents += 1
      if (isNear) near += 1
      if (release.service === culprit?.service) same += 1
    }
  }
  expect(near / innocents).toBeGreaterThan(0.4)
  expect(same / innocents).toBeGreaterThan(0.05)
})

test('events are late, twice, missing and under other names about as often as the world says', () => {
  const { releases } = makeDay(bank, 1, 0)
  let [steps, late, twice, missing, alias, all] = [0, 0, 0, 0, 0, 0]
  for (let seed = 1; seed <= 20; seed += 1) {
    const told = tell(bank, releases, [seed])
    steps += told.steps.length
    all += releases.length
    missing += told.missing.size
    late += told.steps.filter(({ at, receivedAt }) => receivedAt - at > 60_000 + 30_000).length
    twice += told.steps.length - new Set(told.steps.map(({ eventId }) => eventId)).size
    alias += told.steps.filter(({ service }) => service.endsWith('-svc')).length
  }
  expect(late / steps).toBeGreaterThan(0.02)
  expect(late / steps).toBeLessThan(0.08)
  expect(twice / steps).toBeGreaterThan(0.01)
  expect(missing / all).toBeGreaterThan(0.01)
  expect(missing / all).toBeLessThan(0.06)
  expect(alias / steps).toBeGreaterThan(0.005)
})

test('the baselines answer, and blame somebody for a fault of a zone', () => {
  const outcome = runIncident(bank, makeIncident(bank, 2, 0, 'F1'), BASELINES, { looks: [2] })
  expect(outcome.answers).toHaveLength(BASELINES.length)
  expect(outcome.answers.some(({ judgement }) => judgement.verdict === 'blamed')).toBe(true)
})

test('a day without a fault rings seldom, and what rings together is one fault', () => {
  const world = loadWorld(village)
  const days = [1, 2, 3].map((seed) => runDay(world, makeDay(world, seed, 0), []))
  expect(days.reduce((sum, { alarms }) => sum + alarms, 0)).toBeLessThanOrEqual(3)
  // The hours after something broke, looked at as if nobody had said so.
  const broken = runDay(world, makeIncident(world, 2, 0, 'R7'), [])
  expect(broken.alarms).toBeGreaterThan(4)
  expect(broken.faults).toBeGreaterThanOrEqual(1)
  expect(broken.faults).toBeLessThanOrEqual(broken.alarms / 4)
})

test('means of the draws', () => {
  const random = new Random(1)
  for (const mean of [0.2, 5, 80]) {
    let sum = 0
    for (let index = 0; index < 20_000; index += 1) sum += random.poisson(mean)
    expect(sum / 20_000).toBeGreaterThan(mean * 0.95)
    expect(sum / 20_000).toBeLessThan(mean * 1.05)
  }
  for (const [count, chance] of [
    [10, 0.3],
    [500, 0.02],
    [5000, 0.4],
  ] as const) {
    let sum = 0
    for (let index = 0; index < 5000; index += 1) sum += random.binomial(count, chance)
    expect(sum / 5000 / (count * chance)).toBeGreaterThan(0.95)
    expect(sum / 5000 / (count * chance)).toBeLessThan(1.05)
  }
})

test('a call before its caller is refused by name', () => {
  const file = structuredClone(bank.file)
  const [entry] = file.entries
  entry?.variants[0]?.calls.unshift('ledger>account')
  expect(() => buildWorld(file)).toThrow(/ledger>account.*before its caller/)
})

test('an incident is written as a directory to replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-record-'))
  const { traces } = record(folder, {
    world: village,
    kind: 'R1',
    seed: 1,
    minutesBefore: 5,
    minutesAfter: 5,
  })
  expect(traces).toBeGreaterThan(100)
  expect(readdirSync(folder).toSorted()).toEqual([
    'events.jsonl',
    'faults.jsonl',
    'spans.otlp.pb',
    'truth.json',
  ])
  const [alarm] = readFileSync(join(folder, 'faults.jsonl'), 'utf8').trim().split('\n')
  expect(JSON.parse(alarm ?? '')).toMatchObject({ service: 'gateway' })
  rmSync(folder, { recursive: true })
})

test('seeds of the command line', () => {
  expect(seedsOf('3-5')).toEqual([3, 4, 5])
  expect(() => seedsOf('5-3')).toThrow(/--seeds 5-3/)
})
