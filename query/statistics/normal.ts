// The normal distribution: what z values are worth. Pure arithmetic, accurate to about 1e-15 (cdf) and 1e-9 (quantile).

const SQRT_2PI = Math.sqrt(2 * Math.PI)

/** P(Z ≤ z) for a standard normal Z; exact in both tails (no 1 − cdf). Source: Hart 1968 as given by West 2005. */
export function normalCdf(z: number): number {
  const upper = normalTail(Math.abs(z))
  return z > 0 ? 1 - upper : upper
}

/** P(Z > z). Keeps its relative accuracy far out, where 1 − normalCdf(z) would be 0. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z)
  if (z > 37) return 0
  const density = Math.exp((-z * z) / 2)
  if (z < 7.07106781186547) {
    const above =
      ((((((0.0352624965998911 * z + 0.700383064443688) * z + 6.37396220353165) * z + 33.912866078383) * z +
        112.079291497871) *
        z +
        221.213596169931) *
        z +
        220.206867912376) *
      density
    const below =
      ((((((0.0883883476483184 * z + 1.75566716318264) * z + 16.064177579207) * z + 86.7807322029461) * z +
        296.564248779674) *
        z +
        637.333633378831) *
        z +
        793.826512519948) *
        z +
      440.413735824752
    return above / below
  }
  const fraction = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))))
  return density / fraction / SQRT_2PI
}

/** The z with P(Z ≤ z) = p, 0 < p < 1; ±Infinity at the ends. Source: Acklam's approximation with one step of Halley's method. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`A probability lies in 0–1: ${p}`)
  if (p === 0) return -Infinity
  if (p === 1) return Infinity
  const first = acklam(p)
  const error = normalCdf(first) - p
  const step = error * SQRT_2PI * Math.exp((first * first) / 2)
  return first - step / (1 + (first * step) / 2)
}

function acklam(p: number): number {
  if (p < 0.02425) return acklamTail(Math.sqrt(-2 * Math.log(p)))
  if (p > 0.97575) return -acklamTail(Math.sqrt(-2 * Math.log(1 - p)))
  const q = p - 0.5
  const r = q * q
  const above =
    (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
      2.506628277459239) *
    q
  const below =
    ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
    1
  return above / below
}

function acklamTail(q: number): number {
  const above =
    ((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) *
      q +
      4.374664141464968) *
      q +
    2.938163982698783
  const below =
    (((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q +
    1
  return above / below
}
