// Writes a statement's parameters into its text, as typed literals, for the embedded engine.
//
// The engine can bind parameters itself, but its embedding runs all bound queries of a process one after
// another (they share one parameter state), so one slow question would hold up every other. Here each
// `{name:Type}` becomes `CAST('…', 'Type')` with the text escaped: the same meaning, nothing executed.

import { literal } from './literal.ts'

const PLACEHOLDER = /\{([A-Za-z_]\w*):([^{}]+)\}/g

export type Bindable = string | number | bigint | boolean | readonly string[]

/**
 * @param sql         text with `{name:Type}` placeholders
 * @param parameters  one value per placeholder; instants as ISO text or epoch numbers, as the type wants
 * @throws Error when a placeholder has no value
 */
export function bind(sql: string, parameters: Readonly<Record<string, Bindable>>): string {
  return sql.replaceAll(PLACEHOLDER, (_, name: string, type: string) => {
    const value = parameters[name]
    if (value === undefined) throw new Error(`The statement needs a value for {${name}:${type}}`)
    return `CAST(${expression(value)}, ${literal(type.trim())})`
  })
}

/** An instant, ms since epoch, as text for a `DateTime64(3, 'UTC')`. */
export function sqlMillisecond(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ')
}

function expression(value: Bindable): string {
  if (typeof value !== 'object') return literal(String(value))
  return `[${value.map((item) => literal(item)).join(', ')}]`
}
