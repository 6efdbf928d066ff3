// JSON from a stranger: bytes to text to value, with a bound on nesting. Since V8 parses any depth without
// complaint, while whatever recurses over the result later (JSON.stringify, for one) overflows the stack,
// the depth is counted on the text before anything is parsed.

/** Levels of `{` and `[`. CDEvents need five; what a customData carries is its sender's choice. */
export const JSON_DEPTH_MAX = 64
/** Objects and arrays in one text: an empty one is three bytes of text and twenty times that in memory. */
const JSON_CONTAINERS_MAX = 2_000_000

export type JsonText =
  | { readonly kind: 'json'; readonly text: string; readonly value: unknown }
  | { readonly kind: 'refused'; readonly message: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

// Digits that a double may not hold. Looked for in the raw text, so that a string of digits only costs time.
const WIDE_INTEGER = /[\s:,[-]\d{16}/
const INTEGER = /^-?\d+$/

/**
 * @param exactIntegers  whole numbers beyond 2^53 become bigint instead of the nearest double
 * @returns the text without a byte order mark and its value, or what is wrong in words for the sender
 */
export function readJson(bytes: Uint8Array, exactIntegers = false): JsonText {
  let text
  try {
    text = utf8.decode(bytes)
  } catch {
    return refused('is not valid UTF-8; JSON is sent as UTF-8, so convert GBK and other encodings first')
  }
  if (text.trim() === '') return refused('is empty; send the event as JSON')
  const excess = excessOf(text)
  if (excess !== undefined) return refused(excess)
  try {
    const reviver = exactIntegers && WIDE_INTEGER.test(text) ? exactInteger : undefined
    return { kind: 'json', text, value: JSON.parse(text, reviver) }
  } catch (error) {
    return refused(`is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * The text of each element of an array, exactly as it was written.
 *
 * @param text a JSON array that `readJson` has accepted
 */
export function elementTexts(text: string): string[] {
  const inner = text.slice(text.indexOf('[') + 1, text.lastIndexOf(']'))
  if (inner.trim() === '') return []
  const commas = outerCommas(inner)
  return [...commas, inner.length].map((end, index) => {
    const before = index === 0 ? undefined : commas[index - 1]
    return inner.slice(before === undefined ? 0 : before + 1, end).trim()
  })
}

/** An object that JSON made; arrays are none. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Follows own members only, so that neither `__proto__` nor anything inherited is ever read. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  let current = value
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined
    current = current[key]
  }
  return current
}

const refused = (message: string): JsonText => ({ kind: 'refused', message })

// The reviver's third argument is newer than TypeScript's library knows.
const exactInteger = ((_: string, value: unknown, { source }: { readonly source?: string }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && INTEGER.test(source)
    ? BigInt(source)
    : value) as (name: string, value: unknown) => unknown

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
// `{` and `[`, `}` and `]` differ in this bit alone.
const BRACE_BIT = 0x20
const OPENING = 0x7b
const CLOSING = 0x7d

/** What a text, which may not be JSON at all, has more of than is good for us. */
function excessOf(text: string): string | undefined {
  let open = 0
  let containers = 0
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index)
    if (char === QUOTE) index = closingQuote(text, index)
    else if ((char | BRACE_BIT) === OPENING) {
      open += 1
      containers += 1
      if (open > JSON_DEPTH_MAX) return `is nested deeper than ${JSON_DEPTH_MAX} levels; flatten it`
    } else if ((char | BRACE_BIT) === CLOSING) open -= 1
  }
  return containers > JSON_CONTAINERS_MAX
    ? `has more than ${JSON_CONTAINERS_MAX} objects and arrays; send smaller batches`
    : undefined
}

/** Where the commas outside of any bracket are. */
function outerCommas(text: string): number[] {
  const commas: number[] = []
  let open = 0
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index)
    if (char === QUOTE) index = closingQuote(text, index)
    else if ((char | BRACE_BIT) === OPENING) open += 1
    else if ((char | BRACE_BIT) === CLOSING) open -= 1
    else if (char === COMMA && open === 0) commas.push(index)
  }
  return commas
}

function closingQuote(text: string, openingAt: number): number {
  for (let index = openingAt + 1; index < text.length; index += 1) {
    const char = text.charCodeAt(index)
    if (char === BACKSLASH) index += 1
    else if (char === QUOTE) return index
  }
  return text.length
}
