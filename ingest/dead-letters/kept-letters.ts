// Dead letters as they are read back, and the record of their replays. How they are replayed is replay.ts.

import { z } from 'zod'
import type { Clock } from '../runtime/clock.ts'
import { statement, type Columns, type Store } from '../store/store.ts'

/** `begun` stays when the process ended before the answer: whether the spans are stored is then not known. */
export type ReplayResult = 'begun' | 'stored' | 'partial' | 'failed'

export type Replay = { readonly at: string; readonly result: string; readonly detail: string }

export type KeptLetter = {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly at: string
  readonly origin: string
  readonly reason: string
  readonly detail: string
  readonly format: string
  readonly bytes: number
  /** Whether the bytes are there. */
  readonly isKept: boolean
  /** The newest attempt; null when there was none. */
  readonly replay: Replay | null
}

export type LetterFilter = { readonly limit: number; readonly reason: string; readonly sinceMs: number }

export interface KeptLetters {
  /** Newest first. @throws StoreError */
  list(filter: LetterFilter): Promise<KeptLetter[]>
  /** @returns the letter and its bytes; undefined when there is none of that name @throws StoreError */
  find(id: string): Promise<{ readonly letter: KeptLetter; readonly payload: Buffer } | undefined>
  /** @throws StoreError */
  record(id: string, result: ReplayResult, detail: string): Promise<void>
}

const count = z.coerce.number()
const list = statement(
  new URL('./list.sql', import.meta.url),
  z.object({ reason: z.string(), since: z.number(), limit: z.number() }),
  z.object({
    letter_id: z.string(),
    happened: count,
    origin: z.string(),
    reason: z.string(),
    detail: z.string(),
    format: z.string(),
    size: count,
    is_kept: count,
    replayed: count,
    replay_result: z.string(),
    replay_detail: z.string(),
  }),
)
const letter = statement(
  new URL('./letter.sql', import.meta.url),
  z.object({ id: z.string() }),
  z.object({
    happened: count,
    origin: z.string(),
    reason: z.string(),
    detail: z.string(),
    format: z.string(),
    size: count,
    is_kept: count,
    payload: z.string(),
  }),
)
const newestReplay = statement(
  new URL('./newest-replay.sql', import.meta.url),
  z.object({ id: z.string() }),
  z.object({ replayed: count, result: z.string(), detail: z.string() }),
)

const REPLAY_COLUMNS: Columns = {
  id: 'UInt64',
  at: "DateTime64(3, 'UTC')",
  result: 'String',
  detail: 'String',
}

const iso = (ms: number) => new Date(ms).toISOString()
const hex = (id: string) => BigInt(id).toString(16).padStart(16, '0')
const decimal = (id: string) => BigInt(`0x${id}`).toString()

export function buildKeptLetters(store: Pick<Store, 'ask' | 'insertRows'>, clock: Clock): KeptLetters {
  return {
    async list({ limit, reason, sinceMs }) {
      const rows = await store.ask(list, { limit, reason, since: sinceMs }, { lane: 'heavy' })
      return rows.map((row) => ({
        id: hex(row.letter_id),
        at: iso(row.happened),
        origin: row.origin,
        reason: row.reason,
        detail: row.detail,
        format: row.format,
        bytes: row.size,
        isKept: row.is_kept === 1,
        replay:
          row.replayed === 0
            ? null
            : { at: iso(row.replayed), result: row.replay_result, detail: row.replay_detail },
      }))
    },
    async find(id) {
      const [row] = await store.ask(letter, { id: decimal(id) }, { lane: 'heavy' })
      if (row === undefined) return undefined
      const [replay] = await store.ask(newestReplay, { id: decimal(id) })
      return {
        letter: {
          id,
          at: iso(row.happened),
          origin: row.origin,
          reason: row.reason,
          detail: row.detail,
          format: row.format,
          bytes: row.size,
          isKept: row.is_kept === 1,
          replay:
            replay === undefined
              ? null
              : { at: iso(replay.replayed), result: replay.result, detail: replay.detail },
        },
        payload: Buffer.from(row.payload, 'base64'),
      }
    },
    async record(id, result, detail) {
      const at = iso(clock.now()).replace('T', ' ').replace('Z', '')
      const row = { id: decimal(id), at, result, detail: detail.slice(0, 2000) }
      await store.insertRows('dead_letter_replays', REPLAY_COLUMNS, [row], `replay/${crypto.randomUUID()}`)
    },
  }
}
