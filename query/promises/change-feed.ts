// What changes about SLOs, told to whoever listens: one poller of a process, which rests while nobody does. Transitions come in the
// order and once, as the registry keeps them; of statuses the newest.
//
// A listener is joining (what it missed is told) → live, until it leaves.

import { z } from 'zod'
import type { Logger } from '../../ingest/runtime/logger.ts'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { Queries } from '../registry/database.ts'
import type { Board, Standing } from './board.ts'
import type { Slo } from './slos.ts'
import { newestTransition, transitionsAfter, type KeptTransition } from './transitions.ts'

export interface Listener {
  /** The last transition that it knows; undefined: it begins now. */
  readonly afterId: number | undefined
  mayRead(system: string | undefined): boolean
  /** From here on everything is told. @param id  of the newest transition */
  joined(id: number): void
  status(standing: Standing): void
  /** @param slo  as it is now; undefined when it is gone */
  transition(kept: KeptTransition, slo: Slo | undefined): void
  /** More was missed than is told afterwards. @param id  of the newest transition */
  reset(id: number): void
}

export interface ChangeFeed {
  /** @returns how to leave */
  listen(listener: Listener): () => void
  stop(): Promise<void>
}

/** Transitions that are told at once. */
export const TRANSITIONS_MAX = 1000
const POLL_MS = 1000
/** What another process wrote may be seen so late. */
const OVERLAP_MS = 10_000
/** From so many names on all statuses are read. */
const NAMES_MAX = 500

const changes = statement(
  new URL('./slo-changes.sql', import.meta.url),
  z.object({ since: z.number().int() }),
  z.object({ slo: z.string(), objective: z.number(), slo_group: z.string(), judged_ms: z.coerce.number() }),
)

type Reached = {
  transition: number
  judgedMs: number
  /** When what was judged lately was judged. */
  told: ReadonlyMap<string, number>
}

export function buildChangeFeed({
  store,
  database,
  board,
  logger,
}: {
  readonly store: Pick<Store, 'ask'>
  readonly database: Queries
  readonly board: Board
  readonly logger: Logger
}): ChangeFeed {
  const joining = new Set<Listener>()
  const live = new Set<Listener>()
  let reached: Reached | undefined
  let polling: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isFailing = false
  let isStopped = false

  async function judgedSince(ms: number) {
    const rows = await store.ask(changes, { since: Math.max(0, ms) })
    return rows.map((row) => ({
      slo: row.slo,
      key: keyOf(row.slo, row.objective, row.slo_group),
      judgedMs: row.judged_ms,
    }))
  }

  async function here(): Promise<Reached> {
    const rows = await judgedSince(0)
    return {
      transition: await newestTransition(database),
      judgedMs: newestOf(0, rows),
      told: new Map(rows.map(({ key, judgedMs }) => [key, judgedMs])),
    }
  }

  async function admit(listener: Listener, newest: number): Promise<void> {
    const { afterId = newest } = listener
    const missed = afterId < newest ? await transitionsAfter(database, afterId, TRANSITIONS_MAX + 1) : []
    const slos = missed.length === 0 ? undefined : (await board.slos()).slos
    // Not when it left meanwhile.
    if (!joining.delete(listener)) return
    live.add(listener)
    const isKnown = afterId <= newest && missed.length <= TRANSITIONS_MAX
    if (!isKnown) listener.reset(newest)
    else for (const kept of missed) if (kept.id <= newest) tell(listener, kept, slos?.get(kept.slo))
    listener.joined(newest)
  }

  /** For those who may read it as it was and as it is. */
  function tell(listener: Listener, kept: KeptTransition, slo: Slo | undefined): void {
    const isReadable = listener.mayRead(kept.system) && (slo === undefined || listener.mayRead(slo.system))
    if (isReadable) listener.transition(kept, slo)
  }

  async function pollTransitions(place: Reached): Promise<void> {
    const kept = await transitionsAfter(database, place.transition, TRANSITIONS_MAX)
    const last = kept.at(-1)
    if (last === undefined) return
    if (kept.length === TRANSITIONS_MAX) {
      place.transition = await newestTransition(database)
      for (const listener of live) listener.reset(place.transition)
      return
    }
    const { slos } = await board.slos()
    place.transition = last.id
    for (const one of kept) for (const listener of live) tell(listener, one, slos.get(one.slo))
  }

  async function pollStatuses(place: Reached): Promise<void> {
    const rows = await judgedSince(place.judgedMs - OVERLAP_MS)
    const changed = rows.filter(({ key, judgedMs }) => place.told.get(key) !== judgedMs)
    if (changed.length > 0) {
      const keys = new Set(changed.map(({ key }) => key))
      const names = [...new Set(changed.map(({ slo }) => slo))]
      const standings = await board.standings('everything', names.length > NAMES_MAX ? undefined : names)
      for (const standing of standings) {
        if (!keys.has(keyOf(standing.slo.name, standing.judged.objective, standing.group))) continue
        for (const listener of live) if (listener.mayRead(standing.slo.system)) listener.status(standing)
      }
    }
    place.judgedMs = newestOf(place.judgedMs, changed)
    place.told = new Map(rows.map(({ key, judgedMs }) => [key, judgedMs]))
  }

  async function poll(): Promise<void> {
    try {
      reached ??= await here()
      for (const listener of joining) await admit(listener, reached.transition)
      await pollTransitions(reached)
      await pollStatuses(reached)
      isFailing = false
    } catch (error) {
      // Told once; nothing is lost, since the place stays.
      if (!isFailing) logger.warn({ err: error }, 'changes of SLOs could not be read; it is tried again')
      isFailing = true
    }
  }

  function next(): void {
    timer = undefined
    if (isStopped || live.size + joining.size === 0) {
      reached = undefined
      return
    }
    polling = poll().finally(() => {
      polling = undefined
      if (!isStopped) timer = setTimeout(next, POLL_MS)
    })
  }

  return {
    listen(listener) {
      joining.add(listener)
      if (polling === undefined && timer === undefined) next()
      return () => {
        joining.delete(listener)
        live.delete(listener)
      }
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      joining.clear()
      live.clear()
      await polling
    },
  }
}

const keyOf = (slo: string, objective: number, group: string) => JSON.stringify([slo, objective, group])

const newestOf = (ms: number, rows: readonly { readonly judgedMs: number }[]) =>
  rows.reduce((newest, { judgedMs }) => Math.max(newest, judgedMs), ms)
