// Sensitive numbers in texts become their last digits, inside the insert: the engine finds, checks and masks them, so
// bytes stay undecoded in JavaScript. Pure text building of SQL; what is configured is read in ingest/masking.ts.
//
// Two steps. A cheap test over every text (its length, then a run of digits, then the shapes: about 14 ns an attribute)
// leaves the few that may hold such a number. Those are cut into tokens, each token is judged with its check digits, and
// the pieces are put together again. Tokens are maximal, so a part of a longer number is never taken for a number, and
// identifiers that only look like numbers (UUIDs, 16 or more hexadecimal digits, decimals) are tokens of their own.

import { literal } from './literal.ts'

/** `card`: payment cards, by Luhn. `phone`: Chinese mobile numbers. `identity`: resident identity numbers, by check digit. */
export const MASKED_KINDS = ['card', 'phone', 'identity'] as const
export type MaskedKind = (typeof MASKED_KINDS)[number]

export type MaskingPattern = {
  readonly name: string
  /** RE2, without capturing groups. */
  readonly regex: string
  /** Characters of a match that stay readable. */
  readonly keepLast: number
}

export type Masking = {
  readonly kinds: readonly MaskedKind[]
  /** Beyond the kinds; every match is masked. */
  readonly patterns: readonly MaskingPattern[]
  /** Attributes whose values are masked whatever they look like. */
  readonly keys: readonly string[]
  /** Attributes of spans whose values are left as they are. */
  readonly except: readonly string[]
}

// Account numbers look like any number, so only a key can tell them.
export const DEFAULT_MASKING: Masking = {
  kinds: MASKED_KINDS,
  patterns: [],
  keys: ['bank.account.number', 'bank.card.number', 'bank.customer.identity', 'bank.customer.phone'],
  except: [],
}
export const NO_MASKING: Masking = { kinds: [], patterns: [], keys: [], except: [] }

/** Whether anything would be masked. */
export const isMasking = ({ kinds, patterns, keys }: Masking): boolean =>
  kinds.length + patterns.length + keys.length > 0

/** What a masked number begins with. */
export const MASK = '**** '
const KEPT_DIGITS = 4

// What the cheap test looks for; the boundaries are consumed, so this finds and never cuts.
const SHAPES: Readonly<Record<MaskedKind, string>> = {
  card: '[2-6](?:[ -]?[0-9]){12,18}',
  phone: '(?:(?:00)?86)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}',
  identity: '[1-8][0-9]{16}[0-9Xx]',
}
const DIGIT_RUN = '[0-9][0-9 -]{9}[0-9]'
const LONGEST_HARMLESS = 10

// In this order at each place: identifiers and decimals first, then grouped numbers, then runs of digits.
const TOKEN = [
  '\\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\b',
  '\\b[0-9]{1,10}\\.[0-9]+',
  '(?:[0-9]{4}[ -]){3,4}[0-9]+',
  '[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}',
  '1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4}',
  '[0-9]{17}[Xx]\\b',
  '\\b[0-9a-fA-F]{16,}\\b',
  '[0-9]+',
].join('|')

// First digits that card networks give out; dates (20…) and epochs (1…) are not among them.
const CARD = '^(?:3|4|5|6|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))[0-9]{11,18}$'
const CARD_TOKEN = '^[0-9](?:[ -]?[0-9]){12,23}$'
const IDENTITY = '^[1-8][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]$'

const digitsOf = (text: string) => `arrayMap(z -> toInt16OrZero(z), splitByString('', ${text}))`

function isCard(token: string): string {
  const bare = `replaceRegexpAll(${token}, '[^0-9]', '')`
  // A grouped number may have a stranger's group before or behind it.
  const candidates = `if(length(${token}) = length(${bare}), [${bare}], [${bare}, substring(${bare}, 1, 16), right(${bare}, 16)])`
  const luhn = `arraySum((z, n) -> if(n % 2 = 0, z, if(z > 4, 2 * z - 9, 2 * z)), arrayReverse(${digitsOf('d')}), range(length(d))) % 10 = 0`
  return `(match(${token}, ${literal(CARD_TOKEN)}) AND arrayExists(d -> match(d, ${literal(CARD)}) AND length(d) <= 19 AND ${luhn}, ${candidates}))`
}

