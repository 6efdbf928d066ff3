// A recorded directory, looked through before anything is done with it: which messages there are, from when to when, which releases were
// told and which alarms rang. Whatever is wrong is told at once.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { walkTraces } from '../../ingest/pipeline/walk.ts'
import type { ReleaseEventRecord } from '../../ingest/records/release-event.ts'
import { parseReleaseEvent, JSON_TYPE } from '../../ingest/releases/parse-release-event.ts'
import { FAULT_MEASURES, type Fault } from '../../query/blame/case.ts'
import { ANYWHERE } from '../../query/faults/alarm.ts'
import { iso, parseInstant } from '../../query/time-range.ts'
import { BadInput } from './bad-input.ts'
import { CutOff, openDelimited, type Delimited } from './delimited.ts'

export const SPANS_SUFFIX = '.otlp.pb'
export const METRICS_SUFFIX = '.metrics.pb'
const EVENTS_FILE = 'events.jsonl'
const FAULTS_FILE = 'faults.jsonl'

export type RecordedMessage = Delimited & {
  readonly file: string
  readonly signal: 'traces' | 'metrics'
  /** Starts of its spans; of metrics unknown: those of the spans around it do. */
  readonly earliestMs: number
  readonly latestMs: number
  readonly spans: number
}

export type Recording = {
  readonly directory: string
  /** In the order in which they are played: by their earliest span. */
  readonly messages: readonly RecordedMessage[]
  /** In the order of the file, as received when they happened. */
  readonly events: readonly ReleaseEventRecord[]
  /** In the order of the file; undefined: there is none, the detector's are used. */
  readonly faults: readonly Fault[] | undefined
  readonly spans: number
  readonly fromMs: number
  readonly toMs: number
}

/** Before it no telemetry is believed, and the store counts seconds until 2106. */
export const SANE = { fromMs: Date.UTC(2000, 0, 1), toMs: Date.UTC(2100, 0, 1) } as const
/** A recorder may have put together what exporters sent apart. */
export const WALK_LIMITS = { spansMax: 2_000_000, fieldsMax: 40_000_000 } as const

const RecordedFault = z.object({
  at: z.string().describe('RFC 3339'),
  service: z.string().min(1).max(256),
  operation: z.string().max(256).default(''),
  id: z.string().min(1).max(256).optional(),
  name: z.string().max(256).default(''),
  measure: z.enum(FAULT_MEASURES).default('errors'),
})

/** @throws BadInput with everything that is wrong */
export function readRecording(directory: string): Recording {
  const names = namesIn(directory)
  const problems: string[] = []
  const messages: RecordedMessage[] = []
  for (const name of names) {
    if (name.endsWith(SPANS_SUFFIX)) messages.push(...messagesOf(directory, name, 'traces', problems))
    else if (name.endsWith(METRICS_SUFFIX)) messages.push(...messagesOf(directory, name, 'metrics', problems))
  }
  const traces = messages.filter(({ spans }) => spans > 0)
  if (problems.length === 0 && traces.length === 0)
    problems.push(
      `${directory}: holds no spans; put length-delimited ExportTraceServiceRequests into files that end in ${SPANS_SUFFIX}`,
    )
  const fromMs = traces.reduce(
    (least, { earliestMs }) => Math.min(least, earliestMs),
    Number.POSITIVE_INFINITY,
  )
  const toMs = traces.reduce((most, { latestMs }) => Math.max(most, latestMs), 0)
  const events = names.includes(EVENTS_FILE) ? eventsOf(directory, problems) : []
  const faults = names.includes(FAULTS_FILE) ? faultsOf(directory, problems) : undefined
  if (problems.length > 0) throw new BadInput(problems)
  return {
    directory,
    messages: messages.toSorted(
      (a, b) =>
        a.earliestMs - b.earliestMs || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.offset - b.offset),
    ),
    events,
    faults,
    spans: traces.reduce((sum, { spans }) => sum + spans, 0),
    fromMs,
    toMs,
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).toSorted()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'does not exist' : code === 'ENOTDIR' ? 'is no directory' : (error as Error).message
    throw new BadInput([
      `${directory}: ${why}; name a directory with files ending in ${SPANS_SUFFIX}, and ${EVENTS_FILE}`,
    ])
  }
}

