// Counts and ratios: binomial and Poisson tails, intervals of a ratio. Counts may have fractions where they are weights of samples.

import { normalTail } from './normal.ts'

/** Two-sided z of a 95 % interval. */
export const Z_95 = 1.959963984540054

/** ln Γ(x), x > 0. Source: Lanczos, g = 7, n = 9; relative error below 1e-13. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  let sum = 0.99999999999980993
  LANCZOS.forEach((coefficient, index) => {
    sum += coefficient / (x + index)
  })
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** Wilson's interval of bad ÷ all; [0, 1] without any. */
export function wilson(bad: number, all: number, z = Z_95): { readonly low: number; readonly high: number } {
  if (all <= 0) return { low: 0, high: 1 }
  const p = bad / all
  const zz = (z * z) / all
  const centre = (p + zz / 2) / (1 + zz)
  const half = (z / (1 + zz)) * Math.sqrt((p * (1 - p)) / all + zz / (4 * all))
  return { low: bad <= 0 ? 0 : Math.max(0, centre - half), high: bad >= all ? 1 : Math.min(1, centre + half) }
}

/** 95 % interval of a Poisson mean of which `k` were counted. Source: Byar; within 1 % of the exact one from one up. */
export function poissonInterval(k: number): { readonly low: number; readonly high: number } {
  const bound = (count: number, z: number) => count * (1 - 1 / (9 * count) + z / (3 * Math.sqrt(count))) ** 3
  return { low: k <= 0 ? 0 : Math.max(0, bound(k, -Z_95)), high: bound(k + 1, Z_95) }
}

/** ln P(X = k) for X ~ Binomial(n, p); k and n may have fractions. */
export function logBinomial(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return -Infinity
  const ways = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
  return ways + xlogy(k, p) + xlogy(n - k, 1 - p)
}

/** ln P(X = k) for X ~ Poisson(mean); k may have a fraction. */
export function logPoisson(k: number, mean: number): number {
  if (k < 0) return -Infinity
  return xlogy(k, mean) - mean - logGamma(k + 1)
}

/** P(X ≥ k) for X ~ Poisson(mean); summed up to a mean of 1,000, beyond it by Wilson and Hilferty's cube root. */
export function poissonTail(k: number, mean: number): number {
  const from = Math.ceil(k)
  if (from <= 0) return 1
  if (mean <= 0) return 0
  if (mean > 1000) return normalTail(3 * Math.sqrt(from) * (1 - 1 / (9 * from) - Math.cbrt(mean / from)))
  if (from > mean) {
    // Terms fall from the first one on; adding them from there keeps small tails exact.
    let term = Math.exp(logPoisson(from, mean))
    let sum = 0
    for (let at = from; term > sum * 1e-17 && term > 0; at++) {
      sum += term
      term *= mean / (at + 1)
    }
    return Math.min(1, sum)
  }
  let sum = 0
  for (let at = 0; at < from; at++) sum += Math.exp(logPoisson(at, mean))
  return Math.max(0, 1 - sum)
}

/**
 * P(X ≥ k) for X negative binomial with this mean and variance mean + mean² ÷ size: a Poisson count whose own mean is uncertain or wanders.
 * Poisson's tail for an infinite size. Meant for k above the mean.
 */
export function negativeBinomialTail(k: number, mean: number, size: number): number {
  const from = Math.ceil(k)
  if (from <= 0) return 1
  if (mean <= 0) return 0
  if (size > 1e6) return poissonTail(k, mean)
  const more = mean / (size + mean)
  const ways = logGamma(from + size) - logGamma(size) - logGamma(from + 1)
  let term = Math.exp(ways + size * Math.log1p(-more) + from * Math.log(more))
  let sum = 0
  for (let at = from; term > sum * 1e-12 && term > 0; at++) {
    sum += term
    term *= (more * (at + size)) / (at + 1)
  }
  return Math.min(1, sum)
}

/** P(X ≥ k) for X ~ Binomial(n, p), whole numbers; summed, so meant for n up to some 100,000. */
export function binomialTail(k: number, n: number, p: number): number {
  const from = Math.ceil(k)
  if (from <= 0) return 1
  if (from > n || p <= 0) return 0
  if (p >= 1) return 1
  if (from > n * p) {
    let term = Math.exp(logBinomial(from, n, p))
    let sum = 0
    for (let at = from; at <= n && term > sum * 1e-17; at++) {
      sum += term
      term *= ((n - at) / (at + 1)) * (p / (1 - p))
    }
    return Math.min(1, sum)
  }
  let sum = 0
  for (let at = 0; at < from; at++) sum += Math.exp(logBinomial(at, n, p))
  return Math.max(0, 1 - sum)
}

/**
 * z of «k bad ones where `mean` were usual», signed: Freeman–Tukey's variance-stabilised difference, φ ≥ 1 for over-dispersion.
 * Near a normal deviate even for means below 1.
 */
export function countZ(k: number, mean: number, phi = 1): number {
  return (
    (Math.sqrt(k) + Math.sqrt(k + 1) - Math.sqrt(4 * Math.max(0, mean) + 1)) / Math.sqrt(Math.max(1, phi))
  )
}

function xlogy(x: number, y: number): number {
  return x === 0 ? 0 : x * Math.log(y)
}
