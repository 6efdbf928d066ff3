// A small reader of PromQL: enough to see what an expression is, so that the part of it that Surety executes can be told from the
// rest with a reason (metric-query.ts). It knows Sloth's placeholder `{{.window}}` as a range. Source: Prometheus, "Querying basics".

import type { MetricMatcher } from '../slo/model.ts'

export type PromSelector = {
  readonly kind: 'selector'
  readonly metric: string
  readonly matchers: readonly MetricMatcher[]
  /** `window` for Sloth's placeholder, a duration as written, or none. */
  readonly range: string | undefined
  readonly start: number
  readonly end: number
}
export type PromNode =
  | PromSelector
  | { readonly kind: 'number'; readonly value: number; readonly start: number; readonly end: number }
  | { readonly kind: 'text'; readonly start: number; readonly end: number }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly args: readonly PromNode[]
      /** `by (code)` or `without (pod)`. */
      readonly grouping: string | undefined
      readonly start: number
      readonly end: number
    }
  | {
      readonly kind: 'binary'
      readonly op: string
      readonly left: PromNode
      readonly right: PromNode
      readonly start: number
      readonly end: number
    }

export class PromSyntaxError extends Error {}

const TEXT_MAX = 4000
const DEPTH_MAX = 50
const PRECEDENCE: readonly (readonly string[])[] = [
  ['or'],
  ['and', 'unless'],
  ['==', '!=', '<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['^'],
]
const TOKEN =
  /\s+|#[^\n]*|(?<range>\[\s*(?:\{\{\s*\.window\s*\}\}|[\w.]+)?\s*(?::[^\]]*)?\])|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_:][\w:]*)|(?<sign>=~|!~|==|!=|<=|>=|[-+*/%^(){},=<>@])/gy

type Token = {
  readonly kind: 'range' | 'string' | 'number' | 'word' | 'sign' | 'end'
  readonly text: string
  readonly start: number
  readonly end: number
}

/** @throws PromSyntaxError with the reason, when the text is no PromQL or uses what is not read at all */
export function parsePromQl(text: string): PromNode {
  if (text.length > TEXT_MAX) throw new PromSyntaxError(`is longer than ${TEXT_MAX} characters`)
  const reader = new Reader(tokensOf(text))
  const node = reader.expression(0, 0)
  reader.expectEnd()
  return node
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) throw new PromSyntaxError(`cannot be read at «${text.slice(start, start + 20)}»`)
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? []
    if (kind !== undefined)
      tokens.push({ kind: kind as Token['kind'], text: match[0], start, end: start + match[0].length })
  }
  tokens.push({ kind: 'end', text: '', start: text.length, end: text.length })
  return tokens
}

