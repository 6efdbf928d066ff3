// Targets as people write them, a ratio or percent, as one number: 99.9 % is 0.999 and nothing beside it.

/**
 * The point is moved in the decimal text and never divided: 99.9 / 100 is 0.9990000000000001 in binary fractions.
 * @returns a ratio; undefined when neither is there
 */
export function targetRatio(written: {
  readonly target?: number | undefined
  readonly targetPercent?: number | undefined
}): number | undefined {
  if (written.target !== undefined) return written.target
  if (written.targetPercent === undefined) return undefined
  const [digits = '0', exponent = '0'] = String(written.targetPercent).split('e')
  return Number(`${digits}e${Number(exponent) - 2}`)
}
