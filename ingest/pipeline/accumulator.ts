// Collects prepared messages of one origin into batches and hands them to the writer, one batch at a time.
// All origins share one bound on memory; at it the doors say 503 and Kafka partitions pause.
//
// States of a lane: empty → collecting → writing (and collecting the next) → empty.
// A batch is due at enough rows or bytes, at the linger after its first message, or at a flush.

import type { Clock } from '../runtime/clock.ts'
import type { Gauge } from 'prom-client'

/** What a batch came to for one item. */
export type Settled =
  | { readonly kind: 'stored'; readonly refusal?: string }
  | { readonly kind: 'given-up'; readonly error: Error }

export type BatchBounds = {
  /** A batch is due at this many rows. */
  readonly rowsDue: number
  /** A batch never holds more rows, save for one message that alone does. */
  readonly rowsMax: number
  readonly bytesMax: number
}

/** Measured: 25k spans cost 1.3 times as much CPU a span as 50k and more; above that the curve is flat. */
export const BATCH_BOUNDS: BatchBounds = { rowsDue: 60_000, rowsMax: 100_000, bytesMax: 32 * 1024 * 1024 }

/** Bytes accepted and not yet stored, over all lanes. */
export interface MemoryBudget {
  readonly bytesMax: number
  used(): number
  take(bytes: number): void
  give(bytes: number): void
}

export function buildMemoryBudget(bytesMax: number, gauge: Pick<Gauge, 'set'>): MemoryBudget {
  let used = 0
  const change = (bytes: number) => {
    used += bytes
    gauge.set(used)
  }
  return { bytesMax, used: () => used, take: (bytes) => change(bytes), give: (bytes) => change(-bytes) }
}

export interface Accumulator<Item> {
  /** Takes an item; the promise settles when its batch has. Whether there is room is the caller's question. */
  add(item: Item): Promise<Settled>
  /** The items up to here make one batch now, whatever their number. */
  flush(): Promise<void>
  /** Gives up what waits and resolves when the batch under way has ended; nothing may be added afterwards. */
  discard(): Promise<void>
}

type Sized = { readonly bytes: Uint8Array; readonly rows: number }

/**
 * @param write     writes one batch; never throws
 * @param lingerMs  longest time the first item of a batch waits for company
 */
export function buildAccumulator<Item extends Sized>(
  write: (batch: readonly Item[]) => Promise<readonly Settled[]>,
  budget: MemoryBudget,
  clock: Clock,
  lingerMs: number,
  bounds: BatchBounds = BATCH_BOUNDS,
): Accumulator<Item> {
  type Waiting = {
    readonly item: Item
    readonly addedAt: number
    readonly settle: (settled: Settled) => void
  }
  let waiting: Waiting[] = []
  let rows = 0
  let bytes = 0
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  function isDue(): boolean {
    const [first] = waiting
    if (first === undefined) return false
    // A clock that was set back says nothing about how long they have waited.
    const waitedMs = clock.now() - first.addedAt
    return rows >= bounds.rowsDue || bytes >= bounds.bytesMax || waitedMs >= lingerMs || waitedMs < 0
  }

  function takeBatch(): Waiting[] {
    let count = 0
    let batchRows = 0
    let batchBytes = 0
    for (const { item } of waiting) {
      const over = batchRows + item.rows > bounds.rowsMax || batchBytes + item.bytes.length > bounds.bytesMax
      if (count > 0 && over) break
      count += 1
      batchRows += item.rows
      batchBytes += item.bytes.length
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    rows -= batchRows
    bytes -= batchBytes
    return batch
  }

  async function writeBatch(): Promise<void> {
    const batch = takeBatch()
    const size = batch.reduce((sum, { item }) => sum + item.bytes.length, 0)
    try {
      const settled = await write(batch.map(({ item }) => item))
      batch.forEach(({ settle }, index) => {
        settle(
          settled[index] ?? { kind: 'given-up', error: new Error('the writer gave no answer for this item') },
        )
      })
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      for (const { settle } of batch) settle({ kind: 'given-up', error: failure })
    } finally {
      budget.give(size)
    }
  }

  function schedule(): void {
    if (writing !== undefined) return
    if (isDue()) {
      clearTimeout(timer)
      timer = undefined
      writing = writeBatch().finally(() => {
        writing = undefined
        schedule()
      })
      return
    }
    const [first] = waiting
    if (first !== undefined && timer === undefined) {
      timer = setTimeout(
        () => {
          timer = undefined
          schedule()
        },
        Math.min(lingerMs, Math.max(1, first.addedAt + lingerMs - clock.now())),
      )
    }
  }

  return {
    add(item) {
      budget.take(item.bytes.length)
      return new Promise((settle) => {
        waiting.push({ item, addedAt: clock.now(), settle })
        rows += item.rows
        bytes += item.bytes.length
        schedule()
      })
    },
    async flush() {
      while (waiting.length > 0 || writing !== undefined) {
        await writing
        if (waiting.length > 0 && writing === undefined) {
          clearTimeout(timer)
          timer = undefined
          writing = writeBatch().finally(() => {
            writing = undefined
          })
        }
      }
    },
    async discard() {
      clearTimeout(timer)
      const dropped = waiting
      waiting = []
      rows = 0
      budget.give(bytes)
      bytes = 0
      for (const { settle } of dropped) settle({ kind: 'given-up', error: new Error('the lane was closed') })
      await writing
    },
  }
}
