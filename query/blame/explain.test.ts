import { describe, expect, test } from 'vitest'
import { AFTER, BEFORE, CELLS, madeCase, ONSET, type MadeRow } from '../../test/support/fault-cases.ts'
import type { Explanation } from '../http/fault-schemas.ts'
import { Explanation as Shape } from '../http/fault-schemas.ts'
import type { FaultCase, PlaceRow, TraceRows } from './case.ts'
import { explain } from './explain.ts'

const MINUTE_MS = 60_000
const since = (ratio: number, is: (row: MadeRow) => boolean) => (row: MadeRow) =>
  row.minute >= ONSET && is(row) ? ratio : 0.003
const met = (index: number) => (row: MadeRow) => row.touch[index] === 2
const byId = (explanation: Explanation, id: string) =>
  explanation.ranked.find(({ release }) => release === id) ?? expect.fail(`${id} is not ranked`)
const termOf = (explanation: Explanation, id: string, name: string) =>
  byId(explanation, id).evidence.find(({ term }) => term === name)

describe('a canary that fails beside innocent releases', () => {
  const releases = [
    { id: 'culprit', service: 'payment', share: 0.2 },
    { id: 'innocent', service: 'ledger', share: 0.3, readyBefore: 2 },
    { id: 'scoped', service: 'limit', regions: ['north'], readyBefore: 8 },
    { id: 'later', service: 'limit', share: 0.5, readyBefore: -6 },
  ]
  const explanation = explain(madeCase(releases, since(0.38, met(0))))

  test('is blamed, with the counts of both sides in two languages', () => {
    expect(explanation.verdict).toBe('blamed')
    expect(explanation.ranked[0]?.release).toBe('culprit')
    expect(explanation.ranked[0]?.posterior).toBeGreaterThan(0.95)
    expect(explanation.ranked[0]?.contrast?.method).toBe('concurrent')
    expect(explanation.ranked[0]?.reason.en).toMatch(
      /^38\.\d % of requests on 2\.14\.0 failed \(\d+\/[\d,]+\), 0\.3\d* % on 2\.13\.4 at the same minutes \(/,
    )
    expect(explanation.ranked[0]?.reason.zh).toContain('新版本 2.14.0')
    expect(explanation.headline.zh).toContain('引起')
  })

  test('the innocent ones are exonerated with a reason each', () => {
    for (const id of ['innocent', 'scoped', 'later']) {
      expect(byId(explanation, id).isExonerated).toBe(true)
      expect(byId(explanation, id).reason.en).not.toBe('')
      expect(byId(explanation, id).reason.zh).not.toBe('')
    }
    expect(byId(explanation, 'later').evidence).toMatchObject([{ term: 'E1', llr: -99 }])
  })

  test('the onset is the minute it began', () => {
    expect(explanation.onset?.at).toBe(new Date(ONSET * MINUTE_MS).toISOString())
  })

  test('it is to be taken back by its scope, and that relieves nearly all', () => {
    expect(explanation.rollback?.steps).toMatchObject([{ release: 'culprit', action: 'withdraw-scope' }])
    expect(explanation.rollback?.expectedReliefRatio).toBeGreaterThan(0.9)
  })

  test('who is hit adds up', () => {
    const { regions, badRequests } = explanation.blastRadius
    expect(regions.map(({ name }) => name)).toEqual(['north', 'south'])
    expect(regions.reduce((sum, { bad }) => sum + bad, 0)).toBeCloseTo(badRequests, 6)
  })

  test('it has the shape of the API', () => {
    expect(Shape.parse(explanation)).toEqual(explanation)
  })
})

describe('verdicts', () => {
  test('a region-scoped release is set against what was usual inside and outside', () => {
    const explanation = explain(
      madeCase([{ id: 'scoped', service: 'payment', regions: ['north'] }], (row) =>
        row.minute >= ONSET && row.touch[0] === 2 ? 0.1 : CELLS[row.cell]?.region === 'north' ? 0.02 : 0.003,
      ),
    )
    expect(explanation.verdict).toBe('blamed')
    expect(explanation.ranked[0]?.contrast?.method).toBe('difference-in-differences')
  })

  test('a scope whose callers always fail more is not blamed for that', () => {
    // Everybody doubles at the onset; the north had ten times the ratio of the south before.
    const explanation = explain(
      madeCase(
        [{ id: 'scoped', service: 'payment', regions: ['north'] }],
        (row) => (CELLS[row.cell]?.region === 'north' ? 0.05 : 0.005) * (row.minute >= ONSET ? 3 : 1),
      ),
    )
    expect(explanation.verdict).not.toBe('blamed')
    expect(termOf(explanation, 'scoped', 'E2')?.llr).toBeLessThanOrEqual(0)
  })

  test('slowness is judged as errors are', () => {
    const explanation = explain(
      madeCase(
        [{ id: 'slow', service: 'payment', share: 0.3 }],
        (row) => (row.minute >= ONSET && row.touch[0] === 2 ? 0.6 : 0.05),
        { measure: 'latency' },
      ),
    )
    expect(explanation.verdict).toBe('blamed')
    expect(explanation.ranked[0]?.reason.en).toContain('were slow')
  })

  test('two releases that do harm only together are both the answer', () => {
    const explanation = explain(
      madeCase(
        [
          { id: 'a', service: 'payment', share: 0.5, readyBefore: 20 },
          { id: 'b', service: 'ledger', share: 0.5, readyBefore: 1 },
        ],
        since(0.4, (row) => row.touch[0] === 2 && row.touch[1] === 2),
      ),
    )
    expect(explanation.verdict).toBe('blamed')
    expect([...explanation.set].sort()).toEqual(['a', 'b'])
  })

  test('two releases that the same requests met are a set', () => {
    const requests = madeCase([{ id: 'one', service: 'payment', share: 0.3 }], since(0.4, met(0)))
    const twins = requests.candidates.map((candidate) => ({
      ...candidate,
      release: { ...candidate.release, id: 'two' },
    }))
    const explanation = explain({
      ...requests,
      candidates: [...requests.candidates, ...twins],
      touches: requests.touches.map(([touch]) => [touch ?? 0, touch ?? 0]),
    })
    expect([...explanation.set].sort()).toEqual(['one', 'two'])
    expect(explanation.headline.en).toContain('cannot tell them apart')
  })

  test('a full rollout without control is a suspect at most, however well the time fits', () => {
    const explanation = explain(
      madeCase(
        [{ id: 'full', service: 'payment', entries: [0], readyBefore: 1 }],
        since(0.3, ({ entry }) => entry === 0),
      ),
    )
    expect(explanation.verdict).toBe('suspect')
    expect(explanation.rollback).toBeNull()
    expect(explanation.wouldDecide?.en).toContain('Pause')
    expect(termOf(explanation, 'full', 'E7')?.llr).toBeGreaterThan(0)
  })

  test('when operations that never call it go bad as well, a full rollout is no suspect', () => {
    const explanation = explain(
      madeCase(
        [{ id: 'full', service: 'payment', entries: [0], readyBefore: 1 }],
        since(0.3, () => true),
      ),
    )
    expect(explanation.verdict).not.toBe('blamed')
    expect(termOf(explanation, 'full', 'E7')?.llr).toBe(-5)
  })

  test('too little traffic is told as such, with what is missing', () => {
    const explanation = explain(
      madeCase([{ id: 'tiny', service: 'payment', share: 0.1 }], since(0.12, met(0)), { perMinute: 10 }),
    )
    expect(['inconclusive', 'suspect', 'blamed']).toContain(explanation.verdict)
    if (explanation.verdict === 'inconclusive') expect(explanation.wouldDecide).not.toBeNull()
  })

  test('recovery after it was taken back speaks loudest', () => {
    const gone = ONSET + 4
    const made = madeCase(
      [
        {
          id: 'back',
          service: 'payment',
          entries: [0],
          readyBefore: 3,
          release: { state: 'rolled_back', endedAtMs: gone * MINUTE_MS },
        },
      ],
      (row) => (row.entry === 0 && row.minute >= ONSET && row.minute < gone ? 0.3 : 0.003),
    )
    const explanation = explain(made)
    expect(termOf(explanation, 'back', 'E3')?.llr).toBeGreaterThan(4)
    expect(explanation.verdict).toBe('blamed')
  })

  test('a blip that went away while the version stayed is not blamed', () => {
    const explanation = explain(
      madeCase([{ id: 'blip', service: 'payment', share: 0.5, readyBefore: 0 }], (row) =>
        row.minute === ONSET && row.touch[0] === 2 ? 0.3 : 0.003,
      ),
    )
    expect(explanation.verdict).not.toBe('blamed')
  })

  test('requests that show nothing blame nobody', () => {
    const explanation = explain(madeCase([{ id: 'calm', service: 'payment', share: 0.3 }], () => 0.003))
    expect(explanation.verdict).not.toBe('blamed')
    expect(explanation.rollback).toBeNull()
  })

  test('no rows at all: nothing is said', () => {
    const empty = madeCase([], () => 0, { perMinute: 0 })
    expect(explain(empty)).toMatchObject({ verdict: 'inconclusive', onset: null, ranked: [] })
  })
})

describe('causes that are no release', () => {
  const releases = [{ id: 'innocent', service: 'payment', share: 0.3, readyBefore: 2 }]
  const everywhere = madeCase(
    releases,
    since(0.2, () => true),
  )
  const services = ['gateway', 'payment', 'ledger', 'limit']
  const places = (bad: (row: { zone: string; service: string; minute: number }) => number): PlaceRow[] =>
    range(ONSET - BEFORE, ONSET + AFTER).flatMap((minute) =>
      services.flatMap((service) =>
        ['z1', 'z2', 'z3'].flatMap((zone) =>
          [0, 1].map((node) => ({
            minute,
            service,
            version: '2.13.4',
            site: '',
            zone,
            cluster: '',
            node: `${zone}-n${node}`,
            requests: 100,
            bad: bad({ zone, service, minute }),
            slow: 0,
          })),
        ),
      ),
    )

  test('a zone in which every service fails is named, and the release beside it is not blamed', () => {
    const explanation = explain({
      ...everywhere,
      places: places(({ zone, minute }) => (zone === 'z2' && minute >= ONSET ? 40 : 0)),
    })
    expect(explanation.verdict).toBe('not-a-rollout')
    expect(explanation.competing[0]).toMatchObject({ kind: 'zone', name: 'z2' })
    expect(byId(explanation, 'innocent').isExonerated).toBe(true)
  })

  test('a site and its only zone are one cause, and share no posterior', () => {
    const bySite = places(({ zone, minute }) => (zone === 'z2' && minute >= ONSET ? 40 : 0)).map((row) => ({
      ...row,
      site: `site-${row.zone}`,
    }))
    const zone = explain({ ...everywhere, places: bySite }).competing.filter(
      ({ kind }) => kind === 'zone' || kind === 'site',
    )
    expect(zone.filter(({ name }) => name.endsWith('z2'))).toHaveLength(1)
    expect(zone[0]).toMatchObject({ kind: 'zone', name: 'z2' })
    expect(zone[0]?.text.en).toContain('all there is of site site-z2')
    expect(zone[0]?.text.zh).toContain('即中心 site-z2的全部')
    // A second zone of the site makes them two.
    const wider = bySite.map((row) => (row.zone === 'z1' ? { ...row, site: 'site-z2' } : row))
    const two = explain({
      ...everywhere,
      places: [...wider, ...wider.map((row) => ({ ...row, zone: 'z3', site: 'other' }))],
    })
    expect(two.competing.find(({ name }) => name === 'z2')?.text.en).not.toContain('all there is')
  })

  test('a partner that fails for all callers is named', () => {
    const minutes = range(ONSET - BEFORE, ONSET + AFTER)
    const explanation = explain({
      ...everywhere,
      failures: minutes.slice(BEFORE).map((minute) => ({
        minute,
        entry: 0,
        cell: 0,
        service: 'payment',
        version: '2.13.4',
        operation: 'call',
        peer: 'unionpay',
        site: '',
        zone: '',
        cluster: '',
        node: '',
        signature: '',
        count: 90,
      })),
      peers: minutes.flatMap((minute) =>
        ['2.13.4', '2.14.0'].map((callerVersion) => ({
          minute,
          caller: 'payment',
          callerVersion,
          peer: 'unionpay',
          kind: 'external' as const,
          calls: 200,
          bad: minute >= ONSET ? 45 : 0,
          slow: 0,
        })),
      ),
    })
    expect(explanation.verdict).toBe('not-a-rollout')
    expect(explanation.competing[0]).toMatchObject({ kind: 'external-dependency', name: 'unionpay' })
  })

  test('a certificate that expires for all versions at one minute is named', () => {
    const explanation = explain({
      ...everywhere,
      places: places(() => 0),
      signatures: range(ONSET, ONSET + AFTER).flatMap((minute) =>
        ['2.13.4'].map((version) => ({
          minute,
          service: 'payment',
          version,
          signature: 'abc',
          type: 'SSLHandshakeException',
          message: 'certificate expired',
          count: 50,
        })),
      ),
    })
    expect(explanation.verdict).toBe('not-a-rollout')
    expect(explanation.competing[0]?.kind).toBe('schedule')
  })

  test('twice the requests, refused by limits, are load', () => {
    const loaded = madeCase(
      releases,
      since(0.2, () => true),
      {
        requests: (minute) => (minute >= ONSET ? 240 : 120),
      },
    )
    const explanation = explain({
      ...loaded,
      rows: { ...loaded.rows, shed: loaded.rows.systemErrors, systemErrors: loaded.rows.shed },
    })
    expect(explanation.verdict).toBe('not-a-rollout')
    expect(explanation.competing[0]?.kind).toBe('load')
  })
})

describe('a young store', () => {
  test('the first traffic there is, is no growth of load', () => {
    // Nothing was recorded until twelve minutes before the onset.
    const young = madeCase(
      [{ id: 'innocent', service: 'ledger', share: 0.3, readyBefore: 30 }],
      since(0.2, () => true),
      { requests: (minute) => (minute >= ONSET - 12 ? 120 : 0) },
    )
    expect(explain(young).competing.filter(({ kind }) => kind === 'load')).toEqual([])
    const older = madeCase(
      [{ id: 'innocent', service: 'ledger', share: 0.3, readyBefore: 30 }],
      since(0.2, () => true),
      { requests: (minute) => (minute < ONSET - 20 ? 0 : minute < ONSET ? 60 : 120) },
    )
    const load = explain(older).competing.find(({ kind }) => kind === 'load')
    expect(load?.text.en).toContain('Requests grew to 2.0 times')
  })
})

describe('properties', () => {
  const releases = [
    { id: 'culprit', service: 'payment', share: 0.2 },
    { id: 'innocent', service: 'ledger', share: 0.3, readyBefore: 2 },
    { id: 'scoped', service: 'limit', regions: ['north'], readyBefore: 8 },
  ]
  const made = madeCase(releases, since(0.3, met(0)))

  test('the same case gives the same bytes', () => {
    expect(JSON.stringify(explain(made))).toBe(JSON.stringify(explain(made)))
  })

  test('the order of rows does not matter', () => {
    expect(summary(explain({ ...made, rows: reversed(made.rows) }))).toEqual(summary(explain(made)))
  })

  test('the order of candidates does not matter', () => {
    const back = [...made.candidates.keys()].toReversed()
    const turned: FaultCase = {
      ...made,
      candidates: back.flatMap((index) => made.candidates[index] ?? []),
      touches: made.touches.map((touch) => back.flatMap((index) => touch[index] ?? [])),
    }
    expect(summary(explain(turned))).toEqual(summary(explain(made)))
  })

  test.each([-60_000, -30_000, 30_000, 60_000])('told times that are %s ms off keep the ranking', (ms) => {
    const shifted = madeCase(
      releases.map((release) => ({ ...release, toldLateMs: ms })),
      since(0.3, met(0)),
    )
    expect(explain(shifted).ranked.map(({ release }) => release)).toEqual(
      explain(made).ranked.map(({ release }) => release),
    )
  })

  test('posteriors add up to one', () => {
    const { ranked, competing } = explain(made)
    const sum = [...ranked, ...competing].reduce((all, { posterior }) => all + posterior, 0)
    expect(sum).toBeCloseTo(1, 4)
  })

  test('every sentence is there in both languages', () => {
    const { ranked, competing, headline } = explain(made)
    const told = [
      headline,
      ...competing.map(({ text }) => text),
      ...ranked.flatMap(({ reason, evidence }) => [reason, ...evidence.map(({ text }) => text)]),
    ]
    for (const { en, zh } of told) {
      expect(en).toMatch(/[.)]$/)
      expect(zh).toMatch(/[。）]$/)
      expect(`${en}${zh}`).not.toMatch(/undefined|NaN|Infinity/)
    }
  })
})

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index)

const summary = (explanation: Explanation) => ({
  verdict: explanation.verdict,
  ranked: explanation.ranked.map(({ release, evidence }) => [
    release,
    evidence.map(({ term, llr }) => `${term} ${llr.toFixed(3)}`),
  ]),
})

function reversed(rows: TraceRows): TraceRows {
  return {
    length: rows.length,
    minute: rows.minute.toReversed(),
    entry: rows.entry.toReversed(),
    cell: rows.cell.toReversed(),
    touch: rows.touch.toReversed(),
    requests: rows.requests.toReversed(),
    systemErrors: rows.systemErrors.toReversed(),
    businessErrors: rows.businessErrors.toReversed(),
    shed: rows.shed.toReversed(),
    rejects: rows.rejects.toReversed(),
    slow: rows.slow.toReversed(),
  }
}
