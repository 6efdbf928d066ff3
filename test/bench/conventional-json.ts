// How the conventional pipelines of the benches turn decoded OTLP into JSON: by hand, as fast as it goes. Used by the peers
// alone.

export type Long = { readonly low: number; readonly high: number; toString(): string }
type AnyValue = {
  readonly value?:
    'string_value' | 'bool_value' | 'int_value' | 'double_value' | 'array_value' | 'bytes_value'
  readonly string_value: string
  readonly bool_value: boolean
  readonly int_value: Long
  readonly double_value: number
  readonly array_value: { readonly values: readonly AnyValue[] }
  readonly bytes_value: Buffer
}
export type KeyValue = { readonly key: string; readonly value: AnyValue | null }
export function valueText(any: AnyValue | null): string {
  switch (any?.value) {
    case 'string_value':
      return any.string_value
    case 'int_value':
      return integerText(any.int_value)
    case 'bool_value':
      return any.bool_value ? 'true' : 'false'
    case 'double_value':
      return String(any.double_value)
    case 'array_value':
      return JSON.stringify(any.array_value.values.map(valueText))
    case 'bytes_value':
      return any.bytes_value.toString('base64')
    case undefined:
    default:
      return ''
  }
}

function integerText(value: Long): string {
  return value.high === 0 ? String(value.low >>> 0) : value.toString()
}

// 2^32 ns = 4294 ms + 967296 ns: both sums below stay exact in doubles until the year 2262.
export function nanosecondsText(time: Long): string {
  const rest = (time.high >>> 0) * 967_296 + (time.low >>> 0)
  const carried = Math.floor(rest / 1e6)
  const ms = (time.high >>> 0) * 4294 + carried
  return ms === 0 ? String(rest) : String(ms) + String(rest - carried * 1e6).padStart(6, '0')
}

// eslint-disable-next-line no-control-regex
const NEEDS_QUOTING = /["\\\u0000-\u001f\ud800-\udfff]/

export function quote(text: string): string {
  return NEEDS_QUOTING.test(text) ? JSON.stringify(text) : `"${text}"`
}

export function field(name: string, text: string): string {
  return text === '' ? '' : `,"${name}":${quote(text)}`
}

/** `,"name":{"k":"v",…}`, the keys in the order they come. */
export function mapField(name: string, attributes: readonly KeyValue[]): string {
  let pairs = ''
  for (const { key, value } of attributes)
    pairs += `${pairs === '' ? '' : ','}${quote(key)}:${quote(valueText(value))}`
  return `,"${name}":{${pairs}}`
}
