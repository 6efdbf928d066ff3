// Passwords as scrypt hashes that carry their own parameters: `scrypt$N$r$p$salt$hash`, base64url.
// Source: OWASP Password Storage Cheat Sheet, scrypt N=2^17, r=8, p=1.

import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'

const COST = { N: 2 ** 17, r: 8, p: 1 } as const
const HASH_BYTES = 32
const SALT_BYTES = 16
const PASSWORD_MIN = 12
const PASSWORD_MAX = 256

/** @returns what is wrong with a new password, with the remedy; undefined when nothing is */
export function passwordFault(password: string, userName: string): string | undefined {
  const { length } = Array.from(password)
  if (length < PASSWORD_MIN)
    return `has ${length} characters; take at least ${PASSWORD_MIN}, several words are fine`
  if (length > PASSWORD_MAX) return `has more than ${PASSWORD_MAX} characters`
  if (password.toLowerCase().includes(userName.toLowerCase())) return 'holds the user name; leave it out'
  if (new Set(password).size < 5) return 'repeats a few characters; take several words'
  return undefined
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

/** The same work for a user who is not there as for one who is: `kept` undefined never fits. */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const [kind, n, r, p, salt, hash] = (kept ?? NOBODY).split('$')
  if (kind !== 'scrypt') return false
  const cost = { N: Number(n), r: Number(r), p: Number(p) }
  const expected = Buffer.from(hash ?? '', 'base64url')
  const given = await derive(password.slice(0, PASSWORD_MAX * 2), Buffer.from(salt ?? '', 'base64url'), cost)
  return expected.length === given.length && timingSafeEqual(expected, given) && kept !== undefined
}

/** A first password that a person can type: 100 bits in letters that are not mistaken for one another. */
export function makePassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  const picked = [...randomBytes(20)].map((byte) => letters[byte % letters.length] ?? '')
  return [0, 5, 10, 15].map((from) => picked.slice(from, from + 5).join('')).join('-')
}

const NOBODY = `scrypt$${COST.N}$${COST.r}$${COST.p}$${Buffer.alloc(SALT_BYTES).toString('base64url')}$${Buffer.alloc(HASH_BYTES).toString('base64url')}`

function derive(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 256 * cost.N * cost.r }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash)
      else reject(error)
    })
  })
}
