// Systems and services as documents, and requests put into the store: what tests of SLO routes begin with.

import type { TestSurety } from './surety.ts'

export const BANK = `apiVersion: surety/v1
kind: Team
metadata: { name: pay-team }
spec: {}
---
apiVersion: surety/v1
kind: System
metadata: { name: core-payment }
spec: { team: pay-team, tier: general, type: payment, origin: in-house }
---
apiVersion: surety/v1
kind: System
metadata: { name: cards }
spec: { team: pay-team, tier: general, type: cards, origin: in-house }
---
apiVersion: surety/v1
kind: System
metadata: { name: books }
spec: { team: pay-team, tier: general, type: core, origin: in-house }
---
apiVersion: surety/v1
kind: Service
metadata: { name: pay }
spec: { system: core-payment }
---
apiVersion: surety/v1
kind: Service
metadata: { name: card }
spec: { system: cards }
---
apiVersion: surety/v1
kind: Service
metadata: { name: ledger }
spec: { system: books }
`

/** Makes the registry hold the documents, over the API. */
export async function applyDocuments(surety: TestSurety, bundle: string, text: string): Promise<void> {
  const reply = await fetch(`${surety.url}/api/v1/registry/apply?bundle=${bundle}`, {
    method: 'POST',
    headers: { ...surety.asLocal, 'content-type': 'application/json' },
    body: JSON.stringify({ files: [{ file: `${bundle}.yaml`, text }] }),
  })
  if (reply.status !== 200) throw new Error(`${reply.status} ${await reply.text()}`)
}

export type PutSpans = {
  readonly service: string
  readonly version?: string
  readonly operation?: string
  readonly outcome?: 'ok' | 'system_error'
  readonly region?: string
  /** 2 server, 3 client */
  readonly kind?: number
  /** ms since epoch; the first of them. */
  readonly fromMs: number
  readonly count: number
  /** Apart, ms. */
  readonly everyMs: number
  /** One trace each, numbered from here; without, no trace. */
  readonly traces?: number
  /** Within its trace; the parent's below it, 0 for none. */
  readonly span?: number
  readonly parent?: number
}

const text = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

export async function putSpans(surety: TestSurety, ...given: readonly PutSpans[]): Promise<void> {
  for (const one of given) {
    const { service, version = '1', operation = 'op', outcome = 'ok', region = '', kind = 2 } = one
    const trace =
      one.traces === undefined ? `''` : `unhex(leftPad(hex(toUInt64(${one.traces} + number)), 32, '0'))`
    const id = (place = 0) => `toFixedString(unhex(leftPad(hex(toUInt64(${place})), 16, '0')), 8)`
    await surety.store().command(
      `INSERT INTO spans (ts, duration_ns, service, version, operation, kind, outcome, region, weight, traffic, trace_id, span_id, parent_id)
      SELECT fromUnixTimestamp64Milli(toInt64(${one.fromMs} + number * ${one.everyMs}), 'UTC'), 1000000, ${text(service)}, ${text(version)}, ${text(operation)},
        ${kind}, ${text(outcome)}, ${text(region)}, 1000, 'live', toFixedString(${trace}, 16), ${id(one.span)}, ${id(one.parent)} FROM numbers(${one.count})`,
    )
  }
}
