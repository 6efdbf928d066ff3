// What happens to one message of log records before it may join a batch: the walk; records that are no events are left
// out and told, so are those whose time the store cannot hold; bodies that are maps become texts. Pure.

import { flattenBodies, keepRecords } from './log-split.ts'
import {
  AHEAD_OF_NOW_MS,
  instant,
  NOTHING,
  resourceKeys,
  type Prepared,
  type TimeBounds,
} from './prepared.ts'
import { walkLogs, type LogRecord } from './walk-logs.ts'
import { withoutStrangers } from './wire-reader.ts'

export const LOGS_FORMAT = 'otlp_proto logs'

/** A message of log records; its rows are named events. */
export type PreparedLogs = Prepared & {
  readonly hasNumbers: boolean
}

const HOUR_MS = 3_600_000
const SANE_FROM_MS = Date.UTC(2000, 0, 1)
const NO_STORE =
  'are not events (no event_name, event.name or k8s.event.reason) and were not stored: Surety is no log store, send it named events only'

export function prepareLogs(
  bytes: Uint8Array,
  origin: string,
  nowMs: number,
  bounds: TimeBounds,
): PreparedLogs {
  const nothing = { ...NOTHING, origin, hasNumbers: false }
  const walked = walkLogs(bytes)
  if (walked.kind === 'malformed') {
    const { reason: detail } = walked
    const letter = { reason: 'malformed', detail, origin, format: LOGS_FORMAT, payload: bytes } as const
    return { ...nothing, deadLetters: [letter], rejection: detail }
  }
  const { records, hasNumbers, hasStrangers } = walked
  const fromMs = nowMs - bounds.retentionMs + HOUR_MS
  const toMs = nowMs + bounds.aheadMs
  const isPlain = ({ isEvent }: LogRecord) => !isEvent
  const isInsane = ({ isEvent, timeMs }: LogRecord) => isEvent && (timeMs < SANE_FROM_MS || timeMs > toMs)
  const isExpired = (record: LogRecord) => record.isEvent && !isInsane(record) && record.timeMs < fromMs
  const isKept = (record: LogRecord) => record.isEvent && !isInsane(record) && !isExpired(record)

  const kept = records.filter(isKept)
  const plainRecords = records.filter(isPlain).length
  const insane = records.filter(isInsane).length
  const expired = records.filter(isExpired).length
  const ahead = kept.filter(({ timeMs }) => timeMs > nowMs + AHEAD_OF_NOW_MS).length
  const insaneDetail = `${insane} events lie outside ${instant(SANE_FROM_MS)} to ${instant(toMs)}; check time_unix_nano and the sender's clock`
  const sentences = [
    plainRecords === 0 ? '' : `${plainRecords} log records ${NO_STORE}`,
    insane === 0 ? '' : insaneDetail,
    expired === 0
      ? ''
      : `${expired} events lie before ${instant(fromMs)}, older than the retention of events; they were not stored`,
    ahead === 0
      ? ''
      : `${ahead} events lie more than ${AHEAD_OF_NOW_MS / 60_000} minutes ahead of now (${instant(nowMs)}); they are stored, check the sender's clock`,
  ]
  const at = (keep: (record: LogRecord) => boolean) => (index: number) => {
    const record = records[index]
    return record !== undefined && keep(record)
  }
  let left: Uint8Array = kept.length === records.length ? bytes : keepRecords(bytes, at(isKept))
  if (kept.some(({ hasDeepBody }) => hasDeepBody)) left = flattenBodies(left)
  if (hasStrangers) left = withoutStrangers(left)
  const known = left === bytes ? walked : walkLogs(left)
  const times = kept.map(({ timeMs }) => timeMs)
  return {
    ...nothing,
    bytes: left,
    rows: kept.length,
    earliestMs: times.reduce((least, ms) => Math.min(least, ms), times[0] ?? 0),
    latestMs: times.reduce((most, ms) => Math.max(most, ms), 0),
    resources: known.kind === 'walked' ? resourceKeys(left, known.resources) : [],
    hasNumbers,
    plainRecords,
    deadLetters:
      insane === 0
        ? []
        : [
            {
              reason: 'time-out-of-range',
              detail: insaneDetail,
              origin,
              format: LOGS_FORMAT,
              payload: keepRecords(bytes, at(isInsane)),
            },
          ],
    rejectedRows: plainRecords + insane + expired,
    rejection: sentences.filter((sentence) => sentence !== '').join('. '),
    expiredRows: expired,
    aheadRows: ahead,
  }
}
