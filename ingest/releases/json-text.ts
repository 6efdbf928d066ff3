// JSON from a stranger: bytes to text to value, with a bound on nesting. Since V8 parses any depth without
// complaint, while whatever recurses over the result later (JSON.stringify, for one) overflows the stack,
// the depth is counted on the text before anything is parsed.

/** Levels of `{` and `[`. CDEvents need five; what a customData carries is its sender's choice. */
export const JSON_DEPTH_MAX = 64

export type JsonText =
  | { readonly kind: 'json'; readonly text: string; readonly value: unknown }
  | { readonly kind: 'refused'; readonly message: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @returns the text without a byte order mark and its value, or what is wrong in words for the sender */
export function readJson(bytes: Uint8Array): JsonText {
  let text
  try {
    text = utf8.decode(bytes)
  } catch {
    return refused('is not valid UTF-8; JSON is sent as UTF-8, so convert GBK and other encodings first')
  }
  if (text.trim() === '') return refused('is empty; send the event as JSON')
  if (structure(text).depth > JSON_DEPTH_MAX)
    return refused(`is nested deeper than ${JSON_DEPTH_MAX} levels; flatten it`)
  try {
    return { kind: 'json', text, value: JSON.parse(text) }
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
  const { commas } = structure(inner)
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

/** Greatest nesting of a text that may not be JSON at all, and its commas outside of any bracket. */
function structure(text: string): { readonly depth: number; readonly commas: readonly number[] } {
  const commas: number[] = []
  let depth = 0
  let open = 0
  let quoted = false
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index]
    if (quoted) {
      if (char === '\\') index += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '{' || char === '[') depth = Math.max(depth, (open += 1))
    else if (char === '}' || char === ']') open -= 1
    else if (char === ',' && open === 0) commas.push(index)
  }
  return { depth, commas }
}
