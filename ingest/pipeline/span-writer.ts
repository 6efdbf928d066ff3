// Puts a batch into the store: all of it, or all but what the engine refuses alone, which becomes dead letters.
// Waits while the store is busy. Knows statements and tokens; knows neither Kafka nor HTTP.

import { setTimeout as sleep } from 'node:timers/promises'
import type { DeadLetter } from '../records/dead-letter.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import {
  ANY_SHAPE,
  INHERITED_KEYS,
  insertResources,
  insertSpans,
  TRACES_SCHEMA,
  type ReturnCodeRule,
} from '../store/insert-spans.ts'
import { countBatch, deleteBatch, isRemembered, rederive, settle } from '../store/batch-rows.ts'
import { isMasking, type Masking } from '../store/masking.ts'
import { StoreError, type Store } from '../store/store.ts'
import { bisect, type Attempt } from './bisect.ts'
import type { DeadLetterBox } from './dead-letter-box.ts'
import { envelope } from './envelope.ts'
import { buildGate } from './gate.ts'
import { mayHold } from './key-signature.ts'
import { TRACES_FORMAT, type Prepared } from './prepare.ts'

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

export interface SpanWriter {
  write(batch: readonly Prepared[], identity: BatchIdentity): Promise<Written>
  /**
   * Completes a batch that was begun before, under the same identity: what is really in the store is counted and
   * completed, or replaced; the token is not believed (a crash can leave one without its rows). The views' tables
   * are made anew for the time touched.
   */
  finish(batch: readonly Prepared[], identity: BatchIdentity): Promise<Written>
  /** Runs work that reads the tables while no recovery rewrites them. */
  beside<T>(work: () => Promise<T>): Promise<T>
  /** Runs work while no batch is being written; batches that come meanwhile wait. */
  still<T>(work: () => Promise<T>): Promise<T>
  /** Ends waiting: a batch that the store does not take now is given up. */
  hurry(): void
}

type Parts = {
  readonly store: Pick<Store, 'transport' | 'command' | 'rows' | 'place'>
  readonly deadLetters: DeadLetterBox
  readonly rules: readonly ReturnCodeRule[]
  /** Nothing is masked without it. */
  readonly masking?: Masking
  /** Attribute keys that spans can be found by; none when not given. */
  readonly searchKeys?: readonly string[]
  readonly metrics: Metrics
  readonly logger: Logger
  readonly clock: Clock
}

const RESOURCES_REMEMBERED_MAX = 20_000
const RESOURCE_KEY_LENGTH_MAX = 4096
const RESOURCE_REPEAT_MS = 86_400_000
const BACK_OFF_MS = [100, 200, 500, 1000, 2000, 5000]
const TOO_BIG_ATTEMPTS = 3

