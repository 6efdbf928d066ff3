// Sends a dead letter the way of every other message: walk, batch, journal, insert. What it came to is recorded beside
// the letter, which stays. Knows no HTTP.
//
// States of a replay: begun (recorded before the first row) → stored | partial | failed.

import { createHash } from 'node:crypto'
import type { Accumulator } from '../pipeline/accumulator.ts'
import type { JournalItem } from '../pipeline/journal.ts'
import type { Prepared } from '../pipeline/prepared.ts'
import {
  jsonFormat,
  prepareEither,
  protoFormat,
  SIGNAL_NAMES,
  type SignalName,
  type SignalPath,
} from '../pipeline/signal.ts'
import type { KeptLetters, ReplayResult } from './kept-letters.ts'

/** `known`: it was stored before and is not stored twice unless asked for. `absent`: there is no such letter. */
export type Replayed = {
  readonly result: Exclude<ReplayResult, 'begun'> | 'known' | 'absent'
  /** Spans, data points. */
  readonly rows: number
  readonly detail: string
}

export type ReplayParts = {
  readonly letters: KeptLetters
  readonly paths: Readonly<Record<SignalName, Pick<SignalPath, 'name' | 'prepare' | 'fromJson' | 'words'>>>
  readonly lanes: Readonly<Record<SignalName, Accumulator<Prepared & JournalItem>>>
}

/** @returns a function that replays the letter of a name, also when it was stored before if `again` */
export function buildReplay({ letters, paths, lanes }: ReplayParts) {
  const underWay = new Map<string, Promise<Replayed>>()

  async function replay(id: string, again: boolean): Promise<Replayed> {
    const found = await letters.find(id)
    if (found === undefined) return { result: 'absent', rows: 0, detail: `There is no dead letter ${id}` }
    const { letter, payload } = found
    if (letter.replay !== null && letter.replay.result !== 'failed' && !again) {
      const detail = `It was replayed at ${letter.replay.at} (${letter.replay.result}); ask for it again to store it again`
      return { result: 'known', rows: 0, detail }
    }
    if (!letter.isKept) {
      return failed('Its bytes are not kept (over 16 MiB, or SURETY_DEAD_LETTERS_KEEP_BYTES=0)')
    }
    const name = SIGNAL_NAMES.find(
      (one) => letter.format === protoFormat(one) || letter.format === jsonFormat(one),
    )
    if (name === undefined) return failed(`There is no way to replay «${letter.format}»`)
    const prepared = prepareEither(paths[name], payload, `replay ${id}`)
    const { rows, rejectedRows, rejection } = prepared
    if (rows === 0) return failed(rejection === '' ? `It holds no ${paths[name].words.rows}` : rejection)
    await letters.record(id, 'begun', '')
    // The letter is kept already, whatever becomes of this attempt.
    const digest = createHash('sha256').update(`replay ${id} ${crypto.randomUUID()}`).digest('hex')
    const item = { ...prepared, deadLetters: [], isReplay: true, digest, body: payload }
    const settled = await lanes[name].add(item)
    if (settled.kind === 'given-up') {
      return failed('Surety is stopping; what was begun is completed at the next start')
    }
    if (settled.refusal !== undefined) return failed(`The store cannot read it: ${settled.refusal}`)
    if (rejectedRows > 0) return { result: 'partial', rows, detail: rejection }
    return { result: 'stored', rows, detail: '' }
  }

  async function recorded(id: string, again: boolean): Promise<Replayed> {
    const replayed = await replay(id, again)
    const { result, detail } = replayed
    if (result !== 'known' && result !== 'absent') await letters.record(id, result, detail)
    return replayed
  }

  return (id: string, again = false): Promise<Replayed> => {
    const running = underWay.get(id)
    if (running !== undefined) return running
    const mine = recorded(id, again).finally(() => underWay.delete(id))
    underWay.set(id, mine)
    return mine
  }
}

const failed = (detail: string): Replayed => ({ result: 'failed', rows: 0, detail })
