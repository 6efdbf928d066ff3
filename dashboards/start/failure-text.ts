// What a failed request means, in words for people. Pure.

import { ApiError } from '../api.ts'
import type { Words } from '../i18n/words.ts'

/** A short reason without full stop, with the API's code where there is one. */
export function failureText(error: unknown, words: Words): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  const { failure } = error
  switch (failure.kind) {
    case 'unreachable':
      return words.text('networkFailed')
    case 'timeout':
      return words.text('timedOut', { seconds: words.count(failure.afterMs / 1000) })
    case 'garbled':
      return words.text('notUnderstood', { status: String(failure.status) })
    case 'problem': {
      const { title, detail, code } = failure.problem
      return `${detail === '' ? title : detail} (${code})`
    }
    default:
      return failure satisfies never
  }
}

/** Whether the answer is that a token, or a better one, is needed. */
export function asksForToken(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.failure.kind !== 'problem') return false
  return ['SURETY_TOKEN_REFUSED', 'SURETY_TOKEN_SCOPE'].includes(error.failure.problem.code)
}

/** Whether the answer is that somebody has to say who he is. */
export function asksForSignIn(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.failure.kind !== 'problem') return false
  return ['SURETY_NOT_SIGNED_IN', 'SURETY_TOKEN_REFUSED', 'SURETY_PASSWORD_CHANGE'].includes(
    error.failure.problem.code,
  )
}

/** Whether nothing answered at all, as opposed to an answer that says no. */
export function isUnreachable(error: unknown): boolean {
  return (
    error instanceof ApiError && (error.failure.kind === 'unreachable' || error.failure.kind === 'timeout')
  )
}

/** Whether the answer is that there is no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.failure.kind === 'problem' && error.failure.problem.status === 404
}
