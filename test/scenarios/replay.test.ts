// `surety replay` as a person runs it: a recorded half hour of two incidents, explained in a process of its own.

import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Explanation } from '../../query/http/fault-schemas.ts'
import { replayIncident } from '../simulator/replay-incident.ts'
import { writeRecording } from '../support/recorded-bank.ts'
import { spawnSurety } from '../support/surety-process.ts'

const BEGIN = Date.UTC(2026, 2, 1, 9)
const LONG_MS = 400_000
const folder = mkdtempSync(join(tmpdir(), 'surety-recordings-'))
const alarmed = join(folder, 'alarmed')
const quiet = join(folder, 'quiet')

beforeAll(() => {
  writeRecording(alarmed, BEGIN, true)
  writeRecording(quiet, BEGIN, false)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const replay = (...words: string[]) => spawnSurety(['replay', ...words], { TMPDIR: folder }).ended
const lines = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Explanation)
const leftOver = () => readdirSync(folder).filter((name) => name.startsWith('surety-replay-'))

test(
  'each alarm gets one line: the branch version is blamed, the zone fault on nobody, twice the same bytes',
  async () => {
    const first = await replay(alarmed, '--decide-after', '5m', '--json', 'lines')
    expect(first.code).toBe(0)
    const [branch, zone, ...more] = lines(first.stdout)
    expect(more).toEqual([])
    expect(branch?.fault).toBe('2026-03-01T09:23:00.000Z gateway POST /transfer')
    expect(branch?.decidedAt).toBe('2026-03-01T09:28:00.000Z')
    expect(branch?.verdict).toBe('blamed')
    const [top, ...others] = branch?.ranked ?? []
    expect(top).toMatchObject({ service: 'ledger', versionTo: '6.2.3', isExonerated: false })
    expect(others.filter(({ service }) => ['limit', 'notify'].includes(service))).toHaveLength(2)
    expect(others.every(({ isExonerated }) => isExonerated)).toBe(true)
    expect(branch?.rollback?.steps.map(({ release }) => release)).toEqual([top?.release])
    expect(zone?.fault).toBe('2026-03-01T09:23:00.000Z web')
    expect(zone?.verdict).toBe('not-a-rollout')
    expect(zone?.competing[0]).toMatchObject({ kind: 'zone', name: expect.stringContaining('z2') as string })
    expect(zone?.rollback).toBeNull()
    const again = await replay(alarmed)
    expect(again.stdout).toBe(first.stdout)
    expect(leftOver()).toEqual([])
  },
  LONG_MS,
)

test(
  'without alarms the faults are found, one of each incident',
  async () => {
    const { code, stdout } = await replay(quiet)
    expect(code).toBe(0)
    const found = lines(stdout)
    expect(found).toHaveLength(2)
    expect(found.map(({ verdict }) => verdict).toSorted()).toEqual(['blamed', 'not-a-rollout'])
    const blamed = found.find(({ verdict }) => verdict === 'blamed')
    expect(blamed?.ranked[0]?.service).toBe('ledger')
  },
  LONG_MS,
)

test(
  'a recorded incident of the simulator is explained as the engine explains its draws, and rightly',
  async () => {
    const { truth, replayed, drawn } = await replayIncident({
      world: new URL('../simulator/worlds/village.json', import.meta.url),
      kind: 'R1',
      seed: 1,
      minutesBefore: 14,
      minutesAfter: 8,
    })
    expect(replayed).toEqual({ verdict: 'blamed', named: truth[0] })
    expect(replayed).toEqual(drawn)
  },
  LONG_MS,
)

describe('bad input is refused before anything is done, by file, place and remedy', () => {
  const broken = (name: string, breakIt: (directory: string) => void) => {
    const directory = join(folder, name)
    cpSync(alarmed, directory, { recursive: true })
    breakIt(directory)
    return directory
  }
  const cases: readonly [string, () => string[], RegExp][] = [
    ['no directory', () => [], /names no directory/],
    [
      'a directory that is not there',
      () => [join(folder, 'nowhere')],
      /nowhere: does not exist; name a directory/,
    ],
    ['a file for a directory', () => [join(alarmed, 'events.jsonl')], /is no directory/],
    ['two directories', () => [alarmed, quiet], /a word too many/],
    ['a duration that is none', () => [alarmed, '--decide-after', 'soon'], /«soon» is no duration/],
    ['another form', () => [alarmed, '--json', 'yaml'], /«lines» is what there is/],
    [
      'a directory without spans',
      () => [broken('empty', (at) => rmSync(join(at, 'spans.otlp.pb')))],
      /holds no spans; .*\.otlp\.pb/,
    ],
    [
      'a file that was cut off',
      () => [broken('cut', (at) => truncateSync(join(at, 'spans.otlp.pb'), 1_000_000))],
      /spans\.otlp\.pb: byte \d+: ends within a message: \d+ bytes were to follow, \d+ are there; «head -c \d+» keeps what is whole/,
    ],
    [
      'a message that is none',
      () => [
        broken('noise', (at) => appendFileSync(join(at, 'spans.otlp.pb'), Buffer.from([3, 255, 255, 255]))),
      ],
      /spans\.otlp\.pb: byte \d+: is no ExportTraceServiceRequest/,
    ],
    [
      'a line that is no JSON',
      () => [broken('line', (at) => appendFileSync(join(at, 'events.jsonl'), '{"specversion"\n'))],
      /events\.jsonl: line 5: /,
    ],
    [
      'an event without its type',
      () => [
        broken('event', (at) =>
          appendFileSync(join(at, 'events.jsonl'), '{"specversion":"1.0","id":"x","source":"/x"}\n'),
        ),
      ],
      /events\.jsonl: line 5: .*type/,
    ],
    [
      'alarms that say no instant, nor a service',
      () => [
        broken('alarms', (at) =>
          writeFileSync(
            join(at, 'faults.jsonl'),
            '{"at":"noon","service":"x"}\n\n{"at":"2026-03-01T09:00:00Z"}\nx\n',
          ),
        ),
      ],
      /faults\.jsonl: line 1: at «noon» is no instant[\s\S]*line 3: service [\s\S]*line 4: is no JSON/,
    ],
  ]
  test.each(cases)('%s', async (_, words, want) => {
    const { code, stdout, stderr } = await replay(...words())
    expect(stderr).toMatch(want)
    expect([code, stdout]).toEqual([2, ''])
  })
})