class Reader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', start: 0, end: 0 }
  }

  #take(): Token {
    const token = this.#next
    this.#at++
    return token
  }

  #is(text: string): boolean {
    return this.#next.kind !== 'string' && this.#next.text.toLowerCase() === text
  }

  #expect(text: string): Token {
    if (!this.#is(text)) throw new PromSyntaxError(`has «${this.#next.text}» where «${text}» is expected`)
    return this.#take()
  }

  expectEnd(): void {
    if (this.#next.kind !== 'end') throw new PromSyntaxError(`cannot be read from «${this.#next.text}» on`)
  }

  expression(level: number, depth: number): PromNode {
    if (depth > DEPTH_MAX) throw new PromSyntaxError('nests too deeply')
    const operators = PRECEDENCE[level]
    if (operators === undefined) return this.#unary(depth)
    let left = this.expression(level + 1, depth)
    while (this.#next.kind !== 'string' && operators.includes(this.#next.text.toLowerCase())) {
      const op = this.#take().text.toLowerCase()
      this.#matching()
      const right = this.expression(level + 1, depth)
      left = { kind: 'binary', op, left, right, start: left.start, end: right.end }
    }
    return left
  }

  /** `on (…)`, `ignoring (…)`, `group_left (…)`, `bool` behind an operator: read, and of no matter for single vectors. */
  #matching(): void {
    while (['bool', 'on', 'ignoring', 'group_left', 'group_right'].some((word) => this.#is(word))) {
      const isBool = this.#take().text === 'bool'
      if (!isBool && this.#is('(')) this.#labels()
    }
  }

  #labels(): string[] {
    this.#expect('(')
    const labels: string[] = []
    while (!this.#is(')')) {
      labels.push(this.#take().text)
      if (!this.#is(')')) this.#expect(',')
    }
    this.#expect(')')
    return labels
  }

  #unary(depth: number): PromNode {
    if (this.#is('-') || this.#is('+'))
      throw new PromSyntaxError(`has a sign «${this.#next.text}» before a value`)
    const token = this.#next
    if (this.#is('(')) {
      this.#take()
      const inner = this.expression(0, depth + 1)
      this.#expect(')')
      return this.#suffix(inner)
    }
    if (token.kind === 'number') {
      this.#take()
      return { kind: 'number', value: Number(token.text), start: token.start, end: token.end }
    }
    if (token.kind === 'string') {
      this.#take()
      return { kind: 'text', start: token.start, end: token.end }
    }
    if (
      token.kind === 'word' &&
      ['(', 'by', 'without'].includes(this.#tokens[this.#at + 1]?.text.toLowerCase() ?? '')
    )
      return this.#suffix(this.#call(depth))
    if (token.kind === 'word' || this.#is('{')) return this.#suffix(this.#selector())
    throw new PromSyntaxError(token.kind === 'end' ? 'ends too early' : `cannot be read at «${token.text}»`)
  }

  #suffix<Node extends PromNode>(node: Node): Node {
    const { kind, text } = this.#next
    if (kind === 'range') throw new PromSyntaxError(`has a subquery «${text}»`)
    if (this.#is('offset') || this.#is('@')) throw new PromSyntaxError(`moves in time by «${text}»`)
    return node
  }

  #call(depth: number): PromNode {
    const { text: name, start } = this.#take()
    let grouping = this.#grouping()
    this.#expect('(')
    const args: PromNode[] = []
    while (!this.#is(')')) {
      args.push(this.expression(0, depth + 1))
      if (!this.#is(')')) this.#expect(',')
    }
    let { end } = this.#expect(')')
    if (grouping === undefined && (this.#is('by') || this.#is('without'))) {
      grouping = this.#grouping()
      end = this.#tokens[this.#at - 1]?.end ?? end
    }
    return { kind: 'call', name: name.toLowerCase(), args, grouping, start, end }
  }

  #grouping(): string | undefined {
    if (!this.#is('by') && !this.#is('without')) return undefined
    const word = this.#take().text.toLowerCase()
    const labels = this.#labels()
    // `by ()` is what no grouping means.
    return labels.length === 0 && word === 'by' ? undefined : `${word} (${labels.join(', ')})`
  }

  #selector(): PromSelector {
    const { start } = this.#next
    let metric = this.#next.kind === 'word' ? this.#take().text : ''
    let { end } = this.#tokens[this.#at - 1] ?? { end: start }
    const matchers: MetricMatcher[] = []
    if (this.#is('{')) {
      this.#take()
      while (!this.#is('}')) {
        const label = this.#take()
        if (label.kind === 'string' && (this.#is(',') || this.#is('}'))) metric = unquoted(label.text)
        else matchers.push(this.#matcher(label))
        if (!this.#is('}')) this.#expect(',')
      }
      end = this.#expect('}').end
    }
    const named = matchers.find(({ label, op }) => label === '__name__' && op === '=')
    if (metric === '' && named !== undefined) metric = named.value
    if (metric === '') throw new PromSyntaxError('names no metric')
    let range: string | undefined
    if (this.#next.kind === 'range') {
      const { text, end: rangeEnd } = this.#take()
      end = rangeEnd
      if (text.includes(':')) throw new PromSyntaxError(`has a subquery «${text}»`)
      range = text.includes('{{') ? 'window' : text.slice(1, -1).trim()
      if (range === '') throw new PromSyntaxError('has an empty range')
    }
    return { kind: 'selector', metric, matchers: matchers.filter((one) => one !== named), range, start, end }
  }

  #matcher(label: Token): MetricMatcher {
    const name = label.kind === 'string' ? unquoted(label.text) : label.text
    const op = this.#take().text
    const value = this.#take()
    if ((op !== '=' && op !== '!=' && op !== '=~' && op !== '!~') || value.kind !== 'string')
      throw new PromSyntaxError(`has a matcher of «${name}» that cannot be read`)
    const text = unquoted(value.text)
    if ((op === '=~' || op === '!~') && !isPattern(text))
      throw new PromSyntaxError(`has a pattern that cannot be read: «${text}»`)
    return { label: name, op, value: text }
  }
}

/** RE2 has no look-around and no back-references; what is left reads alike in both. */
function isPattern(pattern: string): boolean {
  if (/\(\?(?:<?[=!])|\\[1-9]/.test(pattern)) return false
  try {
    const compiled = new RegExp(`^(?:${pattern.replace(/^\(\?i\)/, '').replaceAll('(?P<', '(?<')})$`)
    return compiled.flags === ''
  } catch {
    return false
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

function unquoted(text: string): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner
  return inner.replaceAll(/\\(.)/gs, (_whole, sign: string) => ESCAPES[sign] ?? sign)
}
