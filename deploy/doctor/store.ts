// What `surety doctor` finds out about the store: from the running Surety when one has it, else by opening it.

import type { IngestStatusReply } from '../../query/http/schemas.ts'
import {
  openEmbeddedStore,
  openStore,
  StoreError,
  type Store,
  type StoreConfig,
} from '../../ingest/store/store.ts'
import type { ApiClient } from '../api-client.ts'
import { bytesText } from '../text-table.ts'
import { fail, judged, ok, warn, type Finding } from './finding.ts'

type Ready = {
  readonly ready: boolean
  readonly parts: readonly { readonly part: string; readonly ready: boolean; readonly reason?: string }[]
}
type Figures = Pick<IngestStatusReply, 'tables' | 'newestSpanAt'> & {
  readonly spans: Pick<IngestStatusReply['spans'], 'rows' | 'bytesOnDisk' | 'parts'>
  readonly deadLettersLastHour: number
}

// The engine slows inserts at 1000 parts of a partition and refuses them at 3000.
const PARTS = { warnAt: 300, failAt: 1000 }
const CLOCK_AHEAD_S = { warnAt: 5, failAt: 3600 }
const SILENT_S = 900

type Looked = { readonly findings: Finding[]; readonly isRunning: boolean }

/** @returns the findings, and whether a Surety is running on this data directory, or where the API client looks */
export function store(config: StoreConfig, api: ApiClient, nowMs: number): Promise<Looked> {
  return config.server === undefined ? embedded(config.dataDir, api, nowMs) : server(config, api, nowMs)
}

async function server(config: StoreConfig, api: ApiClient, nowMs: number): Promise<Looked> {
  const isRunning = await answers(api)
  const findings = isRunning ? await running(api, nowMs) : []
  let opened: Store
  try {
    opened = await openStore(config)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return {
      findings: [fail('store', error.message, 'As it says; README, «A ClickHouse server».'), ...findings],
      isRunning,
    }
  }
  try {
    const { place } = opened
    const where =
      place.kind === 'embedded'
        ? ''
        : `ClickHouse ${place.version} at ${place.url}, database ${place.database}`
    const disks = await opened.rows(
      'SELECT hostName() AS host, name, free_space AS free, total_space AS total FROM system.disks',
    )
    const replicas = await opened.rows(
      'SELECT hostName() AS host, table, is_readonly, absolute_delay FROM system.replicas WHERE database = currentDatabase() AND (is_readonly OR absolute_delay > 300)',
    )
    return {
      findings: [
        ok('store', where),
        ...disks.map(disk),
        ...replicas.map(({ host, table, is_readonly, absolute_delay }) =>
          warn(
            'replicas',
            `${String(host)}: ${String(table)} is ${Number(is_readonly) === 1 ? 'read-only' : `${Number(absolute_delay)} s behind`}`,
            'Look at Keeper and the host: SELECT * FROM system.replicas, system.replication_queue.',
          ),
        ),
        ...(isRunning ? findings : judge(await figuresOf(opened), nowMs, false)),
      ],
      isRunning,
    }
  } finally {
    await opened.close()
  }
}

function disk({ host, name, free, total }: Record<string, unknown>): Finding {
  const text = `${String(host)} ${String(name)}: ${bytesText(Number(free))} free of ${bytesText(Number(total))}`
  return judged(
    'disk of the server',
    100 - (100 * Number(free)) / Math.max(1, Number(total)),
    { warnAt: 85, failAt: 97 },
    text,
    'Free space there, or shorten the retention (SURETY_RETENTION_…_DAYS, then «surety migrate»).',
  )
}

async function answers(api: ApiClient): Promise<boolean> {
  try {
    await fetch(`${api.url}/healthz`, { signal: AbortSignal.timeout(2000) })
    return true
  } catch {
    return false
  }
}

async function embedded(dataDir: string, api: ApiClient, nowMs: number): Promise<Looked> {
  let opened
  try {
    opened = await openEmbeddedStore(dataDir, undefined, { migrates: false, makes: false })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'SURETY_STORE_BUSY') return { findings: await running(api, nowMs), isRunning: true }
    if (/holds no store/.test(error.message)) {
      return { findings: [ok('store', 'none yet; the first «surety serve» makes it')], isRunning: false }
    }
    return {
      findings: [fail('store', error.message, 'Restore a backup (surety restore), or ask with this text.')],
      isRunning: false,
    }
  }
  try {
    const figures = await figuresOf(opened)
    return {
      findings: [
        ok('store', `opens; ${figures.spans.rows} spans; no Surety is running on it`),
        ...judge(figures, nowMs, false),
      ],
      isRunning: false,
    }
  } finally {
    await opened.close()
  }
}

