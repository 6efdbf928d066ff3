// Decimals as people write them (0.999, 14.4, 99.9 %), kept as fractions, so that 1 − 0.999 is 0.001 and a threshold
// is the number nearest to what is meant. Pure arithmetic; what the numbers mean never lives here.

/** A fraction in lowest terms; `below` is positive. */
export type Exact = { readonly above: bigint; readonly below: bigint }

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i

/**
 * @param value  a whole bigint, a finite number (read by its shortest decimal form) or a decimal text
 * @throws RangeError for anything else
 */
export function exact(value: number | string | bigint): Exact {
  if (typeof value === 'bigint') return { above: value, below: 1n }
  const match = DECIMAL.exec(String(value))
  if (match === null) throw new RangeError(`not a decimal number: ${String(value)}`)
  const [, sign, whole = '', decimals = '', power = '0'] = match
  const digits = BigInt(whole + decimals) * (sign === '-' ? -1n : 1n)
  const shift = Number(power) - decimals.length
  return shift >= 0 ? fraction(digits * 10n ** BigInt(shift), 1n) : fraction(digits, 10n ** BigInt(-shift))
}

export function plus(a: Exact, b: Exact): Exact {
  return fraction(a.above * b.below + b.above * a.below, a.below * b.below)
}

export function minus(a: Exact, b: Exact): Exact {
  return fraction(a.above * b.below - b.above * a.below, a.below * b.below)
}

export function times(a: Exact, b: Exact): Exact {
  return fraction(a.above * b.above, a.below * b.below)
}

/** @throws RangeError when b is zero */
export function over(a: Exact, b: Exact): Exact {
  return fraction(a.above * b.below, a.below * b.above)
}

/** Negative, zero or positive as a is below, at or above b. */
export function compare(a: Exact, b: Exact): number {
  const difference = a.above * b.below - b.above * a.below
  return difference < 0n ? -1 : Number(difference > 0n)
}

/** The double nearest to a fraction. */
export function toNumber({ above, below }: Exact): number {
  const size = above < 0n ? -above : above
  // Both parts exact as doubles: one division rounds once, which is correct rounding.
  if (size <= WHOLE_MAX && below <= WHOLE_MAX) return Number(above) / Number(below)
  // Otherwise 64 significant bits and one that tells whether anything is left; Number() then rounds correctly.
  const shift = BigInt(Math.max(0, bits(below) - bits(size) + 64))
  const quotient = (size << shift) / below
  const rest = (size << shift) % below
  const scaled = Number((quotient << 1n) | (rest === 0n ? 0n : 1n)) / 2 ** Number(shift + 1n)
  return above < 0n ? -scaled : scaled
}

const WHOLE_MAX = BigInt(Number.MAX_SAFE_INTEGER)

function bits(value: bigint): number {
  return value.toString(2).length
}

function fraction(above: bigint, below: bigint): Exact {
  if (below === 0n) throw new RangeError('division by zero')
  let a = above < 0n ? -above : above
  let b = below < 0n ? -below : below
  while (b > 0n) [a, b] = [b, a % b]
  const shared = a === 0n ? 1n : a
  return below < 0n
    ? { above: -above / shared, below: -below / shared }
    : { above: above / shared, below: below / shared }
}
