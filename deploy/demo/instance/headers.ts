// The bank's own headers: who asks, from where, for what. They travel with every hop and become attributes of
// every server span, under the names Surety reads.

import type { IncomingHttpHeaders } from 'node:http'

/** `x-bank-customer` travels without becoming an attribute: no telemetry needs to know the customer. */
const ATTRIBUTE_OF: Readonly<Record<string, string | undefined>> = {
  'x-bank-channel': 'bank.channel',
  'x-bank-region': 'bank.region',
  'x-bank-branch': 'bank.branch',
  'x-bank-teller': 'bank.teller',
  'x-bank-customer': undefined,
  'x-bank-client-version': 'bank.client.version',
  'x-bank-txn-code': 'bank.txn.code',
  'x-bank-txn-id': 'bank.txn.id',
  'x-bank-traffic': 'bank.traffic',
}

/** Without this header a request is not the bank's: control and health requests lack it and are never traced. */
export const TXN_ID = 'x-bank-txn-id'
export const BRANCH = 'x-bank-branch'
export const TRAFFIC = 'x-bank-traffic'

/** The headers to hand on to the next hop. */
export function bankHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.keys(ATTRIBUTE_OF).flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

/** The span attributes these headers say. */
export function bankAttributes(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(ATTRIBUTE_OF).flatMap(([name, attribute]) => {
      const value = headers[name]
      return attribute !== undefined && typeof value === 'string' ? [[attribute, value]] : []
    }),
  )
}
