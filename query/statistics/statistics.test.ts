import { describe, expect, test } from 'vitest'
import { confidenceSequence, crosses, mixtureLogRatio, ratioDifference, sequentialP } from './always-valid.ts'
import { changePoints } from './change-points.ts'
import {
  binomialTail,
  countZ,
  logGamma,
  negativeBinomialTail,
  poissonInterval,
  poissonTail,
  wilson,
} from './counts.ts'
import { differenceInDifferences, logOdds, mantelHaenszel, overDispersion, pooled } from './log-odds.ts'
import { mannWhitney } from './mann-whitney.ts'
import { normalCdf, normalQuantile, normalTail } from './normal.ts'
import { expectedZ, minutesNeeded } from './power.ts'
import { quantileDifference } from './quantile-difference.ts'
import { studentTail } from './student.ts'

describe('normal distribution', () => {
  test.each([
    { z: 0, p: 0.5 },
    { z: 1, p: 0.841344746068543 },
    { z: 1.959963984540054, p: 0.975 },
    { z: -3, p: 0.00134989803163009 },
  ])('P(Z ≤ $z) = $p', ({ z, p }) => {
    expect(normalCdf(z)).toBeCloseTo(p, 12)
    expect(normalQuantile(p)).toBeCloseTo(z, 9)
  })

  test('the far tail keeps its size', () => {
    expect(normalTail(8) / 6.220960574271785e-16).toBeCloseTo(1, 6)
    expect(normalTail(4) / 3.167124183311986e-5).toBeCloseTo(1, 9)
  })

  test('a probability beyond 1 is refused', () => {
    expect(() => normalQuantile(1.2)).toThrow('0–1')
  })
})

describe('counts', () => {
  test('ln Γ of whole and half numbers', () => {
    expect(logGamma(6)).toBeCloseTo(Math.log(120), 12)
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12)
  })

  test("Wilson's interval as published: 10 of 100, none of 20", () => {
    expect(wilson(10, 100).low).toBeCloseTo(0.05523, 5)
    expect(wilson(10, 100).high).toBeCloseTo(0.17437, 5)
    expect(wilson(0, 20)).toEqual({ low: 0, high: expect.closeTo(0.161125, 5) })
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 })
  })

  test('tails of Poisson and binomial against closed forms', () => {
    expect(poissonTail(1, 0.3)).toBeCloseTo(1 - Math.exp(-0.3), 14)
    expect(poissonTail(3, 2)).toBeCloseTo(1 - Math.exp(-2) * 5, 12)
    expect(binomialTail(2, 3, 0.5)).toBeCloseTo(0.5, 14)
    expect(binomialTail(10, 10, 0.1)).toBeCloseTo(1e-10, 16)
    expect(poissonTail(1100, 1001) / 0.001072445).toBeCloseTo(1, 2)
  })

  test('a count whose mean is uncertain has a longer tail', () => {
    // Size 1 is geometric: P(X ≥ k) = (m ÷ (1 + m))^k.
    expect(negativeBinomialTail(5, 0.25, 1) / 0.2 ** 5).toBeCloseTo(1, 9)
    expect(negativeBinomialTail(3, 2, 2)).toBeCloseTo(1 - 0.25 - 0.25 - 0.1875, 12)
    expect(negativeBinomialTail(8, 2, 1e9)).toBeCloseTo(poissonTail(8, 2), 12)
    expect(negativeBinomialTail(8, 2, 5)).toBeGreaterThan(poissonTail(8, 2))
    expect(negativeBinomialTail(0, 2, 5)).toBe(1)
    expect(negativeBinomialTail(3, 0, 5)).toBe(0)
  })

  test('the interval of a count, beside the exact one', () => {
    expect(poissonInterval(0).low).toBe(0)
    expect(poissonInterval(0).high).toBeCloseTo(3.689, 1)
    expect(poissonInterval(3).low).toBeCloseTo(0.619, 1)
    expect(poissonInterval(3).high).toBeCloseTo(8.767, 1)
    expect(poissonInterval(100).low).toBeCloseTo(81.36, 1)
    expect(poissonInterval(100).high).toBeCloseTo(121.63, 1)
  })

  test('z of a count is near that of its exact tail', () => {
    expect(countZ(20, 10)).toBeCloseTo(-normalQuantile(poissonTail(20, 10)), 0)
    expect(countZ(0.3, 0.3)).toBeLessThan(0.7)
    expect(countZ(40, 10, 4)).toBeCloseTo(countZ(40, 10) / 2, 12)
  })
})

