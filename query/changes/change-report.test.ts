import { describe, expect, test } from 'vitest'
import { makeRelease, READY_MS } from '../../test/support/verdict-traffic.ts'
import type { ReleaseVerdict } from '../http/release-schemas.ts'
import type { Release } from '../releases/release.ts'
import { iso } from '../time-range.ts'
import type { ReleaseEffect } from '../verdicts/effect.ts'
import { changeCsv } from './change-csv.ts'
import { changeItem, changeTotals } from './change-report.ts'

const MINUTE_MS = 60_000

function item(
  word: ReleaseVerdict['verdict'],
  more: { release?: Partial<Release>; effect?: Partial<ReleaseEffect>; team?: string; vendor?: string } = {},
) {
  const effect: ReleaseEffect = {
    method: 'concurrent',
    exposedRequests: 1000,
    badRequests: 0,
    excessRequests: 0,
    badMinutes: 0,
    worseSinceMs: undefined,
    recoveredAtMs: undefined,
    ...more.effect,
  }
  const verdict = { verdict: word, override: null } as ReleaseVerdict
  const release = makeRelease(more.release)
  return changeItem({
    kept: {
      release,
      verdict,
      effect,
      nextAtMs: undefined,
      system: 'core-payment',
      team: more.team,
      vendor: more.vendor,
      revision: 0,
    },
    effects: undefined,
  })
}
const stage = (kind: 'noted' | 'started', minutesBefore: number) => ({
  ...(makeRelease().stages[0] as Release['stages'][number]),
  kind,
  atMs: READY_MS - minutesBefore * MINUTE_MS,
})
const lost = {
  excessRequests: 100,
  badMinutes: 8,
  worseSinceMs: READY_MS,
  recoveredAtMs: READY_MS + 12 * MINUTE_MS,
}

describe('one change', () => {
  test('lead time is from what was told of it first, recovery from its effect', () => {
    expect(
      item('worse', { release: { stages: [stage('noted', 90), stage('started', 3)] }, effect: lost }),
    ).toMatchObject({
      isFailure: true,
      leadTimeSeconds: 5400,
      recoverySeconds: 720,
      lostRequests: 100,
      lostMinutes: 8,
      readyAt: iso(READY_MS),
    })
  })

  test.each([
    {
      name: 'nothing told before it began',
      given: item('not-worse'),
      want: { leadTimeSeconds: null, isFailure: false },
    },
    {
      name: 'a failure that lasts',
      given: item('worse', { effect: { ...lost, recoveredAtMs: undefined } }),
      want: { recoverySeconds: null, recoveredAt: null },
    },
    {
      name: 'taken back before anything could be told',
      given: item('cannot-tell', { release: { state: 'rolled_back' } }),
      want: { isFailure: true },
    },
    {
      name: 'bad minutes of a release that is no failure are no recovery',
      given: item('not-worse', { effect: lost }),
      want: { recoverySeconds: null, isFailure: false },
    },
  ])('$name', ({ given, want }) => {
    expect(given).toMatchObject(want)
  })
})

test('four keys by team, system and vendor, each with how many it is of', () => {
  const items = [
    item('worse', { team: 'pay', vendor: 'acme', effect: lost, release: { stages: [stage('noted', 60)] } }),
    item('not-worse', { team: 'pay', release: { stages: [stage('noted', 120)] } }),
    item('not-worse', { team: 'cards' }),
    item('cannot-tell', { team: 'cards' }),
  ]
  const totals = changeTotals(items, 2)
  expect(totals.map(({ by, name }) => `${by} ${name}`)).toEqual([
    'all ',
    'team cards',
    'team pay',
    'system core-payment',
    'vendor ',
    'vendor acme',
  ])
  expect(totals[0]).toEqual({
    by: 'all',
    name: '',
    releases: 4,
    perDay: 2,
    judged: 3,
    failures: 1,
    changeFailureRatio: 1 / 3,
    leadTimeMedianSeconds: 5400,
    leadTimeKnown: 2,
    recoveryMedianSeconds: 720,
    recoveryKnown: 1,
    lostRequests: 100,
    lostMinutes: 8,
  })
  expect(changeTotals([], 2)[0]).toMatchObject({
    releases: 0,
    changeFailureRatio: null,
    leadTimeMedianSeconds: null,
  })
})

test('as CSV, in both languages, and no formula', () => {
  const csv = changeCsv(
    [item('worse', { release: { service: '=cmd()', versionTo: '1,"2"' }, effect: lost })],
    'zh-CN',
  )
  const [head, row] = csv.slice(1).split('\r\n')
  expect(csv.startsWith('\uFEFF')).toBe(true)
  expect(head).toContain('投产编号')
  expect(row).toContain(`"'=cmd() 1,""2""","'=cmd()"`.replace(`"'=cmd()"`, `'=cmd()`))
  expect(row).toContain('是,concurrent,100,8')
})
