// Puts a batch into the store: all of it, or all but what the engine refuses alone, which becomes dead letters.
// Waits while the store is busy. Knows statements and tokens; knows neither Kafka nor HTTP, nor what the batch holds:
// that is its signal's.

import { setTimeout as sleep } from 'node:timers/promises'
import type { DeadLetter } from '../records/dead-letter.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { NO_TRACES, type OwnTraces } from '../runtime/own-traces.ts'
import { isRemembered, settle } from '../store/batch-rows.ts'
import { StoreError, type Store } from '../store/store.ts'
import { bisect, type Attempt } from './bisect.ts'
import type { DeadLetterBox } from './dead-letter-box.ts'
import { envelope } from './envelope.ts'
import { buildGate, type Gate } from './gate.ts'
import type { Prepared } from './prepared.ts'
import { timesOf, type RowCounts, type Signal } from './signal.ts'

export type BatchIdentity = {
  /** Names exactly this content; the same messages always give the same token. */
  readonly token: string
  /** The door or the lane of several, for metrics: `otlp`, `kafka`. */
  readonly door: string
  /** How long to wait for a busy store; beyond it the batch is given back. Infinity for what can be read again. */
  readonly patienceMs: number
}

/** `given-up`: nothing of the batch is acknowledged, its sender must send it again. */
export type Written =
  | { readonly kind: 'stored'; readonly refused: ReadonlyMap<Prepared, string> }
  | { readonly kind: 'given-up'; readonly error: StoreError }

export interface BatchWriter<Item extends Prepared = Prepared> {
  write(batch: readonly Item[], identity: BatchIdentity): Promise<Written>
  /**
   * Completes a batch that was begun before, under the same identity: what is really in the store is counted and
   * completed, or replaced; the token is not believed (a crash can leave one without its rows). The views' tables
   * are made anew for the time touched.
   */
  finish(batch: readonly Item[], identity: BatchIdentity): Promise<Written>
  /** Inserts nothing, by statements as wide as they can get. @throws StoreError when the store does not take them */
  probe(): Promise<void>
  /** Ends waiting: a batch that the store does not take now is given up. */
  hurry(): void
}

type Parts<Item extends Prepared> = {
  readonly signal: Signal<Item>
  /** Batches of all signals share it: recoveries and backups pass it alone. */
  readonly gate?: Gate
  readonly store: Pick<Store, 'transport' | 'command' | 'rows' | 'place'>
  readonly deadLetters: DeadLetterBox
  readonly metrics: Metrics
  readonly logger: Logger
  readonly clock: Clock
  readonly traces?: OwnTraces
}

const BACK_OFF_MS = [100, 200, 500, 1000, 2000, 5000]
const TOO_BIG_ATTEMPTS = 3

