// Wires finding and explaining: two rounds beside one another, so that a slow explanation delays no alarm, while this process leads.

import { buildGatherMemory } from '../../query/blame/gather-memory.ts'
import { explainFault } from '../../query/faults/explain-fault.ts'
import { buildFaultBook } from '../../query/faults/fault-book.ts'
import { buildRelated } from '../../query/faults/lately-called.ts'
import { loadSlos, type Slos } from '../../query/promises/slos.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { buildTransitionFeed } from '../publish/transition-feed.ts'
import { startRounds, type LeadingParts } from '../rounds.ts'
import { buildBlameMetrics } from './blame-metrics.ts'
import { buildDeviations } from './deviations.ts'
import { buildExplaining } from './explaining.ts'
import { buildFinding } from './finding.ts'

/** Its row in slo_publishers: how far it has read transitions. */
const NAME = 'faults'
const ROUND_MS = 1000
const PAUSE_MS_MAX = 30_000

export function startFaults(parts: LeadingParts): void {
  const { store, registry, database, lifecycle, health, clock, isLeading } = parts
  const logger = parts.logger.child({ part: 'faults' })
  const metrics = buildBlameMetrics(parts.metrics.registry)
  const book = buildFaultBook(database, buildRelated(store, clock))
  // The ledger remembers by these what it has read, gathering what it was given to remember in.
  const caseParts = { store, registry, memory: buildGatherMemory() }
  const common = { book, clock, isLeading, metrics, logger }
  const finding = buildFinding({
    ...common,
    transitions: buildTransitionFeed(database, NAME),
    slos: slosOf(registry),
    deviations: buildDeviations(store),
  })
  const stopping = new AbortController()
  const explaining = buildExplaining({
    ...common,
    explain: (fault, nowMs, late) =>
      explainFault({ ...caseParts, signal: AbortSignal.any([late, stopping.signal]) }, fault, nowMs),
  })
  const rounds = [
    repeat('find', () => finding.round()),
    // Whoever is due waits for nothing when there is more to do than fits into one round.
    repeat('explain', async () => {
      while ((await explaining.round()) > 0 && !stopping.signal.aborted) continue
    }),
  ]
  lifecycle.add('faults', async () => {
    stopping.abort()
    await Promise.all(rounds.map((round) => round.stop()))
  })

  function repeat(step: 'find' | 'explain', work: () => Promise<void>) {
    const started = startRounds({
      firstMs: ROUND_MS,
      everyMs: ROUND_MS,
      pauseMsMax: PAUSE_MS_MAX,
      round: work,
      failed(error) {
        metrics.failures.inc({ step })
        logger.error({ err: error, step }, 'a round of the fault loop failed; it is tried again')
      },
    })
    health.register(`faults: ${step}`, () => {
      const trouble = started.trouble()
      return trouble === undefined ? undefined : `Faults are behind (${step}): ${trouble}`
    })
    return started
  }
}

/** Definitions as they are, read again when one changed. */
function slosOf(registry: Registry): () => Promise<Slos> {
  let known: Slos | undefined
  return async () => {
    if (known === undefined || known.changeNumber !== (await registry.changeNumber()))
      known = await loadSlos(registry)
    return known
  }
}
