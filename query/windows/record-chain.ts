// Records of windows as a chain: each holds the hash of the one before and is signed, so that nobody changes, leaves out or puts in
// one without being seen. Pure but for the cryptography of Node; keys are handed in.

import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import type { WindowRecord } from '../http/verdict-schemas.ts'

export const FIRST_HASH = '0'.repeat(64)

/** JSON with keys in the order of their code units and no space: the same value gives the same bytes (as RFC 8785 for what we hold). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

export const hashOf = (body: string): string => createHash('sha256').update(body, 'utf8').digest('hex')

export type Signer = { readonly sign: (body: string) => string; readonly publicKey: string }

/** DER before the 32 bytes of a seed: PKCS#8 of Ed25519 (RFC 8410). */
const PKCS8_OF_SEED = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * @param text  PKCS#8 in PEM, or the 32 bytes of a seed in Base64
 * @throws Error saying what is wrong, without the key
 */
export function signerOf(text: string): Signer {
  const key = privateKeyOf(text.trim())
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  return { sign: (body) => sign(null, Buffer.from(body, 'utf8'), key).toString('base64'), publicKey }
}

function privateKeyOf(text: string): KeyObject {
  const wrong = 'must be an Ed25519 key, PKCS#8 in PEM or the 32 bytes of its seed in Base64'
  let key: KeyObject
  try {
    if (text.startsWith('-----BEGIN')) key = createPrivateKey(text)
    else {
      const seed = Buffer.from(text, 'base64')
      if (seed.length !== 32) throw new Error(wrong)
      key = createPrivateKey({ key: Buffer.concat([PKCS8_OF_SEED, seed]), format: 'der', type: 'pkcs8' })
    }
  } catch {
    throw new Error(wrong)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(wrong)
  return key
}

/** The next record. @param content  without the members of the chain, which are added to it */
export function nextRecord(
  last: Pick<WindowRecord, 'sequence' | 'hash'> | undefined,
  content: { readonly window: string; readonly madeAt: string } & Readonly<Record<string, unknown>>,
  signer: Signer | undefined,
): WindowRecord {
  const sequence = (last?.sequence ?? 0) + 1
  const previousHash = last?.hash ?? FIRST_HASH
  const body = canonicalJson({ ...content, sequence, previousHash })
  return {
    sequence,
    window: content.window,
    madeAt: content.madeAt,
    body,
    previousHash,
    hash: hashOf(body),
    signature: signer?.sign(body) ?? null,
    publicKey: signer?.publicKey ?? null,
  }
}

/**
 * The first record that does not fit: its hash is not of its body, its body does not hold the hash of the one before, one is left
 * out, or its signature is not of its key.
 * @param before  the one before the first of them; undefined: it must be the first of all, or is taken on trust
 * @param trusted  public key in PEM that signatures must be of; undefined: each its own
 */
export function firstBroken(
  records: readonly WindowRecord[],
  before?: Pick<WindowRecord, 'sequence' | 'hash'>,
  trusted?: string,
): WindowRecord | undefined {
  let last = before
  for (const record of records) {
    const isFirst = last === undefined
    const fits =
      record.hash === hashOf(record.body) &&
      saysWhatItIs(record) &&
      (isFirst
        ? record.sequence !== 1 || record.previousHash === FIRST_HASH
        : record.sequence === (last?.sequence ?? 0) + 1 && record.previousHash === last?.hash) &&
      isSigned(record, trusted)
    if (!fits) return record
    last = record
  }
  return undefined
}

/** What stands beside the body is what stands in it. */
function saysWhatItIs({ body, sequence, previousHash, window, madeAt }: WindowRecord): boolean {
  try {
    const held = JSON.parse(body) as Readonly<Record<string, unknown>>
    return (
      held['sequence'] === sequence &&
      held['previousHash'] === previousHash &&
      held['window'] === window &&
      held['madeAt'] === madeAt
    )
  } catch {
    return false
  }
}

function isSigned({ body, signature, publicKey }: WindowRecord, trusted: string | undefined): boolean {
  if (signature === null) return trusted === undefined
  const key = trusted ?? publicKey
  if (key === null) return false
  try {
    return verify(null, Buffer.from(body, 'utf8'), createPublicKey(key), Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