describe('log-odds', () => {
  test('Haldane’s half: 3 of 10 against none of 10', () => {
    const { estimate, variance } = logOdds({ exposedBad: 3, exposed: 10, controlBad: 0, control: 10 })
    expect(estimate).toBeCloseTo(Math.log((3.5 * 10.5) / (7.5 * 0.5)), 12)
    expect(variance).toBeCloseTo(1 / 3.5 + 1 / 7.5 + 1 / 0.5 + 1 / 10.5, 12)
  })

  test('pooling weighs by inverse variance', () => {
    expect(
      pooled([
        { estimate: 1, variance: 0.5 },
        { estimate: 4, variance: 1 },
      ]),
    ).toEqual({ estimate: 2, variance: 1 / 3 })
    expect(pooled([])).toBeUndefined()
  })

  test('one big stratum is its own log-odds', () => {
    const table = { exposedBad: 300, exposed: 1000, controlBad: 100, control: 1000 }
    const odds = mantelHaenszel([table])
    expect(odds?.estimate).toBeCloseTo(Math.log((300 * 900) / (700 * 100)), 1)
    expect(odds?.variance).toBeCloseTo(1 / 300 + 1 / 700 + 1 / 100 + 1 / 900, 3)
  })

  test('a thousand strata of three requests do not drown the effect', () => {
    const tables = Array.from({ length: 1000 }, (_, index) => ({
      exposedBad: index % 3 === 0 ? 1 : 0,
      exposed: 1,
      controlBad: index % 50 === 0 ? 1 : 0,
      control: 2,
    }))
    expect(mantelHaenszel(tables)?.estimate).toBeGreaterThan(3)
    expect(pooled(tables.map(logOdds))?.estimate).toBeLessThan(1.3)
  })

  test('what differed before as well is taken out', () => {
    const part = (estimate: number) => ({ estimate, variance: 0.1 })
    expect(
      differenceInDifferences({
        insideAfter: part(-2),
        insideBefore: part(-4),
        outsideAfter: part(-5),
        outsideBefore: part(-6),
      }),
    ).toEqual({ estimate: 1, variance: 0.4 })
  })

  test('over-dispersion is 1 for even parts and large for clumped ones', () => {
    expect(overDispersion([10, 10, 10, 10].map((bad) => ({ bad, requests: 1000 })))).toBe(1)
    expect(overDispersion([0, 0, 0, 40].map((bad) => ({ bad, requests: 1000 })))).toBeCloseTo(40.4, 1)
  })
})

describe('always-valid boundary', () => {
  test('closed form of the mixture', () => {
    expect(mixtureLogRatio(2, 1, 1)).toBeCloseTo(0.5 * Math.log(0.5) + 4 / 4, 12)
    expect(sequentialP(0, 1)).toBe(1)
  })

  test('the interval leaves out 0 exactly when the test crosses', () => {
    for (const estimate of [0.5, 1, 1.5, 2, 2.5, 3])
      for (const variance of [0.01, 0.1, 0.3]) {
        const { low } = confidenceSequence(estimate, variance, 0.001)
        expect(low > 0).toBe(crosses(estimate, variance, 0.001))
      }
  })

  test('a harmless change that is looked at 500 times crosses less than 5 % of the time', () => {
    // Park and Miller's sequence: the same paths at every run.
    let state = 12345
    const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647
    let crossed = 0
    for (let path = 0; path < 1000; path++) {
      let sum = 0
      for (let n = 1; n <= 500; n++) {
        sum += normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, uniform())))
        if (crosses(sum / n, 1 / n, 0.05)) {
          crossed++
          break
        }
      }
    }
    expect(crossed).toBeLessThan(50)
    expect(crossed).toBeGreaterThan(0)
  })

  test('none of 12 against none of 12 is no certainty', () => {
    const { low, high } = ratioDifference({ exposedBad: 0, exposed: 12, controlBad: 0, control: 12 }, 0.05)
    expect(low).toBeLessThan(-0.1)
    expect(high).toBeGreaterThan(0.1)
  })
})

