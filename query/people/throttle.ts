// How guessing passwords slows down: attempts are counted before they are judged, by user and address together, by address and by
// user, so that many at once gain nothing and one who guesses locks nobody else out for long.

import type { Database } from '../registry/database.ts'

type Subject = { readonly subject: string; readonly free: number }

const BOTH_FREE = 5
const ADDRESS_FREE = 30
const USER_FREE = 100
const FIRST_MS = 1000
const SLOWEST_MS = 15 * 60_000
const FORGET_MS = 86_400_000
const NAME_MAX = 64

export interface Throttle {
  /** Counts an attempt. @returns ms to wait before the next one; 0: this one may go on */
  begin(user: string, address: string): Promise<number>
  /** The attempt was right: its user and address begin anew. */
  succeeded(user: string, address: string): Promise<void>
}

export function buildThrottle(database: Database, now: () => Date): Throttle {
  return {
    begin: (user, address) =>
      database.transaction(async (queries) => {
        const subjects = subjectsOf(user, address)
        const at = now()
        const names = subjects.map(({ subject }) => subject)
        await queries.rows('DELETE FROM sign_in_failures WHERE last_at < $1', [
          new Date(at.getTime() - FORGET_MS),
        ])
        // In order of their names, so that two who wait for each other's rows never wait for ever.
        await queries.rows(
          `INSERT INTO sign_in_failures (subject, failures, last_at) SELECT subject, 0, $2 FROM unnest($1::text[]) AS given (subject)
          ORDER BY subject ON CONFLICT DO NOTHING`,
          [names, at],
        )
        const rows = await queries.rows(
          'SELECT subject, failures, last_at FROM sign_in_failures WHERE subject = ANY ($1) ORDER BY subject FOR UPDATE',
          [names],
        )
        const waits = rows.map((row) => {
          const beyond =
            Number(row['failures']) - (subjects.find(({ subject }) => subject === row['subject'])?.free ?? 0)
          if (beyond < 0) return 0
          const lasts = Math.min(SLOWEST_MS, FIRST_MS * 2 ** Math.min(beyond, 30))
          return (row['last_at'] as Date).getTime() + lasts - at.getTime()
        })
        const waitMs = Math.max(0, ...waits)
        if (waitMs === 0)
          await queries.rows(
            'UPDATE sign_in_failures SET failures = failures + 1, last_at = $2 WHERE subject = ANY ($1)',
            [names, at],
          )
        return waitMs
      }),

    async succeeded(user, address) {
      const [both, from, of] = subjectsOf(user, address).map(({ subject }) => subject)
      await database.rows('DELETE FROM sign_in_failures WHERE subject = ANY ($1)', [[both ?? '', of ?? '']])
      await database.rows(
        'UPDATE sign_in_failures SET failures = greatest(failures - 1, 0) WHERE subject = $1',
        [from ?? ''],
      )
    },
  }
}

function subjectsOf(user: string, address: string): readonly [Subject, Subject, Subject] {
  const name = user.slice(0, NAME_MAX).replaceAll('\u0000', '')
  const from = networkOf(address)
  return [
    { subject: `both ${name} ${from}`, free: BOTH_FREE },
    { subject: `from ${from}`, free: ADDRESS_FREE },
    { subject: `user ${name}`, free: USER_FREE },
  ]
}

/** Who has an IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  const text = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (!text.includes(':')) return text
  const [head = '', tail] = text.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const filled =
    tail === undefined
      ? before
      : [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return `${filled.slice(0, 4).join(':')}::/64`
}
