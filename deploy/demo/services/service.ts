// The shape of one demo service: its operations, what they answer, and how a wrong result of theirs looks.
// How requests arrive and leave (HTTP, tracing, faults) is instance/, never here.

import type { Random } from '../random.ts'
import type { ServiceName } from '../topology.ts'

export type Fields = Readonly<Record<string, unknown>>

/** `returnCode` becomes `bank.return.code` of the server span. */
export type Answer = { readonly status: number; readonly returnCode: string; readonly body: Fields }

/** A call to another service. `route` is the path with its placeholders, for names of few values. */
export type Call = {
  readonly to: ServiceName
  readonly method: 'GET' | 'POST'
  readonly route: string
  readonly path: string
  readonly body?: Fields
}

/** One request, as an operation sees it. */
export type Exchange = {
  readonly params: Readonly<Record<string, string>>
  readonly body: Fields
  /** a request header; undefined when absent */
  readonly header: (name: string) => string | undefined
  /** Answers whatever the callee answered; 503 or 504 when it could not be reached in time. Never throws. */
  readonly call: (call: Call) => Promise<Answer>
  readonly random: Random
}

export type Operation = {
  readonly method: 'GET' | 'POST'
  /** e.g. `/accounts/{account}/balance` */
  readonly route: string
  /** median of the service's own work, log-normal around it */
  readonly workMs: number
  answer(exchange: Exchange): Promise<Answer> | Answer
  /** The good answer's body with the one value spoilt that the next service to read it checks. */
  corrupt?(body: Fields): Fields
}

export type Service = {
  /** begins the service's own return codes, e.g. `LIM` */
  readonly prefix: string
  readonly operations: readonly Operation[]
}

export const done = (returnCode: string, body: Fields): Answer => ({ status: 200, returnCode, body })

/** The rules say no: the customer's doing, not the bank's. */
export const reject = (returnCode: string, message: string): Answer => ({
  status: 422,
  returnCode,
  body: { message },
})

/** The bank's doing. */
export const failure = (returnCode: string, message: string): Answer => ({
  status: 500,
  returnCode,
  body: { message },
})

/** What a caller answers when its callee did not answer 200: a reject as it is, a failure as 502, the code kept. */
export function relay(answer: Answer): Answer {
  return answer.status >= 500 ? { ...answer, status: 502 } : answer
}

/** A text field that matches, else undefined. */
export function textField(fields: Fields, name: string, pattern: RegExp): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && pattern.test(value) ? value : undefined
}

/** A finite number field, else undefined. */
export function numberField(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A reference such as `RSV48213377`. */
export const reference = (prefix: string, random: Random): string =>
  `${prefix}${String(Math.floor(random() * 1e8)).padStart(8, '0')}`