export function buildSpanWriter(parts: Parts): SpanWriter {
  const { store, deadLetters, rules, masking, searchKeys = [], metrics, logger, clock } = parts
  const resourcesSeen = new Map<string, number>()
  const { transport } = store
  const hurried = new AbortController()
  const gate = buildGate()
  const underWay = new Map<string, Promise<Written>>()

  async function insertOnce(part: readonly Prepared[], token: string, batchId: string): Promise<void> {
    const unseen = unseenResources(part)
    const marks = part.map((message) => message.keys)
    const shape = {
      hasLists: part.some((message) => message.hasLists),
      inherits: part.some(({ resources }) => resources.some(mayBeInherited)),
      hasNumbers: part.some((message) => message.hasNumbers),
      hasResourceNumbers: part.some(({ resources }) => resources.some(mayHoldNumbers)),
      mayHold: (key: string) => mayHold(marks, key),
      searchKeys,
    }
    const spans = {
      sql: (source: (structure: string) => string) => insertSpans(source, batchId, rules, shape, masking),
      token,
    }
    const resources = {
      sql: (source: (structure: string) => string) =>
        insertResources(source, masking, shape.hasResourceNumbers),
      token: `${token}/resources`,
    }
    await transport.insert({
      body: envelope(part.map((message) => message.bytes)),
      format: 'ProtobufList',
      statements: unseen.length === 0 ? [spans] : [resources, spans],
      schema: TRACES_SCHEMA,
    })
    remember(unseen)
  }

  function unseenResources(part: readonly Prepared[]): string[] {
    const staleBefore = clock.now() - RESOURCE_REPEAT_MS
    const unseen = new Set<string>()
    for (const message of part) {
      for (const key of message.resources) if ((resourcesSeen.get(key) ?? 0) < staleBefore) unseen.add(key)
    }
    return [...unseen]
  }

  const suspects = new Map<string, boolean>()

  /** Whether a resource may hold what is to be masked; known ones are not looked through again. */
  function mayHoldNumbers(resource: string): boolean {
    const known = suspects.get(resource)
    if (known !== undefined) return known
    const isSuspect =
      holdsNumbers(resource) ||
      (masking?.patterns.length ?? 0) > 0 ||
      (masking?.keys.some((key) => resource.includes(key)) ?? false)
    if (suspects.size >= RESOURCES_REMEMBERED_MAX) suspects.clear()
    if (resource.length <= RESOURCE_KEY_LENGTH_MAX) suspects.set(resource, isSuspect)
    return isSuspect
  }

  function remember(keys: readonly string[]): void {
    for (const key of keys) {
      if (key.length > RESOURCE_KEY_LENGTH_MAX) continue
      resourcesSeen.delete(key)
      resourcesSeen.set(key, clock.now())
    }
    for (const key of resourcesSeen.keys()) {
      if (resourcesSeen.size <= RESOURCES_REMEMBERED_MAX) break
      resourcesSeen.delete(key)
    }
  }

  /** What the engine masked of a batch; a store that is busy just then leaves the count short, never the masking. */
  async function countMasked(batch: readonly Prepared[], door: string, batchId: string): Promise<void> {
    if (masking === undefined) return
    const marks = batch.map(({ keys }) => keys)
    const mayBe =
      batch.some(({ hasNumbers }) => hasNumbers) ||
      masking.patterns.length > 0 ||
      masking.keys.some((key) => mayHold(marks, key))
    if (!mayBe || !isMasking(masking)) return
    try {
      const [row] = await store.rows(
        `SELECT sum(masked) AS masked FROM batches WHERE at > now() - INTERVAL 1 HOUR AND batch = ${batchId}`,
      )
      metrics.maskedValues.inc({ door }, Number(row?.['masked'] ?? 0))
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  /** An error that we do not know: is it this data, or the store? An empty batch tells. */
  async function isStoreItself(): Promise<boolean> {
    try {
      const sql = (source: (structure: string) => string) =>
        insertSpans(source, '0', rules, { ...ANY_SHAPE, searchKeys }, masking)
      const statements = [{ sql, token: 'canary' }]
      await transport.insert({
        body: envelope([]),
        format: 'ProtobufList',
        statements,
        schema: TRACES_SCHEMA,
      })
      return false
    } catch {
      return true
    }
  }

  /** @param batchId SQL expression; with `isRecovery` tokens are fresh and dead letters that are kept are left out */
  async function writeAll(
    batch: readonly Prepared[],
    { token, door, patienceMs }: BatchIdentity,
    batchId: string,
    isRecovery: boolean,
  ): Promise<Written> {
    const startedAt = clock.now()
    const stopTimer = metrics.inserts.startTimer({ door })
    const items = batch.filter((message) => message.spans > 0)
    let failures = 0

    /** Waits before the next attempt. @throws StoreError when patience is over */
    async function wait(error: StoreError): Promise<void> {
      failures += 1
      metrics.insertRetries.inc()
      if (clock.now() - startedAt > patienceMs || hurried.signal.aborted) throw error
      if (failures === 1 || failures % 12 === 0) {
        logger.warn(
          { door, code: error.code, engineCode: error.engineCode, failures, reason: firstLine(error) },
          'the store does not take a batch; waiting, nothing is lost',
        )
      }
      const delayMs = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length) - 1] ?? 5000
      await sleep(delayMs, undefined, { signal: hurried.signal }).catch(() => undefined)
    }

    async function attempt(part: readonly Prepared[]): Promise<Attempt> {
      const partToken =
        part.length === items.length ? token : `${token}#${items.indexOf(part[0] as Prepared)}+${part.length}`
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
        ...refused.flatMap(({ item, detail }) => (item.isReplay === true ? [] : refusedLetter(item, detail))),
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
      const stored = items.reduce((sum, item) => sum + (lost.has(item) ? 0 : item.spans), 0)
      metrics.rows.inc({ table: 'spans', door }, stored)
      await countMasked(items, door, batchId)
      metrics.expiredSpans.inc(
        { door },
        batch.reduce((sum, message) => sum + message.expiredSpans, 0),
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

  /** The batch as the store has it, made whole. @throws StoreError */
  async function complete(batch: readonly Prepared[], identity: BatchIdentity): Promise<Written> {
    const batchId = batchIdOf(identity.token)
    const items = batch.filter((message) => message.spans > 0)
    const range = {
      fromMs: Math.min(...items.map(({ earliestMs }) => earliestMs)),
      toMs: Math.max(...items.map(({ latestMs }) => latestMs)),
    }
    const wanted = items.reduce((sum, { spans }) => sum + spans, 0)
    await settle(store)
    let found = items.length === 0 ? 0 : await countBatch(store, batchId, range)
    logger.info(
      { door: identity.door, token: identity.token, wanted, found },
      'completing a batch that was begun before',
    )
    let written: Written | undefined
    let refused = 0
    const { kind } = store.place
    if (
      kind !== 'embedded' &&
      items.length > 0 &&
      (found === 0 || (await isRemembered(store, batchId, range)))
    ) {
      // A server goes on when its client dies: the insert may be under way still. Its own token completes what is missing,
      // in the views' tables too, and changes nothing where nothing is.
      written = await writeAll(batch, identity, batchId, true)
      if (written.kind !== 'stored') return written
      refused = [...written.refused.keys()].reduce((sum, { spans }) => sum + spans, 0)
      await settle(store)
      found = await countBatch(store, batchId, range)
    }
    const isWhole = found === wanted - refused
    if (!isWhole && found > 0) await deleteBatch(store, batchId, range)
    if (written === undefined || !isWhole) {
      const fresh = { ...identity, token: `${identity.token}@${crypto.randomUUID()}` }
      const rest = isWhole ? batch.map((message) => ({ ...message, spans: 0 })) : batch
      written = await writeAll(rest, fresh, batchId, true)
    }
    if (written.kind !== 'stored' || items.length === 0) return written
    if (kind !== 'cluster') await rederive(store, batchId, range)
    else if (!isWhole && found > 0) {
      // Others write meanwhile, so what the views made of the part that was there cannot be made anew.
      logger.warn(
        { token: identity.token, found, wanted, ...range },
        'a batch of which a part was stored too long ago was stored again; counts of its minutes may be too high',
      )
    }
    return written
  }

  return {
    still: (work) => gate.alone(work),
    hurry: () => hurried.abort(),
    beside: (work) => gate.shared(work),
    write(batch, identity) {
      const work = gate.shared(() => writeAll(batch, identity, batchIdOf(identity.token), false))
      underWay.set(identity.token, work)
      return work.finally(() => underWay.delete(identity.token))
    },
    async finish(batch, identity) {
      // A partition may come back to this process while its earlier owner here still writes.
      await underWay.get(identity.token)?.catch(() => undefined)
      for (let failures = 0; ; failures += 1) {
        try {
          return await gate.alone(() => complete(batch, identity))
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

// In the bytes as latin1: a run of digits, an integer (tag 24) of five bytes and more, a double (tag 33, «!»).
const NUMBER_BYTES = new RegExp(`[0-9][0-9 -]{9}[0-9]|${String.fromCharCode(24)}[\\x80-\\xff]{4}|!`)
const holdsNumbers = (resource: string) => NUMBER_BYTES.test(resource)

const mayBeInherited = (resource: string) => INHERITED_KEYS.some((key) => resource.includes(key))

function refusedLetter(item: Prepared, detail: string): DeadLetter {
  const reason = detail.startsWith('too big') ? 'too-big' : 'engine-refused'
  return { reason, detail, origin: item.origin, format: TRACES_FORMAT, payload: item.bytes }
}

function firstLine(error: Error): string {
  return (error.message.split('\n')[0] ?? '').slice(0, 500)
}