function isIdentity(token: string): string {
  const weights = '[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]'
  const sum = `arraySum((z, w) -> z * w, ${digitsOf(`rightPad(substring(${token}, 1, 17), 17, '0')`)}, ${weights})`
  const check = `substring('10X98765432', ${sum} % 11 + 1, 1)`
  return `(match(${token}, ${literal(IDENTITY)}) AND ${check} = upper(substring(${token}, 18, 1)))`
}

const JUDGES: Readonly<Record<MaskedKind, (token: string) => string>> = {
  card: isCard,
  phone: (token) => `match(${token}, ${literal(`^${SHAPES.phone}$`)})`,
  identity: isIdentity,
}

/** Replaces what is found by its mask; what lies between stays. @param keeps SQL condition on a token `t` */
function replaceTokens(text: string, regex: string, masked: string, condition?: string): string {
  const token = condition === undefined ? masked : `if(${condition}, ${masked}, t)`
  return `arrayStringConcat(arrayMap((p, t) -> concat(p, if(t = '', '', ${token})), splitByRegexp(${literal(regex)}, ${text}), arrayPushBack(extractAll(${text}, ${literal(regex)}), '')))`
}

/** @returns the text with its sensitive numbers masked, an SQL expression; `text` itself when nothing is configured */
function maskedText(text: string, { kinds, patterns }: Masking): string {
  let masked = text
  if (kinds.length > 0) {
    const shape = `(?:^|[^0-9])(?:${kinds.map((kind) => SHAPES[kind]).join('|')})(?:[^0-9]|$)`
    const mayHold = `length(${text}) > ${LONGEST_HARMLESS} AND match(${text}, ${literal(DIGIT_RUN)}) AND match(${text}, ${literal(shape)})`
    const isSensitive = kinds.map((kind) => JUDGES[kind]('t')).join(' OR ')
    const mask = `concat(${literal(MASK)}, right(t, ${KEPT_DIGITS}))`
    masked = `if(${mayHold}, ${replaceTokens(text, TOKEN, mask, isSensitive)}, ${text})`
  }
  for (const { regex, keepLast } of patterns) {
    const mask = keepLast === 0 ? literal(MASK.trim()) : `concat(${literal(MASK)}, right(t, ${keepLast}))`
    masked = `arrayMap(q -> if(match(q, ${literal(regex)}), ${replaceTokens('q', regex, mask)}, q), [${masked}])[1]`
  }
  return masked
}

/**
 * The values of an attribute list with what is sensitive masked.
 *
 * @param keys     SQL expression of the keys
 * @param values   SQL expression of the values as texts, in the order of the keys
 */
export function maskedValues(keys: string, values: string, masking: Masking): string {
  const text = maskedText('x', masking)
  const { keys: always, except: never } = masking
  if (always.length === 0 && never.length === 0) {
    return text === 'x' ? values : `arrayMap(x -> ${text}, ${values})`
  }
  const list = (words: readonly string[]) => words.map(literal).join(', ')
  // A list's last characters say nothing; a short value would be all last characters.
  const whole = `if(length(x) > ${2 * KEPT_DIGITS} AND NOT startsWith(x, '['), concat(${literal(MASK)}, right(x, ${KEPT_DIGITS})), if(x = '', '', ${literal(MASK.trim())}))`
  const cases = [
    ...(never.length === 0 ? [] : [`h IN (${list(never)}), x`]),
    ...(always.length === 0 ? [] : [`h IN (${list(always)}), ${whole}`]),
  ]
  return `arrayMap((h, x) -> multiIf(${cases.join(', ')}, ${text}), ${keys}, ${values})`
}