function messagesOf(
  directory: string,
  name: string,
  signal: RecordedMessage['signal'],
  problems: string[],
): RecordedMessage[] {
  const path = join(directory, name)
  const found: RecordedMessage[] = []
  const file = openDelimited(path)
  try {
    for (const { bytes, offset, length } of file.messages()) {
      if (signal === 'metrics') {
        found.push({ file: path, signal, offset, length, earliestMs: 0, latestMs: 0, spans: 0 })
        continue
      }
      const walked = walkTraces(bytes, SANE, WALK_LIMITS)
      if (walked.kind === 'malformed') {
        problems.push(
          `${path}: byte ${offset}: is no ExportTraceServiceRequest (${walked.reason}); take the message out or record it again`,
        )
        continue
      }
      const spans = walked.spans - walked.outOfRange
      const { earliestMs, latestMs } = walked
      if (spans > 0) found.push({ file: path, signal, offset, length, earliestMs, latestMs, spans })
    }
  } catch (error) {
    if (!(error instanceof CutOff)) throw error
    problems.push(
      `${path}: byte ${error.offset}: ${error.message}; «head -c ${error.offset}» keeps what is whole`,
    )
  } finally {
    file.close()
  }
  return found
}

/** Lines that are not empty, with their numbers. */
function linesOf(path: string): readonly { readonly line: number; readonly text: string }[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((text, place) => ({ line: place + 1, text: text.trim() }))
    .filter(({ text }) => text !== '')
}

function eventsOf(directory: string, problems: string[]): ReleaseEventRecord[] {
  const path = join(directory, EVENTS_FILE)
  return linesOf(path).flatMap(({ line, text }) => {
    const headers = { 'content-type': JSON_TYPE }
    const parsed = parseReleaseEvent({ headers, body: Buffer.from(text), receivedAt: SANE.toMs })
    if (parsed.kind === 'refused') {
      for (const { place, message } of parsed.problems)
        problems.push(`${path}: line ${line}: ${place} ${message}`)
      return []
    }
    // When it came is not recorded: as if it came when it happened.
    return parsed.records.map((record) => ({ ...record, receivedAt: record.at }))
  })
}

function faultsOf(directory: string, problems: string[]): Fault[] {
  const path = join(directory, FAULTS_FILE)
  const known = new Map<string, number>()
  return linesOf(path).flatMap(({ line, text }) => {
    const wrong = (message: string): [] => {
      problems.push(`${path}: line ${line}: ${message}`)
      return []
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return wrong(`is no JSON (${(error as Error).message}); a line is {"at": "…Z", "service": "…"}`)
    }
    const parsed = RecordedFault.safeParse(value)
    if (!parsed.success) {
      for (const { path: place, message } of parsed.error.issues) wrong(`${place.join('.')} ${message}`)
      return []
    }
    const { at, service, operation, name, measure } = parsed.data
    const isInstant = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(at)
    const alarmAtMs = isInstant ? parseInstant(at, 0) : undefined
    if (alarmAtMs === undefined)
      return wrong(`at «${at}» is no instant; RFC 3339 with a zone, such as ${iso(SANE.fromMs)}`)
    const said =
      parsed.data.id ?? [iso(alarmAtMs), service, operation].filter((part) => part !== '').join(' ')
    const times = (known.get(said) ?? 0) + 1
    known.set(said, times)
    return [
      {
        id: times === 1 ? said : `${said} #${times}`,
        origin: 'external',
        name,
        measure,
        place: { ...ANYWHERE, service, operation },
        alarmAtMs,
        endedAtMs: undefined,
      } satisfies Fault,
    ]
  })
}
