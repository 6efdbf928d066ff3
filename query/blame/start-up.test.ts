import { describe, expect, test } from 'vitest'
import { madeCase, ONSET, type MadeRow } from '../../test/support/fault-cases.ts'
import type { FailureRow, FaultCase } from './case.ts'
import { explain } from './explain.ts'
import { withoutStartUps } from './start-up.ts'

const failure = (minute: number, service: string, signature: string, count: number): FailureRow => ({
  minute,
  entry: 0,
  cell: 0,
  service,
  version: '2.14.0',
  operation: 'call',
  peer: '',
  site: '',
  zone: '',
  cluster: '',
  node: '',
  signature,
  count,
})
const past = (service: string, signature: string, atReleases: number) => ({
  service,
  signature,
  earlierVersions: 3,
  atReleases,
  releases: 10,
})
const met = (index: number) => (row: MadeRow) => row.touch[index] === 2
const badOf = ({ rows }: FaultCase) => rows.systemErrors.reduce((sum, count) => sum + count, 0)

describe('errors of instances that start', () => {
  const releases = [{ id: 'starts', service: 'auth', share: 0.3, readyBefore: 0 }]
  // One cell of one entry fails for two minutes, as at nine of the last ten releases.
  const made = madeCase(releases, (row) =>
    met(0)(row) && row.minute >= ONSET && row.minute < ONSET + 2 && row.entry === 0 && row.cell === 0
      ? 0.25
      : 0,
  )
  const failures = [failure(ONSET, 'auth', 'start', 9), failure(ONSET + 1, 'auth', 'start', 9)]
  const usual = { ...made, failures, signaturePasts: [past('auth', 'start', 9)] }

  test('are set aside, request by request, and said', () => {
    const { case: left, notes, count } = withoutStartUps(usual)
    expect(badOf(made)).toBe(18)
    expect(badOf(left)).toBe(0)
    expect(left.failures).toEqual([])
    expect(count).toBe(18)
    expect(badOf(usual)).toBe(18)
    expect(notes).toHaveLength(1)
    expect(notes[0]?.en).toContain('18 failed requests while auth 2.13.4 → 2.14.0 started')
    expect(notes[0]?.zh).toContain('18 笔失败请求')
  })

  test('are no fault: nobody is blamed, and the answer says what they are', () => {
    const explanation = explain(usual)
    expect(['blamed', 'suspect']).not.toContain(explanation.verdict)
    expect(explanation.headline.en).toContain('instances that start')
    expect(explanation.notes).toHaveLength(1)
  })

  test('count when earlier releases did not have them, when they last, and of another version', () => {
    for (const other of [
      { ...usual, signaturePasts: [past('auth', 'start', 4)] },
      { ...usual, signaturePasts: [{ ...past('auth', 'start', 2), releases: 2 }] },
      { ...usual, failures: failures.map((row) => ({ ...row, minute: row.minute + 5 })) },
      { ...usual, failures: failures.map((row) => ({ ...row, version: '2.13.4' })) },
    ])
      expect(withoutStartUps(other).case).toBe(other)
  })

  test('do not stand for a neighbour that serves the same requests and fails a minute later', () => {
    const twins = madeCase(
      [
        { id: 'starts', service: 'auth', share: 0.3, readyBefore: 1 },
        { id: 'culprit', service: 'payment', share: 0.3, readyBefore: 0 },
      ],
      (row) =>
        met(1)(row) && row.minute >= ONSET ? 0.3 : met(0)(row) && row.minute === ONSET - 1 ? 0.4 : 0.002,
    )
    const starting = Array.from({ length: 2 }, (_, entry) =>
      Array.from({ length: 4 }, (__, cell) => ({ ...failure(ONSET - 1, 'auth', 'start', 14), entry, cell })),
    ).flat()
    const explanation = explain({ ...twins, failures: starting, signaturePasts: [past('auth', 'start', 9)] })
    expect(explanation.verdict).toBe('blamed')
    expect(explanation.ranked[0]?.release).toBe('culprit')
    expect(explanation.onset?.at).toBe(new Date(ONSET * 60_000).toISOString())
  })
})

describe('a full rollout, with nothing to compare with', () => {
  const made = madeCase([{ id: 'full', service: 'payment', share: 1, readyBefore: 90 }], (row) =>
    row.minute >= ONSET ? 0.2 : 0.002,
  )
  const minutes = Array.from({ length: made.toMinute - ONSET }, (_, index) => ONSET + index)
  const failingBy = (type: string): FaultCase => ({
    ...made,
    failures: minutes.map((minute) => ({ ...failure(minute, 'payment', 'new', 180) })),
    signatures: minutes.map((minute) => ({
      minute,
      service: 'payment',
      version: '2.14.0',
      signature: 'new',
      type,
      message: '',
      count: 180,
    })),
    signaturePasts: [{ ...past('payment', 'new', 0), earlierVersions: 0 }],
  })

  test('is blamed by an error of its code that was never there, begins in it and stays', () => {
    const explanation = explain(failingBy('com.bank.FeeRoundingException'))
    expect(explanation.verdict).toBe('blamed')
    expect(explanation.ranked[0]?.release).toBe('full')
  })

  test('is suspected, not blamed, where the error names what it runs on', () => {
    for (const type of [
      'java.net.SocketTimeoutException',
      'CannotAcquireLockException',
      'UnknownHostException',
    ])
      expect(explain(failingBy(type)).verdict).toBe('suspect')
    const known = failingBy('com.bank.FeeRoundingException')
    expect(explain({ ...known, signaturePasts: [past('payment', 'new', 0)] }).verdict).toBe('suspect')
  })
})