export function buildBatchWriter<Item extends Prepared>(parts: Parts<Item>): BatchWriter<Item> {
  const { signal, store, deadLetters, metrics, logger, clock, gate = buildGate(), traces = NO_TRACES } = parts
  const { transport } = store
  const hurried = new AbortController()
  const underWay = new Map<string, Promise<Written>>()

  async function insertOnce(part: readonly Item[], token: string, batchId: string): Promise<void> {
    const { statements, stored } = signal.plan(part, token, batchId)
    await transport.insert({
      body: envelope(part.map((message) => message.bytes)),
      format: 'ProtobufList',
      statements,
      schema: signal.schema,
    })
    stored()
  }

  async function probe(): Promise<void> {
    await transport.insert({
      body: envelope([]),
      format: 'ProtobufList',
      statements: signal.probe(),
      schema: signal.schema,
    })
  }

  /** An error that we do not know: is it this data, or the store? An empty batch tells. */
  const isStoreItself = () =>
    probe().then(
      () => false,
      () => true,
    )

  /** @param batchId SQL expression; with `isRecovery` tokens are fresh and dead letters that are kept are left out */
  async function writeAll(
    batch: readonly Item[],
    { token, door, patienceMs }: BatchIdentity,
    batchId: string,
    isRecovery: boolean,
  ): Promise<Written> {
    const startedAt = clock.now()
    const stopTimer = metrics.inserts.startTimer({ door })
    const items = batch.filter((message) => message.rows > 0)
    let failures = 0

    /** Waits before the next attempt. @throws StoreError when patience is over */
    async function wait(error: StoreError): Promise<void> {
      failures += 1
      metrics.insertRetries.inc()
      // A clock that was set back must not make it wait for hours.
      if (Math.abs(clock.now() - startedAt) > patienceMs || hurried.signal.aborted) throw error
      if (failures === 1 || failures % 12 === 0) {
        logger.warn(
          { door, code: error.code, engineCode: error.engineCode, failures, reason: firstLine(error) },
          'the store does not take a batch; waiting, nothing is lost',
        )
      }
      const delayMs = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length) - 1] ?? 5000
      await sleep(delayMs, undefined, { signal: hurried.signal }).catch(() => undefined)
    }

    async function attempt(part: readonly Item[]): Promise<Attempt> {
      const partToken =
        part.length === items.length ? token : `${token}#${items.indexOf(part[0] as Item)}+${part.length}`
      for (let tries = 1; ; tries += 1) {
        try {
          await insertOnce(part, partToken, batchId)
          return { kind: 'stored' }
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          if (error.code === 'SURETY_STORE_REFUSED') return { kind: 'refused', detail: firstLine(error) }
          if (error.code === 'SURETY_STORE_TOO_BIG' && (part.length > 1 || tries >= TOO_BIG_ATTEMPTS)) {
            return { kind: 'refused', detail: `too big: ${firstLine(error)}` }
          }
          if (error.code === 'SURETY_STORE_QUERY' && !(await isStoreItself())) {
            return { kind: 'refused', detail: firstLine(error) }
          }
          await wait(error)
        }
      }
    }

    try {
      const refused = await bisect(items, attempt)
      if (failures > 0) logger.info({ door, failures }, 'the store takes batches again')
      const letters = [
        ...batch.flatMap((message) => message.deadLetters),
        ...refused.flatMap(({ item, detail }) =>
          item.isReplay === true ? [] : refusedLetter(item, signal.format, detail),
        ),
      ]
      for (;;) {
        try {
          await deadLetters.add(isRecovery ? await deadLetters.missing(letters) : letters, `${token}/dead`)
          break
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          await wait(error)
        }
      }
      const lost = new Set(refused.map(({ item }) => item))
      const stored = signal.wanted(items.filter((item) => !lost.has(item)))
      for (const [table, rows] of Object.entries(stored)) metrics.rows.inc({ table, door }, rows)
      await signal.tally?.(store, items, door, batchId)
      metrics.plainLogRecords.inc(
        { door },
        batch.reduce((sum, message) => sum + message.plainRecords, 0),
      )
      metrics.expiredSpans.inc(
        { door },
        batch.reduce((sum, message) => sum + message.expiredRows, 0),
      )
      metrics.aheadRows.inc(
        { door, signal: signal.name },
        items.reduce((sum, item) => sum + (lost.has(item) ? 0 : item.aheadRows), 0),
      )
      return { kind: 'stored', refused: new Map(refused.map(({ item, detail }) => [item, detail])) }
    } catch (error) {
      if (error instanceof StoreError) return { kind: 'given-up', error }
      logger.error({ err: error, door }, 'a batch could not be written')
      throw error
    } finally {
      stopTimer()
    }
  }

  /** Whether the batch's own token still keeps what is stored from being stored again. */
  const isKnown = (items: readonly Item[], batchId: string) =>
    isRemembered(store, batchId, timesOf(items).toMs, clock.now())

  /** The batch as the store has it, made whole. @throws StoreError */
  async function complete(batch: readonly Item[], identity: BatchIdentity): Promise<Written> {
    const batchId = batchIdOf(identity.token)
    const items = batch.filter((message) => message.rows > 0)
    const wanted = signal.wanted(items)
    const tables = Object.keys(wanted)
    const waiting = {
      signal: hurried.signal,
      onWait: (deletions: number) =>
        logger.info(
          { door: identity.door, deletions },
          'waiting for deletions that an earlier recovery began',
        ),
    }
    await settle(store, tables, waiting)
    let found = items.length === 0 ? wanted : await signal.found(store, batchId, items)
    logger.info(
      { door: identity.door, token: identity.token, wanted, found },
      'completing a batch that was begun before',
    )
    let written: Written | undefined
    let due = wanted
    const { kind } = store.place
    if (kind !== 'embedded' && items.length > 0 && (total(found) === 0 || (await isKnown(items, batchId)))) {
      // A server goes on when its client dies: the insert may be under way still. Its own token completes what is missing,
      // in the views' tables too, and changes nothing where nothing is.
      written = await writeAll(batch, identity, batchId, true)
      if (written.kind !== 'stored') return written
      const { refused } = written
      due = signal.wanted(items.filter((item) => !refused.has(item)))
      await settle(store, tables, waiting)
      found = await signal.found(store, batchId, items)
    }
    const isWhole = signal.keepsWhole && isSame(due, found)
    const isPartly = !isWhole && total(found) > 0
    if (isPartly) await signal.remove(store, batchId, items)
    if (written === undefined || !isWhole) {
      const fresh = { ...identity, token: `${identity.token}@${crypto.randomUUID()}` }
      const rest = isWhole ? batch.map((message) => ({ ...message, rows: 0 })) : batch
      written = await writeAll(rest, fresh, batchId, true)
    }
    if (written.kind !== 'stored' || items.length === 0) return written
    if (kind !== 'cluster') await signal.rederive(store, batchId, items)
    else if (isPartly && signal.keepsWhole) {
      // Others write meanwhile, so what the views made of the part that was there cannot be made anew.
      logger.warn(
        { token: identity.token, found, wanted, ...timesOf(items) },
        'a batch of which a part was stored too long ago was stored again; counts of its minutes may be too high',
      )
    }
    return written
  }

  const factsOf = (batch: readonly Item[], { door, token }: BatchIdentity) => ({
    'surety.signal': signal.name,
    'surety.door': door,
    'surety.batch': token,
    'surety.messages': batch.length,
    'surety.rows': batch.reduce((sum, { rows }) => sum + rows, 0),
  })

  return {
    probe,
    hurry: () => hurried.abort(),
    write(batch, identity) {
      const work = traces.batch(`write ${signal.name}`, factsOf(batch, identity), batch, () =>
        gate.shared(() => writeAll(batch, identity, batchIdOf(identity.token), false)),
      )
      underWay.set(identity.token, work)
      return work.finally(() => underWay.delete(identity.token))
    },
    async finish(batch, identity) {
      // A partition may come back to this process while its earlier owner here still writes.
      await underWay.get(identity.token)?.catch(() => undefined)
      for (let failures = 0; ; failures += 1) {
        try {
          return await traces.batch(`recover ${signal.name}`, factsOf(batch, identity), batch, () =>
            gate.alone(() => complete(batch, identity)),
          )
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          if (hurried.signal.aborted) return { kind: 'given-up', error }
          logger.warn(
            { door: identity.door, code: error.code, reason: firstLine(error) },
            'a batch cannot be completed yet; waiting',
          )
          await sleep(BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)], undefined, {
            signal: hurried.signal,
          }).catch(() => undefined)
        }
      }
    },
  }
}

/** The batch id of a token, as an SQL expression. */
function batchIdOf(token: string): string {
  return `sipHash64('${token.replaceAll(/[^\w/.#:-]/g, '_')}')`
}

const total = (counts: RowCounts) => Object.values(counts).reduce((sum, rows) => sum + rows, 0)

function isSame(wanted: RowCounts, found: RowCounts): boolean {
  return Object.entries(wanted).every(([table, rows]) => found[table] === rows)
}

function refusedLetter(item: Prepared, format: string, detail: string): DeadLetter {
  const reason = detail.startsWith('too big') ? 'too-big' : 'engine-refused'
  return { reason, detail, origin: item.origin, format, payload: item.bytes }
}

function firstLine(error: Error): string {
  return (error.message.split('\n')[0] ?? '').slice(0, 500)
}
