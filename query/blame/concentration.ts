// Whether bad requests sit in one group more than its share: conditional on how many there were in each stratum (minute × entry,
// minute × service), so that whatever moves all alike cancels. Gains of different groups over the same strata compare: they are
// log-likelihoods of the same data.

/** Strata as columns: usual bad ones (weights) and bad ones, of the group and of all. */
export type Strata = {
  readonly groupWeight: Float64Array
  readonly groupBad: Float64Array
  readonly allWeight: Float64Array
  readonly allBad: Float64Array
}

export type Concentration = {
  /** Log-likelihood ratio against «no more than its share», divided by φ; never negative. */
  readonly gain: number
  readonly logOdds: number
  readonly bad: number
  /** Bad ones that its share would be. */
  readonly expected: number
}

/** Standard deviation of log-odds that are thought possible: keeps a single bad request from claiming infinite odds. */
const SPREAD = 3

/** @param select strata to look at; all when absent */
export function concentration(
  strata: Strata,
  phi: number,
  select?: (stratum: number) => boolean,
): Concentration {
  const { groupWeight, groupBad, allWeight, allBad } = strata
  const used: number[] = []
  let [bad, expected] = [0, 0]
  for (let s = 0; s < allBad.length; s++) {
    const [w1, w, k] = [groupWeight[s] ?? 0, allWeight[s] ?? 0, allBad[s] ?? 0]
    if (!(k > 0) || !(w1 > 0) || !(w > w1 * 1.000001) || select?.(s) === false) continue
    used.push(s)
    bad += groupBad[s] ?? 0
    expected += (k * w1) / w
  }
  if (bad <= expected) return { gain: 0, logOdds: 0, bad, expected }
  let theta = 0
  for (let step = 0; step < 40; step++) {
    let slope = -(theta / (SPREAD * SPREAD))
    let curve = 1 / (SPREAD * SPREAD)
    const e = Math.exp(theta)
    for (const s of used) {
      const [w1, w, k] = [groupWeight[s] ?? 0, allWeight[s] ?? 0, allBad[s] ?? 0]
      const p = (w1 * e) / (w1 * e + w - w1)
      slope += ((groupBad[s] ?? 0) - k * p) / phi
      curve += (k * p * (1 - p)) / phi
    }
    const move = Math.max(-2, Math.min(2, slope / curve))
    theta = Math.min(14, Math.max(0, theta + move))
    if (Math.abs(move) < 1e-9) break
  }
  const e = Math.exp(theta)
  let gain = -(theta * theta) / (2 * SPREAD * SPREAD)
  for (const s of used) {
    const [w1, w, k] = [groupWeight[s] ?? 0, allWeight[s] ?? 0, allBad[s] ?? 0]
    gain += ((groupBad[s] ?? 0) * theta - k * Math.log((w1 * e + w - w1) / w)) / phi
  }
  return { gain: Math.max(0, gain), logOdds: theta, bad, expected }
}
