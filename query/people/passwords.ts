// Passwords as scrypt hashes that carry their own parameters: `scrypt$N$r$p$salt$hash`, base64url.
// Source: OWASP Password Storage Cheat Sheet; of its equal choices the one with the least memory, N=2^15, r=8, p=3: 32 MB.

import { randomBytes, randomInt, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'

const COST = { N: 2 ** 15, r: 8, p: 3 } as const
const HASH_BYTES = 32
const SALT_BYTES = 16
const PASSWORD_MIN = 12
export const PASSWORD_MAX = 256
// A name shorter than this stands in many a good password.
const NAME_MIN = 4
const LETTERS_MIN = 5
// Hashes at once: signing in takes no more memory and threads than this leaves to the rest.
const AT_ONCE_MAX = 2
const WAITING_MAX = 32

/** Too many sign in at the same time; come again. */
export class PasswordsBusy extends Error {
  readonly code = 'SURETY_SIGN_IN_BUSY'
  readonly retryable = true

  constructor() {
    super(`More than ${WAITING_MAX} wait for their password to be looked at`)
    this.name = 'PasswordsBusy'
  }
}

/** @returns what is wrong with a new password, with the remedy; undefined when nothing is */
export function passwordFault(password: string, userName: string): string | undefined {
  const { length } = Array.from(password)
  if (length < PASSWORD_MIN)
    return `has ${length} characters; take at least ${PASSWORD_MIN}, several words are fine`
  if (length > PASSWORD_MAX) return `has more than ${PASSWORD_MAX} characters`
  const holdsName = userName.length >= NAME_MIN && password.toLowerCase().includes(userName.toLowerCase())
  if (holdsName) return 'holds the user name; leave it out'
  if (new Set(password).size < LETTERS_MIN) return 'repeats a few characters; take several words'
  return undefined
}

/** @throws PasswordsBusy */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

/**
 * The same work for a user who is not there as for one who is: `kept` undefined never fits.
 * @throws PasswordsBusy
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const [kind, n, r, p, salt, hash] = (kept ?? NOBODY).split('$')
  if (kind !== 'scrypt') return false
  const cost = { N: Number(n), r: Number(r), p: Number(p) }
  const expected = Buffer.from(hash ?? '', 'base64url')
  const given = await derive(password.slice(0, PASSWORD_MAX * 2), Buffer.from(salt ?? '', 'base64url'), cost)
  return expected.length === given.length && timingSafeEqual(expected, given) && kept !== undefined
}

/** Whether a hash was made with other parameters than those of now; it is made anew at the next sign-in. */
export function isOutdated(kept: string): boolean {
  return !kept.startsWith(`scrypt$${COST.N}$${COST.r}$${COST.p}$`)
}

/** A password that a person can type: 100 bits in letters that are not mistaken for one another. */
export function makePassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}

const NOBODY = `scrypt$${COST.N}$${COST.r}$${COST.p}$${Buffer.alloc(SALT_BYTES).toString('base64url')}$${Buffer.alloc(HASH_BYTES).toString('base64url')}`

let atWork = 0
const waiting: (() => void)[] = []

async function derive(
  password: string,
  salt: Buffer,
  cost: { N: number; r: number; p: number },
): Promise<Buffer> {
  if (atWork >= AT_ONCE_MAX) {
    if (waiting.length >= WAITING_MAX) throw new PasswordsBusy()
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else atWork += 1
  try {
    return await scryptOf(password, salt, { ...cost, maxmem: 256 * cost.N * cost.r })
  } finally {
    // The place passes to the next, or is free.
    const next = waiting.shift()
    if (next === undefined) atWork -= 1
    else next()
  }
}

function scryptOf(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash)
      else reject(error)
    })
  })
}
