import { describe, expect, test } from 'vitest'
import { ReleaseVerdict } from '../http/release-schemas.ts'
import { ExposedShare, ratioUpper } from '../statistics/exposed-share.ts'
import {
  binomial,
  makeRelease,
  play,
  random,
  READY_MINUTE,
  READY_MS,
  type Play,
} from '../../test/support/verdict-traffic.ts'
import { releaseVerdict } from './release-verdict.ts'
import { REASON_TEXTS } from './words.ts'

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1)
const judge = (given: Play) => releaseVerdict(play(given))
const measureOf = (verdict: ReturnType<typeof judge>, name: string) =>
  verdict.measures.find(({ measure }) => measure === name)
const exception = (minute: number, count: number) => ({
  minute: READY_MINUTE + minute,
  service: 'transfer',
  version: '1.1',
  signature: 'abc',
  type: 'NullPointerException',
  message: '<script>"&',
  count,
})

describe('worse', () => {
  test.each([
    {
      name: 'system errors on a weighted canary',
      added: { system: 0.05 },
      fault: 'technical',
      measure: 'system_error',
    },
    { name: 'shed requests', added: { shed: 0.05 }, fault: 'technical', measure: 'shed' },
    { name: 'slow requests', added: { slow: 0.2 }, fault: 'technical', measure: 'latency' },
    { name: 'business errors', added: { business: 0.05 }, fault: 'business', measure: 'business_error' },
    {
      name: 'more rejects than the control',
      added: { reject: 0.1 },
      fault: 'business',
      measure: 'business_reject',
    },
  ])('$name', ({ added, fault, measure }) => {
    const verdict = judge({ minutes: 15, added, base: { system: 0.002, reject: 0.05, slow: 0.03 } })
    expect(verdict).toMatchObject({ verdict: 'worse', fault, errorRate: 0.01, requestsMissing: null })
    expect(verdict.measures.filter((one) => one.verdict === 'worse').map((one) => one.measure)).toEqual([
      measure,
    ])
    expect(measureOf(verdict, measure)?.low).toBeGreaterThan(0)
  })

  test('technical and business together are technical: a machine may act', () => {
    const verdict = judge({ minutes: 15, added: { system: 0.05, business: 0.05 } })
    expect(verdict).toMatchObject({ verdict: 'worse', fault: 'technical' })
    expect(verdict.headline.zh).toContain('系统故障')
  })

  test('a region, although its people failed more often before: what is added counts', () => {
    const given: Play = {
      minutes: 40,
      scope: [0],
      weight: 1,
      ofCell: (cell) => ({ system: cell === 0 ? 0.01 : 0 }),
    }
    const verdict = judge({ ...given, added: { system: 0.05 } })
    expect(verdict.verdict).toBe('worse')
    expect(measureOf(verdict, 'system_error')?.contrast?.method).toBe('difference-in-differences')
  })

  test('nobody on the version before, and entries that never touch it stay as they were', () => {
    const verdict = judge({ minutes: 20, weight: 1, entries: 4, untouched: 2, added: { system: 0.1 } })
    expect(verdict.verdict).toBe('worse')
    expect(verdict.headline.en).toContain('Cautious')
  })

  test('an error that only the new version shows, again and again', () => {
    const signatures = [2, 3, 5, 8, 9, 12, 14].map((minute) => exception(minute, 3))
    const verdict = judge({ minutes: 20, signatures })
    expect(verdict).toMatchObject({ verdict: 'worse', fault: 'technical' })
    expect(measureOf(verdict, 'new_error_signatures')?.text.en).toContain('NullPointerException: <script>"&')
  })

  test('the middle of the latency moves, and few become slow', () => {
    const row = (touch: 1 | 2, upperMs: number, count: number) => ({
      entry: 0,
      touch,
      isAfter: true,
      upperMs,
      count,
    })
    const latency = [
      row(1, 10, 500),
      row(1, 20, 4000),
      row(1, 40, 500),
      row(2, 20, 50),
      row(2, 40, 900),
      row(2, 60, 50),
    ]
    const verdict = judge({ minutes: 20, latency })
    expect(measureOf(verdict, 'latency')).toMatchObject({ verdict: 'worse' })
    expect(measureOf(verdict, 'latency')?.text.en).toMatch(/p50 15 ms → 30 ms/)
  })

  test('only where it was widened to: judged from then on, not drowned in the weeks before', () => {
    const widened = { kind: 'step' as const, atMs: READY_MS + 300 * 60_000, source: 's', eventId: '2' }
    const release = makeRelease()
    const verdict = judge({
      minutes: 330,
      added: (minute) => ({ system: minute >= 300 ? 0.04 : 0 }),
      release: { stages: [...release.stages, { ...widened, scope: release.scope }] },
    })
    expect(verdict.verdict).toBe('worse')
    expect(verdict.exposedRequests).toBeLessThan(40 * 8 * 60)
  })
})

