// Whether a text may hold a card, phone or identity number, at a few nanoseconds an attribute: every eleventh byte is
// looked at, and only where one is a digit the run around it. The engine judges and masks (store/masking.ts); a batch
// without such a run gets a statement without masking. Never says no where the engine would mask.

const SHORTEST = 11
const LONGEST = 19

/** @returns whether bytes [from, to) of a text hold a run that may be a sensitive number */
export function mayHoldNumber(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from + SHORTEST - 1
  while (at < to) {
    if (!isOfRun(bytes[at] ?? 0)) {
      at += SHORTEST
      continue
    }
    let left = at
    while (left > from && isOfRun(bytes[left - 1] ?? 0)) left -= 1
    let right = at + 1
    while (right < to && isOfRun(bytes[right] ?? 0)) right += 1
    if (right - left >= SHORTEST && isSuspect(bytes, left, right)) return true
    at = right + SHORTEST
  }
  return false
}

/** @returns whether a whole number, given as its varint, may be one; beyond 2^53 its first digits are what counts */
export function mayBeNumber(value: number): boolean {
  return value >= 1e10 && value < 1e19 && isSuspectRun(BigInt(value).toString())
}

// Digits, a blank, a hyphen.
function isOfRun(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === 32 || byte === 45
}

function isSuspect(bytes: Uint8Array, from: number, to: number): boolean {
  let digits = 0
  for (let at = from; at < to; at += 1) if ((bytes[at] ?? 0) >= 48) digits += 1
  if (digits < SHORTEST) return false
  // Groups can be combined in many ways; the engine tells.
  if (digits < to - from) return true
  return digits <= LONGEST && isSuspectRun(Buffer.from(bytes.subarray(from, to)).toString('latin1'))
}

const SUSPECT = /^(?:(?:(?:00)?86)?1[3-9]\d{9}|[2-6]\d{12,18}|[1-8]\d{16,17})$/
const isSuspectRun = (digits: string) => SUSPECT.test(digits)

// AnyValue: string_value, int_value, double_value
const STRING_TAG = (1 << 3) | 2
const INTEGER_TAG = 3 << 3
const DOUBLE_TAG = (4 << 3) | 1
// Numbers below 2^28 fit four bytes and hold fewer digits than any number looked for.
const LARGE_INTEGER_BYTES = 6
// Doubles from 2^33 on: their exponent begins with these bits.
const LARGE_DOUBLE = 0x42

/** Whether the AnyValue at [at, end) may be or hold a sensitive number; what is unusual may. */
export function mayBeSensitive(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < LARGE_INTEGER_BYTES) return false
  const tag = bytes[at] ?? 0
  if (tag === STRING_TAG) {
    // The length stands before the text and must not be read as a part of it.
    let from = at + 1
    while (from < end && (bytes[from] ?? 0) > 127) from += 1
    return mayHoldNumber(bytes, from + 1, end)
  }
  if (tag === INTEGER_TAG) {
    let value = 0
    let scale = 1
    for (let place = at + 1; place < end; place += 1) {
      value += ((bytes[place] ?? 0) & 127) * scale
      scale *= 128
    }
    return mayBeNumber(value)
  }
  if (tag === DOUBLE_TAG) return ((bytes[at + 8] ?? 0) & 127) >= LARGE_DOUBLE
  return true
}
