// Traces as trees: who calls whom and how it ends, written the way services would send it.

import { randomBytes } from 'node:crypto'
import type { Attributes, ResourceInput, SpanInput } from './otlp.ts'

export type TreeNode = {
  readonly service: string
  readonly version?: string
  readonly system?: string
  readonly name?: string
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer; default 2 */
  readonly kind?: number
  /** HTTP status; 500 and more has failed. */
  readonly http?: number
  readonly attributes?: Attributes
  /** Of its process, beside service, version and system. */
  readonly resource?: Attributes
  /** Type and message of an exception that it recorded. */
  readonly exception?: readonly [string, string]
  readonly traceState?: string
  /** Failed without a code. */
  readonly isError?: boolean
  /** After the start of the trace; by default as its parent. */
  readonly afterMs?: number
  readonly durationMs?: number
  /** It happened and its span never came. */
  readonly isMissing?: boolean
  readonly calls?: readonly TreeNode[]
}

/** @returns the trace's id in hexadecimal, and its spans by resource */
export function traceTree(
  startMs: number,
  root: TreeNode,
  traceId: Uint8Array = randomBytes(16),
): { readonly traceId: string; readonly resources: readonly ResourceInput[] } {
  const resources: ResourceInput[] = []
  function write(node: TreeNode, parentSpanId: Uint8Array | undefined, afterMs: number): void {
    const {
      service,
      version = '1',
      system,
      name = 'op',
      kind = 2,
      http,
      attributes = {},
      durationMs = 10,
      exception,
    } = node
    const startNs = BigInt(startMs + (node.afterMs ?? afterMs)) * 1_000_000n
    const spanId = randomBytes(8)
    const span: SpanInput = {
      traceId,
      spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name,
      kind,
      startNs,
      endNs: startNs + BigInt(durationMs) * 1_000_000n,
      attributes: { ...(http === undefined ? {} : { 'http.response.status_code': http }), ...attributes },
      ...(node.traceState === undefined ? {} : { traceState: node.traceState }),
      ...(node.isError === true ? { statusCode: 2 } : {}),
      ...(exception === undefined
        ? {}
        : {
            events: [
              {
                atNs: startNs,
                name: 'exception',
                attributes: { 'exception.type': exception[0], 'exception.message': exception[1] },
              },
            ],
          }),
    }
    const resource = {
      'service.name': service,
      'service.version': version,
      ...(system === undefined ? {} : { 'bank.system': system }),
      ...node.resource,
    }
    if (node.isMissing !== true) resources.push({ attributes: resource, spans: [span] })
    for (const call of node.calls ?? []) write(call, spanId, node.afterMs ?? afterMs)
  }
  write(root, undefined, 0)
  return { traceId: Buffer.from(traceId).toString('hex'), resources }
}
