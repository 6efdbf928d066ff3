// The simulator's straight rows are those that the store gives of the same draws: its requests as OTLP through the ordinary
// pipeline, derived and gathered, against the rows that were never stored.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { StoreError, type Store } from '../../ingest/store/store.ts'
import type { Fault, FaultCase, TraceRows } from '../../query/blame/case.ts'
import { gatherCase } from '../../query/blame/gather.ts'
import { buildCase } from '../simulator/fault-case.ts'
import { makeRelease, MINUTE_MS } from '../simulator/rollouts.ts'
import { otlpOf } from '../simulator/otlp.ts'
import { Random } from '../simulator/random.ts'
import { Stream, type RequestGroup } from '../simulator/stream.ts'
import { releasesAt, tell } from '../simulator/told.ts'
import { loadWorld } from '../simulator/world.ts'
import { openTestStore } from '../support/empty-data.ts'
import { derive } from '../support/derive.ts'

const MINUTES = 12
const DAY_MS = 86_400_000

let folder: string
let store: Store
let straight: FaultCase
let gathered: FaultCase

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surety-simulator-'))
  store = await openTestStore(folder)
  const world = loadWorld(new URL('../simulator/worlds/village.json', import.meta.url))
  const from = Math.floor(Date.now() / MINUTE_MS) - 40
  const random = new Random(5)
  const readyMs = (from + 5) * MINUTE_MS
  const releases = [
    { service: 1, style: 'weight' as const, readyMs, firstWeight: 0.2, stagesMax: 1 },
    { service: 3, style: 'teller' as const, readyMs, stagesMax: 1 },
  ].map((draft) => makeRelease(world, random, draft))
  const [culprit] = releases
  const groups: RequestGroup[] = []
  const stream = new Stream({
    world,
    seed: [5],
    fromMinute: from,
    releases,
    effects: [
      {
        outcome: 'system',
        startMs: readyMs,
        endMs: Infinity,
        rampMinutes: 0,
        needs: [],
        strength: (of) => (of.versionOf(1) === culprit?.versionTo ? 0.5 : 0),
        origin: () => ({ service: 1, node: -1, signature: 'transfer:NewFault', peer: -1 }),
      },
      {
        outcome: 'system',
        startMs: readyMs,
        endMs: Infinity,
        rampMinutes: 0,
        needs: [],
        strength: (of) => ((of.variant.placeOf[4] ?? -1) >= 0 ? 0.1 : 0),
        origin: () => ({ service: 4, node: -1, signature: 'clearing:SocketTimeout', peer: 1 }),
      },
    ],
    onGroup: (group) => groups.push(group),
  })
  stream.drawUntil(from + MINUTES)
  await send([...otlpOf(stream, groups)].map(({ bytes }) => bytes))
  await derive(store)
  const fault: Fault = {
    id: 'f',
    origin: 'detector',
    name: '',
    measure: 'errors',
    place: {
      service: 'gateway',
      operation: 'POST /transfers',
      txnCode: 'transfer.intra',
      channel: '',
      site: '',
      region: '',
      branch: '',
    },
    alarmAtMs: (from + MINUTES - 2) * MINUTE_MS,
    endedAtMs: undefined,
  }
  const nowMs = (from + MINUTES) * MINUTE_MS
  const known = releasesAt(stream, tell(world, releases, [5]), nowMs)
  straight = buildCase({ stream, dayBefore: undefined, events: [] }, fault, known, nowMs)
  for (let tries = 1; ; tries += 1)
    try {
      gathered = await gatherCase({ store }, fault, known, nowMs)
      break
    } catch (error) {
      // A busy machine is given time.
      if (!(error instanceof StoreError) || tries === 6) throw error
    }
}, 400_000)

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function send(requests: readonly Buffer[]): Promise<void> {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const writer = buildBatchWriter({
    signal: buildTraceSignal({ rules: [], metrics, clock: systemClock }),
    store,
    deadLetters: buildDeadLetterBox(store, metrics, logger, systemClock),
    metrics,
    logger,
    clock: systemClock,
  })
  for (const [index, request] of requests.entries()) {
    const prepared = prepareTraces(request, 'test', Date.now(), { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS })
    const written = await writer.write([prepared], { token: `s${index}`, door: 'test', patienceMs: 0 })
    expect(written).toMatchObject({ kind: 'stored', refused: new Map() })
  }
}

