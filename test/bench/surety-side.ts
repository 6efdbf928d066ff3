// Surety as the measured process: its own command line with doors of the system's choice, reading one topic.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import type { IngestStatusReply } from '../../query/http/schemas.ts'
import { BenchFailure } from './bench-definition.ts'
import { openChild, type Child, type ChildOptions } from './child.ts'
import { besideSpans, untilJoined, type SpanTopic } from './span-topic.ts'

const SURETY = fileURLToPath(new URL('../../deploy/surety.ts', import.meta.url))
const RETURN_CODES = { LIM0021: 'business_reject', 'PAY0*': 'ok', 'SYS*': 'system_error' }

/** An empty folder for what a bench writes; removed at the end. TMPDIR says where. */
export function openBenchFolder(lifecycle: Lifecycle): string {
  const folder = mkdtempSync(join(tmpdir(), 'surety-bench-'))
  lifecycle.add('temporary folder', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** @returns path of the map from return codes to outcomes that both sides of a bench read */
export function writeReturnCodes(folder: string): string {
  const path = join(folder, 'return-codes.json')
  writeFileSync(path, JSON.stringify(RETURN_CODES))
  return path
}

export type SuretySide = {
  readonly dataDir: string
  readonly topic: SpanTopic
  readonly group: string
  /** Path, as `writeReturnCodes` gives it. */
  readonly returnCodes: string
  /** Default: ingest and query. */
  readonly roles?: readonly string[]
}

/** Doors of the system's choice. */
export const suretyDoors: Readonly<Record<string, string>> = {
  SURETY_HTTP_PORT: '0',
  SURETY_OTLP_HTTP_PORT: '0',
  SURETY_OTLP_GRPC_PORT: '0',
  SURETY_LOG_LEVEL: 'warn',
}

export function suretyChild({
  dataDir,
  topic,
  group,
  returnCodes,
  roles = ['ingest', 'query'],
}: SuretySide): ChildOptions {
  return {
    name: 'surety serve',
    args: [SURETY, 'serve', '--roles', roles.join(',')],
    env: {
      UV_THREADPOOL_SIZE: '16',
      SURETY_DATA_DIR: dataDir,
      ...suretyDoors,
      // Questions are asked without a session.
      SURETY_VISITORS: 'viewer',
      SURETY_RETURN_CODE_MAP: returnCodes,
      SURETY_KAFKA_GROUP: group,
      ...(topic.signal === 'spans'
        ? { SURETY_KAFKA_TOPIC_SPANS: topic.topic }
        : { SURETY_KAFKA_TOPIC_METRICS: topic.topic, SURETY_KAFKA_TOPIC_SPANS: besideSpans(topic.topic) }),
      KAFKA_BROKERS: topic.brokers.join(','),
    },
    ready: /Surety is ready: (http:\S+)/,
  }
}

/** On a data directory alone, without a broker. */
export function suretyAlone(dataDir: string, roles: readonly string[]): ChildOptions {
  return {
    name: 'surety serve',
    args: [SURETY, 'serve', '--roles', roles.join(',')],
    env: { UV_THREADPOOL_SIZE: '16', SURETY_DATA_DIR: dataDir, ...suretyDoors, SURETY_VISITORS: 'viewer' },
    ready: /Surety is ready: (http:\S+)/,
  }
}

/** Started and in its group. */
export type RunningSurety = { readonly child: Child; readonly url: string }

/** @throws BenchFailure when it ends or does not join its group */
export async function openSurety(side: SuretySide, lifecycle: Lifecycle): Promise<RunningSurety> {
  const child = await openChild(suretyChild(side))
  lifecycle.add('Surety', () => child.stop())
  await Promise.race([untilJoined(side.topic, side.group), child.ended])
  return { child, url: child.ready[1] ?? '' }
}

export async function ingestStatusOf(url: string): Promise<IngestStatusReply> {
  const reply = await fetch(`${url}/api/v1/ingest/status`)
  if (!reply.ok) throw new BenchFailure(`${url}/api/v1/ingest/status answers ${reply.status}.`)
  return (await reply.json()) as IngestStatusReply
}