async function figuresOf(opened: Store): Promise<Figures> {
  const tables = await opened.rows(
    'SELECT table, sum(rows) AS row_count, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table',
  )
  const [letters] = await opened.rows(
    'SELECT count() AS n FROM dead_letters WHERE at >= now() - INTERVAL 1 HOUR',
  )
  const [newest] = await opened.rows(
    'SELECT toUnixTimestamp64Milli(toDateTime64(max(newest_at), 3)) AS ms FROM batches',
  )
  const sizes = tables.map((row) => ({
    table: String(row['table']),
    rows: Number(row['row_count']),
    bytesOnDisk: Number(row['bytes']),
    parts: Number(row['parts']),
  }))
  const newestMs = Number(newest?.['ms'] ?? 0)
  return {
    tables: sizes,
    spans: sizes.find(({ table }) => table === 'spans') ?? { rows: 0, bytesOnDisk: 0, parts: 0 },
    deadLettersLastHour: Number(letters?.['n'] ?? 0),
    newestSpanAt: newestMs === 0 ? null : new Date(newestMs).toISOString(),
  }
}

async function running(api: ApiClient, nowMs: number): Promise<Finding[]> {
  const findings: Finding[] = []
  let ready: Ready
  try {
    // 503 holds the same report.
    const reply = await fetch(`${api.url}/readyz`, { signal: AbortSignal.timeout(10_000) })
    ready = (await reply.json()) as Ready
  } catch (error) {
    const text = `another process has it, and ${api.url} does not answer (${(error as Error).message})`
    return [
      fail('store', text, 'Set SURETY_URL to where that Surety listens, or see whether the process hangs.'),
    ]
  }
  for (const { part, ready: isReady, reason } of ready.parts) {
    findings.push(
      isReady
        ? ok('running', `${part} is ready`)
        : fail('running', `${part} is not ready: ${reason ?? 'no reason given'}`, 'Its log says more.'),
    )
  }
  try {
    const status = await api.get<IngestStatusReply>('/api/v1/ingest/status')
    const figures = { ...status, deadLettersLastHour: status.deadLetters.lastHour }
    findings.push(...judge(figures, nowMs, true))
  } catch (error) {
    findings.push(
      warn(
        'running',
        `its status cannot be asked: ${(error as Error).message}`,
        'The role «query» answers it; set SURETY_TOKEN when it asks for one.',
      ),
    )
  }
  return findings
}

function judge(
  { tables, newestSpanAt, deadLettersLastHour }: Figures,
  nowMs: number,
  isRunning: boolean,
): Finding[] {
  const most = tables.reduce((top, table) => (table.parts > top.parts ? table : top), {
    table: 'none',
    parts: 0,
  })
  const findings = [
    judged(
      'parts',
      most.parts,
      PARTS,
      `at most ${most.parts} in a table (${most.table})`,
      'Merges do not keep up: fewer Kafka partitions, a longer SURETY_LINGER_MS, or a faster disk.',
    ),
    deadLettersLastHour === 0
      ? ok('dead letters', 'none in the last hour')
      : warn(
          'dead letters',
          `${deadLettersLastHour} in the last hour`,
          '«surety dead-letters list» says what they are.',
        ),
  ]
  if (newestSpanAt === null) return [...findings, ok('clock', 'no span yet to compare with')]
  const aheadS = (Date.parse(newestSpanAt) - nowMs) / 1000
  const text =
    aheadS > 0
      ? `the newest span starts ${aheadS.toFixed(1)} s ahead of this clock`
      : `the newest span started ${newestSpanAt}`
  findings.push(
    judged(
      'clock',
      aheadS,
      CLOCK_AHEAD_S,
      text,
      'Set this machine’s clock and the senders’ by NTP; spans a day ahead are refused.',
    ),
  )
  if (isRunning && aheadS < -SILENT_S) {
    findings.push(
      warn(
        'freshness',
        `no span for ${Math.round(-aheadS / 60)} minutes`,
        'Look at the senders, the Collector, and Kafka’s lag.',
      ),
    )
  }
  return findings
}
