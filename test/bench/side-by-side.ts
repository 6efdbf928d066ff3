// Two pipelines that read the same topic, one after the other, and what each cost: shared by the ingest benches.

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchContext } from './bench-definition.ts'
import { openChild, type ChildOptions } from './child.ts'
import { watchIngest, type IngestRun } from './ingest-run.ts'
import { untilJoined, type SpanTopic } from './span-topic.ts'
import { figure } from './table.ts'

export type Side<Digest> = { readonly run: IngestRun; readonly digest: Digest }

export type SideContext = Pick<BenchContext, 'lifecycle' | 'say'> & {
  readonly topic: SpanTopic
  readonly folder: string
}

/** Lets one side read the topic to its end on an empty data directory, which is looked at and then removed. */
export async function measureSide<Digest>(
  { topic, lifecycle, say, folder }: SideContext,
  side: {
    readonly name: string
    readonly folder: string
    readonly group: string
    readonly rows: number
    /** Whose rows are counted. */
    readonly tables: readonly string[]
    readonly child: (dataDir: string) => ChildOptions
    readonly digestOf: (dataDir: string) => Promise<Digest>
  },
): Promise<Side<Digest>> {
  const dataDir = join(folder, side.folder)
  const child = await openChild(side.child(dataDir))
  lifecycle.add(side.name, () => child.stop())
  const sideSays = (text: string) => say(`${side.name}: ${text}`)
  const work = async () => {
    await Promise.race([untilJoined(topic, side.group), child.ended])
    sideSays('has joined its group')
    return watchIngest(child, child.ready[1] ?? '', side.rows, sideSays, { tables: side.tables })
  }
  const run = await Promise.race([work(), child.ended])
  await child.stop()
  const digest = await side.digestOf(dataDir)
  rmSync(dataDir, { recursive: true, force: true })
  return { run, digest }
}

export const perCpu = ({ rows, cpuSeconds }: IngestRun) => rows / cpuSeconds
export const perSecond = ({ rows, wallSeconds }: IngestRun) => rows / wallSeconds
const micros = (seconds: number, rows: number) => figure((seconds / rows) * 1e6, 2)

/** @param noun what a row is, `span` */
export function costLines(noun: string, runs: readonly IngestRun[]): string[][] {
  const line = (what: string, cell: (run: IngestRun) => string) => [what, ...runs.map(cell)]
  return [
    line(`${noun}s`, ({ rows }) => figure(rows)),
    line(`${noun}s per CPU-second`, (run) => figure(perCpu(run))),
    line(`CPU a ${noun}, µs`, ({ cpuSeconds, rows }) => micros(cpuSeconds, rows)),
    line('· until the last row was in', ({ cpuSecondsUntilIn, rows }) => micros(cpuSecondsUntilIn, rows)),
    line('· merges after that', (run) => micros(run.cpuSeconds - run.cpuSecondsUntilIn, run.rows)),
    line(`${noun}s per second, wall`, (run) => figure(perSecond(run))),
    line('wall, s', ({ wallSeconds }) => figure(wallSeconds, 1)),
    line('merges after that, s', ({ mergeSeconds }) => figure(mergeSeconds, 1)),
    line('parts at the last row', ({ partsWhenIn }) => figure(partsWhenIn)),
    line('parts in the end', ({ parts }) => figure(parts)),
    line('peak resident memory, MB', ({ rssMb }) => figure(rssMb)),
    line('CPU before joining, s', ({ startUpCpuSeconds }) => figure(startUpCpuSeconds, 1)),
    ...threadLines(runs),
  ]
}

/** Who used the CPU, µs a row by thread name; the tail in one line. */
function threadLines(runs: readonly IngestRun[]): string[][] {
  const names = new Set(
    runs.flatMap(({ threads, cpuSeconds }) =>
      threads.filter((thread) => thread.cpuSeconds > cpuSeconds * 0.01).map(({ name }) => name),
    ),
  )
  const of = (run: IngestRun, name: string) =>
    run.threads.find((thread) => thread.name === name)?.cpuSeconds ?? 0
  const rest = (run: IngestRun) => run.cpuSeconds - [...names].reduce((sum, name) => sum + of(run, name), 0)
  return [
    ...[...names].map((name) => [`· thread ${name}`, ...runs.map((run) => micros(of(run, name), run.rows))]),
    ['· other and ended threads', ...runs.map((run) => micros(Math.max(0, rest(run)), run.rows))],
  ]
}

/** Ratios of all CPU; together 1. */
export type Shares = {
  /** The structural walk, as it takes on the same records alone. */
  readonly walk: number
  /** JavaScript beside the walk: the Kafka client, the consumer loop, garbage. */
  readonly client: number
  /** Parsing, columns, sorting, compressing, views, writing. */
  readonly engine: number
  readonly merges: number
}

const JAVASCRIPT = /^(MainThread|node|V8Worker)/
// The engine names its threads by their work.
const MERGING = /^(MergeMutate|BgSchPool|BgMBSchPool)/

/** @param walkSeconds for all rows of the run */
export function sharesOf({ threads, cpuSeconds, rows }: IngestRun, walkSeconds: number): Shares {
  const of = (name: RegExp) =>
    threads.reduce((sum, thread) => sum + (name.test(thread.name) ? thread.cpuSeconds : 0), 0)
  const [script, merging] = [of(JAVASCRIPT), of(MERGING)]
  const walk = rows === 0 ? 0 : Math.min(walkSeconds, script)
  const ratio = (seconds: number) => Math.round((seconds / cpuSeconds) * 1000) / 1000
  return {
    walk: ratio(walk),
    client: ratio(script - walk),
    engine: ratio(cpuSeconds - script - merging),
    merges: ratio(merging),
  }
}

/** CPU-seconds of reading each of the records once, warm, in this process. */
export function walkSecondsPerRow(
  records: readonly { readonly bytes: Uint8Array; readonly rows: number }[],
  walk: (bytes: Uint8Array) => unknown,
): number {
  const round = () => {
    for (const { bytes } of records) walk(bytes)
  }
  round()
  const before = process.cpuUsage()
  round()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6 / records.reduce((sum, { rows }) => sum + rows, 0)
}

export function shareLine({ walk, client, engine, merges }: Shares): string {
  const percent = (ratio: number) => `${Math.round(ratio * 100)} %`
  return `Of Surety's CPU ${percent(walk)} is the walk, ${percent(client)} the Kafka client and the rest of JavaScript, ${percent(engine)} the engine's insert, ${percent(merges)} merges.`
}

export function packageVersion(name: string): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
  return version
}
