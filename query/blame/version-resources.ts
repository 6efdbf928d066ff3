// CPU time of the versions of a service from whatever metrics tell it: by OpenTelemetry's names, of the process, its runtime, its
// container or its pod.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { ResourceUse, ServedRow } from './gather-contrast.ts'

/** The one that is nearest to the code counts: what several tell is the same time. Counters in seconds, or gauges in cores. */
const CPU_METRICS = [
  'process.cpu.time',
  'jvm.cpu.time',
  'dotnet.process.cpu.time',
  'container.cpu.time',
  'container.cpu.usage',
  'k8s.pod.cpu.time',
  'k8s.pod.cpu.usage',
] as const
const MINUTE_MS = 60_000
/** Five scrapes of a minute. */
const LOOK_BACK_MS = 300_000

const count = z.coerce.number()
export const cpuByVersion = statement(
  new URL('./cpu-by-version.sql', import.meta.url),
  z.object({
    service: z.string(),
    metrics: z.array(z.string()),
    since: z.number().int(),
    from: z.number().int(),
    to: z.number().int(),
  }),
  z.object({
    metric_: z.string(),
    version_: z.string(),
    minute: count,
    cpu_seconds: z.number(),
    instances: count,
  }),
)

type CpuRow = z.infer<typeof cpuByVersion.row>

/** @returns empty without such metrics @throws StoreError */
export async function cpuRows(
  store: Pick<Store, 'ask'>,
  service: string,
  range: { readonly fromMinute: number; readonly toMinute: number },
): Promise<readonly CpuRow[]> {
  if (service === '') return []
  const from = range.fromMinute * MINUTE_MS
  return store.ask(
    cpuByVersion,
    {
      service,
      metrics: [...CPU_METRICS],
      since: from - LOOK_BACK_MS,
      from,
      to: range.toMinute * MINUTE_MS,
    },
    { lane: 'heavy', secondsMax: 60 },
  )
}

/**
 * @param versionTo  counts since `sinceMinute`; versions before it as well, or, where they hardly serve any more, before
 * @returns minutes in which a version told of its CPU time and served, added up by version
 */
export function resourcesOf(
  rows: readonly CpuRow[],
  served: readonly ServedRow[],
  versionTo: string,
  sinceMinute: number,
): ResourceUse[] {
  const metric = CPU_METRICS.find((name) => {
    const versions = new Set(rows.flatMap((row) => (row.metric_ === name ? [row.version_] : [])))
    return versions.has(versionTo) && versions.size > 1
  })
  const requestsAt = new Map(served.map((row) => [`${row.minute} ${row.version}`, row.requests]))
  const uses = rows.flatMap((row) => {
    const requests = requestsAt.get(`${row.minute} ${row.version_}`) ?? 0
    if (row.metric_ !== metric || requests <= 0) return []
    return [
      {
        minute: row.minute,
        version: row.version_,
        cpuSeconds: row.cpu_seconds,
        requests,
        instanceMinutes: row.instances,
      },
    ]
  })
  const isNew = ({ version }: { readonly version: string }) => version === versionTo
  const isAfter = ({ minute }: { readonly minute: number }) => minute >= sinceMinute
  const meanwhile = uses.filter((use) => !isNew(use) && isAfter(use))
  const requestsOf = (some: readonly ResourceUse[]) => some.reduce((sum, { requests }) => sum + requests, 0)
  const exposed = uses.filter((use) => isNew(use) && isAfter(use))
  const others =
    requestsOf(meanwhile) >= OTHERS_PART_MIN * requestsOf(exposed)
      ? meanwhile
      : uses.filter((use) => !isNew(use) && !isAfter(use))
  const byVersion = Map.groupBy([...exposed, ...others], ({ version }) => version)
  return [...byVersion]
    .map(([version, of]) => ({
      version,
      cpuSeconds: of.reduce((sum, one) => sum + one.cpuSeconds, 0),
      requests: requestsOf(of),
      instanceMinutes: of.reduce((sum, one) => sum + one.instanceMinutes, 0),
    }))
    .toSorted((a, b) => (a.version < b.version ? -1 : 1))
}

/** Of the exposed: less is what drains away. */
const OTHERS_PART_MIN = 0.1
