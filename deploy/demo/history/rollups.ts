// Requests as rows that the engine counts, for the time before raw spans: the same play as the spans, of which only what
// the rollups hold is kept. The counting is the views' own SELECT, read from the store, over these rows instead of spans;
// outcomes are derived by the expression of the insert. So nothing here knows what a rollup looks like.

import { literal } from '../../../ingest/store/literal.ts'
import { selectOfView } from '../../../ingest/store/batch-rows.ts'
import { outcomeExpression, type ReturnCodeRule } from '../../../ingest/store/insert-spans.ts'
import type { Store } from '../../../ingest/store/store.ts'
import type { Cast } from './cast.ts'
import { clusterOf } from './place.ts'
import { play, type Stage, type Trace } from './play.ts'

export type RequestRows = { readonly body: Buffer; readonly requests: number }
export type RollupTable = 'requests_1m' | 'requests_10s' | 'service_requests_1m'

/** Start (s), duration (ns), and places of resource, audience, operation and answer in the cast. */
const STRUCTURE = 't UInt32, n UInt64, s UInt16, a UInt16, o UInt16, w UInt16'

/**
 * @returns a function of a stretch of minutes since 1970, the last one not included; what starts in the minute `before` or
 *   later is left out, also of a trace that began earlier
 */
export function buildRequestWriter(
  cast: Cast,
  seed: number,
): (fromMinute: number, toMinute: number, before?: number) => RequestRows {
  return (fromMinute, toMinute, before = Number.POSITIVE_INFINITY) => {
    const lines: string[] = []
    let second = 0
    let trace: Trace | undefined
    const stage: Stage = {
      minute: (minute) => void (second = minute * 60),
      trace: (next) => void (trace = next),
      server(step, resource, startNs, endNs, _id, _parent, answer) {
        const at = second + Math.floor(startNs / 1e9)
        if (at >= before * 60) return
        lines.push(
          `{"t":${at},"n":${endNs - startNs},"s":${resource},"a":${trace?.audience ?? 0},"o":${step.id},"w":${answer}}`,
        )
      },
      client: () => undefined,
    }
    play(cast, seed, fromMinute, toMinute, stage)
    return { body: Buffer.from(lines.join('\n')), requests: lines.length }
  }
}

/** Columns of `spans` that the views read, over the rows of a source. */
function spansOf(cast: Cast, rules: readonly ReturnCodeRule[], source: string): string {
  const { world, resources, audiences, answers, steps } = cast
  const pick = <Item>(items: readonly Item[], place: string, text: (item: Item) => string, name: string) =>
    `toLowCardinality([${items.map((item) => literal(text(item))).join(', ')}][${place} + 1]) AS ${name}`
  return `(SELECT toDateTime64(toDateTime(t, 'UTC'), 9, 'UTC') AS ts, n AS duration_ns, toInt8(2) AS kind,
  ${[
    pick(resources, 's', ({ service }) => service, 'service'),
    pick(resources, 's', ({ version }) => version, 'version'),
    pick(resources, 's', ({ system }) => system, 'system'),
    pick(resources, 's', ({ site }) => site, 'site'),
    pick(resources, 's', ({ site }) => site, 'zone'),
    pick(resources, 's', ({ site }) => clusterOf(site), 'cluster'),
    pick(audiences, 'a', ({ channel }) => channel, 'channel'),
    pick(audiences, 'a', ({ region }) => region, 'region'),
    pick(steps, 'o', ({ method, route }) => `${method} ${route}`, 'operation'),
    pick(answers, 'w', ({ code }) => code, 'return_code'),
  ].join(',\n  ')},
  toUInt16([${answers.map(({ status }) => status).join(', ')}][w + 1]) AS http_status, '' AS rpc_status, toInt8(0) AS status,
  toLowCardinality('live') AS traffic, ${outcomeExpression(rules)} AS outcome, toUInt32(${world.oneIn * 1000}) AS weight
FROM ${source})`
}

export type RollupParts = {
  readonly store: Pick<Store, 'rows' | 'transport'>
  readonly cast: Cast
  readonly rules: readonly ReturnCodeRule[]
}

/**
 * Counts rows into rollups.
 * @param token names exactly these rows; a repeat of it changes nothing
 * @throws StoreError
 */
export async function insertRollups(
  { store, cast, rules }: RollupParts,
  rows: RequestRows,
  tables: readonly RollupTable[],
  token: string,
): Promise<void> {
  if (rows.requests === 0) return
  const statements = []
  for (const table of tables) {
    const select = await selectOfView(store, `${table}_mv`, ROWS)
    const sql = (source: (structure: string) => string) =>
      `INSERT INTO ${table} ${select.replace(ROWS, () => spansOf(cast, rules, source(STRUCTURE)))}`
    statements.push({ sql, token: `${token}/${table}` })
  }
  await store.transport.insert({ body: [rows.body], format: 'JSONEachRow', statements })
}

// Where the source is put in once its name is known.
const ROWS = '/* rows */'