describe('not worse', () => {
  test('a harmless canary with enough traffic', () => {
    const verdict = judge({ minutes: 60, perMinute: 200 })
    expect(verdict).toMatchObject({
      verdict: 'not-worse',
      fault: null,
      requestsMissing: null,
      minutesMissing: null,
    })
    for (const one of verdict.measures.slice(0, 5)) expect(one.high).toBeLessThanOrEqual(0.05)
  })

  test.each(SEEDS)('biased cells of a scope that is not random, seed %i', (seed) => {
    const verdict = judge({
      seed,
      minutes: 60,
      scope: [0],
      weight: 1,
      perMinute: 100,
      ofCell: (cell) => ({ system: cell === 0 ? 0.05 : 0 }),
    })
    expect(verdict.verdict).not.toBe('worse')
  })

  test.each(SEEDS)('errors of everybody in the same minutes, seed %i', (seed) => {
    const meanwhile = (minute: number) => ({ system: minute > 10 && minute < 25 ? 0.3 : 0 })
    expect(judge({ seed, minutes: 40, meanwhile }).verdict).not.toBe('worse')
  })

  test.each(SEEDS)('a blip while its pods start, seed %i', (seed) => {
    const added = (minute: number) => ({ system: minute < 1 ? 0.5 : 0 })
    expect(judge({ seed, minutes: 30, added }).verdict).not.toBe('worse')
  })

  test('one bad minute is few and transient', () => {
    const verdict = judge({ minutes: 30, added: (minute) => ({ system: minute === 12 ? 0.4 : 0 }) })
    expect(verdict.verdict).not.toBe('worse')
    expect(measureOf(verdict, 'system_error')?.reasons).toEqual(['few-and-transient'])
    expect(measureOf(verdict, 'system_error')?.text.zh).toContain(REASON_TEXTS['few-and-transient'].zh)
  })
})

describe('cannot tell', () => {
  test('with the requests and minutes that are missing', () => {
    const verdict = judge({ minutes: 8, perMinute: 5 })
    expect(verdict.verdict).toBe('cannot-tell')
    expect(verdict.requestsMissing).toBeGreaterThan(500)
    expect(verdict.minutesMissing).toBe(
      Math.ceil((verdict.requestsMissing ?? 0) / (verdict.exposedRequests / 7)),
    )
    expect(verdict.headline.zh).toMatch(/还差约 [\d,]+ 笔请求/)
    // What was said to be missing is enough, when the release is harmless.
    const minutes = 8 + (verdict.minutesMissing ?? 0) * 2
    expect(judge({ minutes, perMinute: 5 }).verdict).toBe('not-worse')
  })

  test('of a version that never served', () => {
    const verdict = judge({ minutes: 5, release: { readyAtMs: undefined } })
    expect(verdict).toMatchObject({ verdict: 'cannot-tell', exposedRequests: 0, measures: [] })
  })

  test('of a step without any control: time alone blames nobody', () => {
    const verdict = judge({ minutes: 30, weight: 1, added: { system: 0.1 } })
    expect(verdict.verdict).toBe('cannot-tell')
    expect(measureOf(verdict, 'system_error')?.contrast?.method).toBe('before-after')
    expect(measureOf(verdict, 'system_error')?.text.en).toContain('without a control')
  })
})

