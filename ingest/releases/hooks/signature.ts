// Whether a webhook comes from who knows the secret: an HMAC over the bytes as they came, or the secret itself in a header. A secret
// may be two while the sender changes over from one to the other.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { headerOf, type HookRequest } from '../steps/hook-event.ts'

/** How a sender proves itself. */
export type HookProof =
  | { readonly scheme: 'hmac-sha256'; readonly header: string; readonly prefix: string }
  | { readonly scheme: 'token'; readonly header: string }

export const GITHUB_PROOF: HookProof = {
  scheme: 'hmac-sha256',
  header: 'x-hub-signature-256',
  prefix: 'sha256=',
}
export const GITLAB_PROOF: HookProof = { scheme: 'token', header: 'x-gitlab-token' }
export const TOKEN_PROOF: HookProof = { scheme: 'token', header: 'x-surety-token' }

/** The secrets are any of these; at least one. */
export type HookLock = { readonly proofs: readonly HookProof[]; readonly secrets: readonly string[] }

export type Verdict = 'right' | 'wrong' | 'missing'

/** Takes the same time whichever secret, or none, is right. */
export function verifyHook(lock: HookLock, headers: HookRequest['headers'], body: Uint8Array): Verdict {
  let verdict: Verdict = 'missing'
  for (const proof of lock.proofs) {
    const given = headerOf(headers, proof.header)
    if (given === '') continue
    if (verdict === 'missing') verdict = 'wrong'
    for (const secret of lock.secrets) if (isEqual(given, expectedOf(proof, secret, body))) verdict = 'right'
  }
  return verdict
}

function expectedOf(proof: HookProof, secret: string, body: Uint8Array): string {
  if (proof.scheme === 'token') return secret
  return proof.prefix + createHmac('sha256', secret).update(body).digest('hex')
}

// Over digests, since timingSafeEqual wants the same length and a length tells something, too.
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest()
  return timingSafeEqual(digest(given), digest(expected))
}
