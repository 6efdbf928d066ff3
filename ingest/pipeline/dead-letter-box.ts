// Where messages go that cannot be stored. Whole up to a size; beyond it the record stays and says so.

import { hash } from 'node:crypto'
import { z } from 'zod'
import type { DeadLetter } from '../records/dead-letter.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { statement, type Columns, type Store } from '../store/store.ts'

export interface DeadLetterBox {
  /**
   * Stores letters before their source is acknowledged.
   * @param token  names these letters; a repeat changes nothing
   * @throws StoreError
   */
  add(letters: readonly DeadLetter[], token: string): Promise<void>
  /** Those that are not kept yet: same origin, same reason, same bytes. For recoveries. @throws StoreError */
  missing(letters: readonly DeadLetter[]): Promise<readonly DeadLetter[]>
}

const keptLetters = statement(
  new URL('./kept-dead-letters.sql', import.meta.url),
  z.object({ origins: z.array(z.string()) }),
  z.object({ origin: z.string(), reason: z.string(), digest: z.string() }),
)

const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
// Base64 in one JSON file: a few letters at a time keep the file small.
const BYTES_PER_INSERT = 32 * 1024 * 1024

const COLUMNS: Columns = {
  at: "DateTime64(3, 'UTC')",
  origin: 'String',
  reason: 'String',
  detail: 'String',
  format: 'String',
  size: 'UInt64',
  payload: { type: 'String', value: 'base64Decode(payload)' },
}

/** @param keepBytes  false keeps only the record of a letter: bytes that cannot be read cannot be masked either */
export function buildDeadLetterBox(
  store: Pick<Store, 'insertRows' | 'ask'>,
  metrics: Metrics,
  logger: Logger,
  clock: Clock,
  keepBytes = true,
): DeadLetterBox {
  const bytesMax = keepBytes ? PAYLOAD_BYTES_MAX : -1
  return {
    async missing(letters) {
      if (letters.length === 0) return letters
      const identity = (origin: string, reason: string, digest: string) =>
        JSON.stringify([origin, reason, digest])
      const rows = await store.ask(
        keptLetters,
        { origins: letters.map(({ origin }) => origin) },
        { lane: 'heavy' },
      )
      const kept = new Set(rows.map(({ origin, reason, digest }) => identity(origin, reason, digest)))
      return letters.filter(
        (letter) => !kept.has(identity(letter.origin, letter.reason, md5(letter.payload, bytesMax))),
      )
    },
    async add(letters, token) {
      let from = 0
      while (from < letters.length) {
        let to = from
        let bytes = 0
        while (
          to < letters.length &&
          (to === from || bytes + (letters[to]?.payload.length ?? 0) < BYTES_PER_INSERT)
        ) {
          bytes += letters[to]?.payload.length ?? 0
          to += 1
        }
        const part = letters.slice(from, to)
        await store.insertRows(
          'dead_letters',
          COLUMNS,
          part.map((letter) => row(letter, clock.now(), bytesMax)),
          `${token}#${from}`,
        )
        from = to
      }
      for (const letter of letters) metrics.deadLetters.inc({ reason: letter.reason })
      const [first] = letters
      if (first !== undefined) {
        logger.warn(
          { count: letters.length, origin: first.origin, reason: first.reason, detail: first.detail },
          'messages were set aside as dead letters',
        )
      }
    },
  }
}

const md5 = (payload: Uint8Array, bytesMax: number) => hash('md5', payload.length <= bytesMax ? payload : '')

function row(letter: DeadLetter, nowMs: number, bytesMax: number): Record<string, unknown> {
  const keep = letter.payload.length <= bytesMax
  return {
    at: new Date(nowMs).toISOString().replace('T', ' ').replace('Z', ''),
    origin: letter.origin,
    reason: letter.reason,
    detail: letter.detail.slice(0, 2000),
    format: letter.format,
    size: letter.payload.length,
    payload: keep ? Buffer.from(letter.payload).toString('base64') : '',
  }
}