describe('reasons for «not flagged»', () => {
  const past = { service: 'transfer', signature: 'abc', earlierVersions: 0, atReleases: 0, releases: 5 }
  const often = [2, 3, 5, 8, 9, 12, 14].map((minute) => exception(minute, 3))
  test.each([
    { reason: 'error-not-new', signatures: often, past: { ...past, earlierVersions: 2 } },
    { reason: 'usual-during-releases', signatures: often, past: { ...past, atReleases: 4 } },
    { reason: 'few-and-transient', signatures: [exception(3, 2)], past },
    {
      reason: 'too-few-earlier-releases',
      signatures: often.slice(0, 4),
      past: { ...past, releases: 1 },
    },
    { reason: 'not-significantly-higher', signatures: often.slice(0, 3), past, weight: 0.6 },
  ] as const)('$reason', ({ reason, signatures, past: known, ...more }) => {
    const traffic = { ...play({ minutes: 20, signatures, ...more }), signaturePasts: [known] }
    const measure = measureOf(releaseVerdict(traffic), 'new_error_signatures')
    expect(measure).toMatchObject({ verdict: 'not-worse', reasons: [reason] })
    expect(measure?.text.en).toContain(REASON_TEXTS[reason].en)
  })
})

test('an error that lasts needs no earlier release to be new', () => {
  const signatures = [2, 3, 5, 8, 9, 12, 14].map((minute) => exception(minute, 3))
  const past = { service: 'transfer', signature: 'abc', earlierVersions: 0, atReleases: 0, releases: 0 }
  const traffic = { ...play({ minutes: 20, signatures }), signaturePasts: [past] }
  expect(measureOf(releaseVerdict(traffic), 'new_error_signatures')?.verdict).toBe('worse')
})

test.each([
  { name: 'was there before', atReleases: 1, want: 'error-not-new' },
  { name: 'comes with every release', atReleases: 4, want: 'usual-during-releases' },
])('an error that $name is told, not kept silent', ({ atReleases, want }) => {
  const past = { service: 'transfer', signature: 'abc', earlierVersions: 1, atReleases, releases: 5 }
  const traffic = { ...play({ minutes: 20 }), signaturePasts: [past] }
  const contrast = { ...traffic.contrast, knownSignatures: [exception(4, 9)] }
  const measure = measureOf(releaseVerdict({ ...traffic, contrast }), 'new_error_signatures')
  expect(measure).toMatchObject({ verdict: 'not-worse', reasons: [want] })
})

test('calls that nobody answers are lost requests, also where everybody is in scope', () => {
  const traffic = play({ minutes: 30, before: 60, weight: 1, perMinute: 100 })
  const minutes = Array.from({ length: 90 }, (_, at) => READY_MINUTE - 60 + at)
  const calls = minutes.map((minute) => ({ minute, caller: 'gateway', calls: 100 + (minute % 3), bad: 0 }))
  const judgeCalls = (answered: number) => {
    const served = minutes.map((minute) => ({
      minute,
      version: minute < READY_MINUTE ? '1.0' : '1.1',
      requests: minute < READY_MINUTE ? 100 : 100 * answered,
      bad: 0,
    }))
    const contrast = { ...traffic.contrast, called: calls, served }
    return measureOf(releaseVerdict({ ...traffic, contrast }), 'requests_lost')?.verdict
  }
  expect(judgeCalls(1)).toBe('not-worse')
  expect(judgeCalls(0.6)).toBe('worse')
  expect(measureOf(releaseVerdict(traffic), 'requests_lost')?.verdict).toBe('cannot-tell')
})

test('CPU time of a request grows, and instances under other loads are not compared', () => {
  const traffic = play({ minutes: 30 })
  const judgeUse = (cpuSeconds: number, instanceMinutes: number) => {
    const resources = [
      { version: '1.0', cpuSeconds: 100, requests: 20_000, instanceMinutes: 100 },
      { version: '1.1', cpuSeconds, requests: 5000, instanceMinutes },
    ]
    const contrast = { ...traffic.contrast, resources }
    return measureOf(releaseVerdict({ ...traffic, contrast }), 'resource_per_request')?.verdict
  }
  expect(judgeUse(60, 25)).toBe('worse')
  expect(judgeUse(25, 25)).not.toBe('worse')
  expect(judgeUse(60, 100)).toBe('cannot-tell')
})

