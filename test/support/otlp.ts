// Writes OTLP trace requests as bytes, the way an exporter would, from plain objects. A writer of its own,
// not a library, because hostile tests need to write what no library would.

export type AttributeValue =
  string | number | bigint | boolean | readonly AttributeValue[] | { readonly bytes: Uint8Array }
export type Attributes = Readonly<Record<string, AttributeValue>>

export type SpanInput = {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId?: Uint8Array
  readonly traceState?: string
  readonly name: string
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer */
  readonly kind?: number
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes?: Attributes
  readonly events?: readonly {
    readonly atNs: bigint
    readonly name: string
    readonly attributes?: Attributes
  }[]
  /** 0 unset, 1 ok, 2 error */
  readonly statusCode?: number
  readonly statusMessage?: string
}

export type ResourceInput = {
  readonly attributes: Attributes
  readonly scope?: { readonly name: string; readonly version?: string }
  readonly spans: readonly SpanInput[]
}

export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** A length-delimited field: tag, length, bytes. */
export function field(number: number, body: Uint8Array | string): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
}

export function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return Buffer.concat([varint((number << 3) | 1), bytes])
}

export function integerField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)])
}

function anyValue(value: AttributeValue): Buffer {
  if (typeof value === 'string') return field(1, value)
  if (typeof value === 'boolean') return integerField(2, value ? 1 : 0)
  if (typeof value === 'bigint') return integerField(3, value)
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return integerField(3, value)
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    return Buffer.concat([varint((4 << 3) | 1), bytes])
  }
  if (Array.isArray(value))
    return field(5, Buffer.concat(value.map((item) => field(1, anyValue(item as AttributeValue)))))
  return field(7, (value as { bytes: Uint8Array }).bytes)
}

export function keyValue(key: string, value: AttributeValue): Buffer {
  return Buffer.concat([field(1, key), field(2, anyValue(value))])
}

function attributeFields(number: number, attributes: Attributes = {}): Buffer {
  return Buffer.concat(Object.entries(attributes).map(([key, value]) => field(number, keyValue(key, value))))
}

export function spanBytes(span: SpanInput): Buffer {
  const status = Buffer.concat([
    span.statusMessage === undefined ? Buffer.alloc(0) : field(2, span.statusMessage),
    span.statusCode === undefined ? Buffer.alloc(0) : integerField(3, span.statusCode),
  ])
  return Buffer.concat([
    field(1, span.traceId),
    field(2, span.spanId),
    ...(span.traceState === undefined ? [] : [field(3, span.traceState)]),
    ...(span.parentSpanId === undefined ? [] : [field(4, span.parentSpanId)]),
    field(5, span.name),
    integerField(6, span.kind ?? 2),
    fixed64(7, span.startNs),
    fixed64(8, span.endNs),
    attributeFields(9, span.attributes),
    ...(span.events ?? []).map((event) =>
      field(
        11,
        Buffer.concat([fixed64(1, event.atNs), field(2, event.name), attributeFields(3, event.attributes)]),
      ),
    ),
    ...(status.length === 0 ? [] : [field(15, status)]),
  ])
}

export function resourceSpans(input: ResourceInput): Buffer {
  const scope = Buffer.concat([field(1, input.scope?.name ?? 'test'), field(2, input.scope?.version ?? '1')])
  return Buffer.concat([
    field(1, attributeFields(1, input.attributes)),
    field(2, Buffer.concat([field(1, scope), ...input.spans.map((span) => field(2, spanBytes(span)))])),
  ])
}

/** An `ExportTraceServiceRequest`, which is also what the Collector's Kafka exporter writes as `otlp_proto`. */
export function traceRequest(resources: readonly ResourceInput[]): Buffer {
  return Buffer.concat(resources.map((resource) => field(1, resourceSpans(resource))))
}

/** Deterministic random numbers (mulberry32), for data that is the same in every run. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function randomBytes(next: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let index = 0; index < length; index += 1) bytes[index] = Math.floor(next() * 256)
  return bytes
}