/** Rows as text, whatever their order and whatever entries, cells and touches are numbered. */
function traceLines({ entries, cells, touches, candidates }: FaultCase, rows: TraceRows): string[] {
  const order = candidates
    .map(({ release }, index) => ({ id: release.id, index }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return Array.from({ length: rows.length }, (_, row) => {
    const entry = entries[rows.entry[row] ?? 0]
    const cell = cells[rows.cell[row] ?? 0]
    const touch = touches[rows.touch[row] ?? 0]
    return [
      rows.minute[row],
      entry?.operation,
      cell?.channel,
      cell?.site,
      cell?.region,
      cell?.branch,
      cell?.teller,
      order.map(({ index }) => touch?.[index]).join(''),
      ...[rows.requests, rows.systemErrors, rows.businessErrors, rows.shed, rows.rejects, rows.slow].map(
        (column) => column[row],
      ),
    ].join(' ')
  }).toSorted()
}

test('requests by minute, entry, cell and touch', () => {
  expect(traceLines(straight, straight.rows).length).toBeGreaterThan(100)
  expect(traceLines(gathered, gathered.rows)).toEqual(traceLines(straight, straight.rows))
})

test('where failures began, signatures by their text', () => {
  const lines = ({ failures, entries, cells }: FaultCase, signatures: ReadonlyMap<string, string>) =>
    failures
      .map((row) =>
        [
          row.minute,
          entries[row.entry]?.operation,
          cells[row.cell]?.branch,
          cells[row.cell]?.teller,
          row.service,
          row.version,
          row.operation,
          row.peer,
          row.site,
          row.zone,
          row.cluster,
          row.node,
          signatures.get(row.signature) ?? row.signature,
          row.count,
        ].join(' '),
      )
      .toSorted()
  const named = (of: FaultCase) =>
    new Map(of.signatures.map(({ signature, service, type }) => [signature, `${service} ${type}`]))
  expect(lines(gathered, named(gathered))).toEqual(lines(straight, named(straight)))
})

test('requests by place, and what failed there by itself', () => {
  const lines = ({ places }: FaultCase) =>
    places
      .map(({ minute, service, version, site, zone, cluster, node, requests, bad }) =>
        [minute, service, version, site, zone, cluster, node, requests, bad].join(' '),
      )
      .toSorted()
  expect(lines(gathered)).toEqual(lines(straight))
})

test('calls to what is not instrumented', () => {
  const lines = ({ peers }: FaultCase) =>
    peers
      .map(({ minute, caller, callerVersion, peer, kind, calls, bad }) =>
        [minute, caller, callerVersion, peer, kind, calls, bad].join(' '),
      )
      .toSorted()
  expect(lines(gathered)).toEqual(lines(straight))
})

test('candidates, who is in their scope, exposure', () => {
  expect(straight.candidates.map(({ release }) => release.service).toSorted()).toEqual(['ledger', 'transfer'])
  const lines = ({ candidates, cells }: FaultCase) =>
    candidates
      .map(({ release, isVisible, scopeCells, exposure, isBeingRolledBack }) => ({
        id: release.id,
        isVisible,
        isBeingRolledBack,
        exposure: exposure.map((share) => share.toFixed(9)),
        cells: scopeCells
          ?.map((cell) => `${cells[cell]?.branch ?? ''} ${cells[cell]?.teller ?? ''}`)
          .toSorted(),
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  expect(lines(gathered)).toEqual(lines(straight))
})
