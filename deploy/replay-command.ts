// `surety replay`: recorded telemetry and releases explained after the fact, in a store of its own that is gone afterwards.

import { IngestConfig } from '../ingest/config.ts'
import { ConfigError, readConfig } from '../ingest/runtime/config.ts'
import type { Fault } from '../query/blame/case.ts'
import { explainFault } from '../query/faults/explain-fault.ts'
import { durationMs, iso } from '../query/time-range.ts'
import { detectedFaults } from './replay/detected-faults.ts'
import { readRecording, type Recording } from './replay/recording.ts'
import { openReplayStore } from './replay/replay-store.ts'

export const REPLAY_HELP = `surety replay DIR [--decide-after 5m] [--json lines]

Plays what was recorded into a store of its own, which is gone afterwards, and explains each fault as Surety would have.
DIR holds
  *.otlp.pb      length-delimited ExportTraceServiceRequests
  *.metrics.pb   length-delimited ExportMetricsServiceRequests (optional)
  events.jsonl   CloudEvents of releases, one a line (optional)
  faults.jsonl   {"at": RFC 3339, "service": …, "operation": …}: where an alarm rang, one a line (optional; without it faults
                 are found as Surety finds them)
Writes one line of JSON for each fault: fault, onset, verdict, ranked, competing, rollback, and what else explains it; progress
goes to standard error. --decide-after says how long after its alarm a fault is explained, to the whole minute: nothing later is
looked at. Time comes from the data. SURETY_RETURN_CODE_MAP and SURETY_MASKING apply as for «serve». Needs room for the
recording in the directory for temporary files. Ends with 0, or 2 when something of DIR cannot be read; then nothing is played.`

export const REPLAY_OPTIONS = { 'decide-after': { type: 'string' }, json: { type: 'string' } } as const

const DECIDE_AFTER = '5m'
const MINUTE_MS = 60_000

const ReplayConfig = IngestConfig.pick({ SURETY_RETURN_CODE_MAP: true, SURETY_MASKING: true })

export async function replayCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
  words: readonly string[],
): Promise<number> {
  const [directory, ...more] = words
  const decideAfter = String(values['decide-after'] ?? DECIDE_AFTER)
  const afterMs = durationMs(decideAfter)
  const problems = [
    ...(directory === undefined ? ['replay: names no directory; «surety replay DIR»'] : []),
    ...(more.length > 0 ? [`replay: «${more.join(' ')}» is a word too many; one directory at a time`] : []),
    ...(afterMs === undefined ? [`--decide-after: «${decideAfter}» is no duration such as 90s, 5m, 1h`] : []),
    ...(values['json'] === undefined || values['json'] === 'lines'
      ? []
      : [`--json: «${String(values['json'])}» is not known; «lines» is what there is`]),
  ]
  if (directory === undefined || afterMs === undefined || problems.length > 0) throw new ConfigError(problems)
  const own = Object.fromEntries(Object.keys(ReplayConfig.shape).map((name) => [name, process.env[name]]))
  const config = readConfig(ReplayConfig, own)
  const recording = readRecording(directory)
  tell(
    `${recording.messages.length} messages, ${recording.spans} spans from ${iso(recording.fromMs)} to ${iso(recording.toMs)}, ${recording.events.length} events`,
  )
  const replay = await openReplayStore(config, recording)
  try {
    await replay.play(recording, tell)
    const faults = recording.faults ?? (await detectedFaults(replay, recording, tell))
    tell(`${faults.length} faults are to be explained`)
    for (const fault of faults) {
      const nowMs = decisionMs(fault, recording, afterMs)
      const { explanation } = await explainFault(replay, fault, nowMs)
      process.stdout.write(`${JSON.stringify(explanation)}\n`)
    }
  } finally {
    await replay.close()
  }
  return 0
}

/**
 * When a fault is explained: so long after its alarm, and not after the recording, for then nothing is known and not nothing there.
 * To the whole minute before: what is counted by minutes would show what came later.
 */
function decisionMs({ alarmAtMs }: Fault, { toMs }: Recording, afterMs: number): number {
  return Math.floor(Math.min(alarmAtMs + afterMs, toMs + MINUTE_MS) / MINUTE_MS) * MINUTE_MS
}

function tell(text: string): void {
  process.stderr.write(`replay: ${text}\n`)
}