test('the same traffic gives the same bytes, in the shape of the contract', () => {
  const given: Play = { minutes: 20, added: { system: 0.03 } }
  expect(JSON.stringify(judge(given))).toBe(JSON.stringify(judge(given)))
  expect(ReleaseVerdict.parse(judge(given))).toEqual(judge(given))
})

test('a scope loses its requests, set against the others', () => {
  const traffic = play({ minutes: 60, scope: [0], weight: 1, perMinute: 100 })
  const { rows, toMinute } = traffic.contrast
  expect(measureOf(releaseVerdict(traffic), 'requests_lost')?.verdict).toBe('not-worse')
  const lost = rows.requests.map((requests, place) =>
    rows.cell[place] === 0 && (rows.minute[place] ?? 0) >= READY_MINUTE ? requests * 0.3 : requests,
  )
  expect(toMinute).toBe(READY_MINUTE + 60)
  const starved = { ...traffic, contrast: { ...traffic.contrast, rows: { ...rows, requests: lost } } }
  expect(measureOf(releaseVerdict(starved), 'requests_lost')?.verdict).toBe('worse')
})

describe('however often one looks', () => {
  test('two hundred looks at nothing cross the boundary of 5 % in at most 5 % of four hundred histories', () => {
    let crossed = 0
    for (let seed = 1; seed <= 400; seed++) {
      const next = random(seed)
      const share = new ExposedShare()
      let isCrossed = false
      for (let look = 0; look < 200; look++) {
        const exposed = binomial(next, 12, 0.01)
        share.add(exposed, exposed + binomial(next, 48, 0.01), 0.2)
        isCrossed ||= share.logEvidenceAbove() >= Math.log(1 / 0.05)
      }
      if (isCrossed) crossed++
    }
    expect(crossed).toBeLessThanOrEqual(20)
  })

  test('and a risk three times as high crosses it in nearly all', () => {
    let crossed = 0
    for (let seed = 1; seed <= 50; seed++) {
      const next = random(seed)
      const share = new ExposedShare()
      for (let look = 0; look < 300; look++) {
        const exposed = binomial(next, 12, 0.03)
        share.add(exposed, exposed + binomial(next, 48, 0.01), 0.2)
      }
      if (share.logEvidenceAbove() >= Math.log(1000)) crossed++
    }
    expect(crossed).toBeGreaterThanOrEqual(48)
  })

  test('the whole verdict calls no harmless release worse, at ten looks each', () => {
    const worse = SEEDS.flatMap((seed) => {
      const traffic = play({
        seed,
        minutes: 160,
        perMinute: 20,
        base: { system: 0.005, reject: 0.03, slow: 0.05, shed: 0.002 },
      })
      return Array.from({ length: 10 }, (_, look) => {
        const toMinute = READY_MINUTE + 16 * (look + 1)
        return releaseVerdict({ ...traffic, contrast: { ...traffic.contrast, toMinute } }).verdict
      }).filter((verdict) => verdict === 'worse')
    })
    expect(worse).toEqual([])
  })

  test('the interval holds the true risk, and the highest ratio that is possible the true one', () => {
    let missed = 0
    for (let seed = 1; seed <= 200; seed++) {
      const next = random(seed)
      const share = new ExposedShare()
      const sums = { bad: 0, all: 0 }
      let isMissed = false
      for (let look = 0; look < 100; look++) {
        const exposed = binomial(next, 20, 0.02)
        sums.bad += exposed
        sums.all += 20
        share.add(exposed, exposed + binomial(next, 80, 0.01), 0.2)
        const { low, high } = share.interval(0.05)
        isMissed ||= low > Math.log(2) || high < Math.log(2) || ratioUpper(sums.bad, sums.all, 0.05) < 0.02
      }
      if (isMissed) missed++
    }
    expect(missed).toBeLessThanOrEqual(20)
  })
})