describe('power', () => {
  // The handbook's table, §D2.
  test.each([
    { perMinute: 30, share: 0.05, minutes: [2441, 582, 64] },
    { perMinute: 120, share: 0.2, minutes: [159, 37, 4] },
    { perMinute: 600, share: 0.05, minutes: [122, 29, 3] },
    { perMinute: 600, share: 0.5, minutes: [15, 3, 0.3] },
  ])('minutes until z = 4 at $perMinute a minute and a share of $share', ({ perMinute, share, minutes }) => {
    const got = [0.01, 0.03, 0.2].map((exposedRatio) =>
      minutesNeeded({ controlRatio: 0.002, exposedRatio, exposedShare: share }, perMinute),
    )
    got.forEach((value, index) => {
      expect(Math.abs(value - (minutes[index] ?? 0))).toBeLessThan(Math.max(1, 0.02 * value))
    })
  })

  test('nothing differs: never', () => {
    expect(minutesNeeded({ controlRatio: 0.1, exposedRatio: 0.1, exposedShare: 0.5 }, 10)).toBe(Infinity)
  })

  test('expected z grows with the root of the traffic', () => {
    const small = expectedZ({ exposed: 0.1, control: 0.01 }, { exposed: 100, control: 1000 })
    expect(expectedZ({ exposed: 0.1, control: 0.01 }, { exposed: 400, control: 4000 }) / small).toBeCloseTo(
      2,
      6,
    )
  })
})

describe('Mann and Whitney', () => {
  // Cases of R's wilcox.test(x, y, conf.int = TRUE, exact = FALSE); Kayenta's suite holds its own to the same function.
  test('two small samples as R answers', () => {
    const x = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    const y = [1.15, 0.88, 0.9, 0.74, 1.21]
    const result = mannWhitney(x, y)
    expect(result?.u).toBe(35)
    expect(result?.p).toBeCloseTo(0.2446, 4)
    expect(result?.superiority).toBeCloseTo(0.7, 12)
    expect(result?.shift).toBeCloseTo(0.305, 2)
  })

  test('the interval of two tied samples as Kayenta’s suite (Apache-2.0) has it of R', () => {
    const values = (counts: readonly (readonly [number, number])[]): number[] =>
      counts.flatMap(([value, count]) => Array.from({ length: count }, () => value))
    const control = values([
      [1.5, 2],
      [2, 16],
      [2.5, 18],
      [3, 16],
      [3.5, 10],
      [4, 8],
      [4.5, 4],
      [5, 6],
      [5.5, 2],
      [6, 5],
      [8, 1],
      [15.5, 1],
      [54.5, 1],
    ])
    const experiment = values([
      [1.5, 9],
      [2, 16],
      [2.5, 22],
      [3, 17],
      [3.5, 9],
      [4, 5],
      [4.5, 1],
      [5, 3],
      [5.5, 1],
      [6, 2],
      [6.5, 2],
      [7, 1],
      [7.5, 1],
      [16.5, 1],
    ])
    const result = mannWhitney(experiment, control, 0.95)
    // R gives −0.5000025 and −0.0000349: its root finder stops at 0.0001.
    expect(result?.low).toBeCloseTo(-0.5, 3)
    expect(result?.high).toBeCloseTo(0, 3)
    expect(result?.shift).toBeCloseTo(-0.5, 3)
  })

  test('a shift of one sample by 30 is found, and its interval does not reach 0', () => {
    const y = Array.from({ length: 60 }, (_, index) => (index * 37) % 61)
    const result = mannWhitney(
      y.map((value) => value + 30),
      y,
      0.98,
    )
    expect(result?.shift).toBeCloseTo(30, 0)
    expect(result?.low).toBeGreaterThan(0)
  })

  test('equal values cannot be told apart', () => {
    expect(mannWhitney([1, 1, 1], [1, 1])).toBeUndefined()
    expect(mannWhitney([], [1])).toBeUndefined()
  })
})

describe('change points', () => {
  // Series of Apache Otava's tests (Apache-2.0), numbers only.
  test('three levels change at 5 and 8', () => {
    const series = [0.3, 2.4, 1.5, -0.9, -0.5, 99.7, 98.3, 99.1, 149, 149.7, 149.5, 149.1, 148.8, 150]
    expect(changePoints(series).map(({ index }) => index)).toEqual([5, 8])
  })

  test('a flat series has none', () => {
    expect(changePoints([5, 5, 5, 5, 5, 5])).toEqual([])
    expect(changePoints([1])).toEqual([])
  })

  test('tails of Student’s t', () => {
    expect(studentTail(2.228138852, 10)).toBeCloseTo(0.025, 8)
    expect(studentTail(1, 1)).toBeCloseTo(0.25, 10)
  })
})

test('a quantile of the exposed lies above the control’s by the shift of the buckets', () => {
  const buckets = (offset: number) =>
    Array.from({ length: 40 }, (_, index) => ({ from: offset + index, to: offset + index + 1, count: 100 }))
  const result = quantileDifference(buckets(10), buckets(0), 0.5)
  expect(result?.difference).toBeCloseTo(10, 9)
  expect(result?.low).toBeGreaterThan(8)
  expect(result?.high).toBeLessThan(12)
})
