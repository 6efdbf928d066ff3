// The scrape page of SLOs as Prometheus reads it: promtool parses the whole of it, hostile names included.

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Standing } from '../../query/promises/board.ts'
import { metricsPage } from '../../query/promises/metrics-page.ts'
import type { Slo } from '../../query/promises/slos.ts'
import type { ToldStatus } from '../../query/promises/status-store.ts'
import { sloPolicy } from '../../query/slo/slo-policy.ts'
import { workbook30d } from '../../query/slo/burn-profiles.ts'
import { PROMTOOL } from '../support/promtool.ts'
import { SloPlay } from '../support/slo-play.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const HOSTILE = 'a"b\\c\nd} 1\n# TYPE x counter\t密码\u0000{"'

/** A day of 1,000 requests a minute, one in a thousand of them bad, and an hour in which one in ten was. */
function played(): SloPlay {
  const play = new SloPlay(
    sloPolicy({
      objective: 0.999,
      window: { kind: 'rolling', durationMs: DAY },
      burn: workbook30d,
      coverageFloor: 0.1,
    }),
    20 * DAY,
    1440 * 3,
  )
  play.history(1380, { good: 999, total: 1000 })
  play.steps(60, { good: 900, total: 1000 })
  return play
}

function standing(
  play: SloPlay,
  name: string,
  group: string,
  more: { readonly system?: string; readonly isJudged?: boolean; readonly toldAgoMs?: number } = {},
): Standing {
  const status: ToldStatus = {
    ...play.status(),
    knownFromMs: 20 * DAY,
    backfill: undefined,
    isMissing: false,
    failure: undefined,
    tooManyGroups: undefined,
    isUnmatched: false,
  }
  const judged = {
    objective: 0,
    displayName: '',
    compiled: play.slo,
    parts: [],
    isComposite: false,
    probe: undefined,
  }
  const slo = {
    name,
    definition: { service: `svc ${name}`, objectives: [{}] },
    generation: 1,
    stepMs: MINUTE,
    system: more.system,
    owner: undefined,
    tier: 'critical',
    judged: [judged],
  } as unknown as Slo
  const row = {
    slo: name,
    objective: 0,
    group,
    judgedAtMs: play.nowMs - (more.toldAgoMs ?? 0),
    generation: 1,
    // As it comes back from the store.
    status: JSON.parse(JSON.stringify(status)) as ToldStatus,
  }
  return { slo, judged, group, row: more.isJudged === false ? undefined : row }
}

/** @returns what promtool complains of; throws where it cannot read the page */
function complaints(page: string): string[] {
  const { status, stdout, stderr, error } = spawnSync(PROMTOOL, ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  })
  if (error !== undefined)
    throw new Error(`${PROMTOOL} does not run; «node deploy/setup.mjs test» gets it`, { cause: error })
  // 3: read, and something of it is unusual.
  if (status !== 0 && status !== 3) throw new Error(`promtool ends with ${status}: ${stderr}${stdout}`)
  return (stdout + stderr).split('\n').filter((line) => line !== '')
}

const value = (page: string, start: string) => {
  const lines = page.split('\n').filter((line) => line.startsWith(start))
  if (lines.length !== 1) throw new Error(`${lines.length} lines begin with ${start}`)
  return Number(lines[0]?.slice(lines[0].lastIndexOf(' ') + 1))
}

test('promtool reads the whole page, whatever SLOs, services and groups are called', async () => {
  const play = played()
  const page = await metricsPage(
    [
      standing(play, 'plain', ''),
      standing(play, 'by-region', '["east"]'),
      standing(play, 'by-region', '["[\\"east\\"]"]'),
      standing(play, 'by-region', JSON.stringify([HOSTILE])),
      standing(play, 'by-two', JSON.stringify(['a,channel=b', 'c'])),
      standing(play, 'by-two', JSON.stringify(['a', 'b,channel=c'])),
      standing(play, HOSTILE.replace('\u0000', ''), '', { system: '\uD800 half' }),
      standing(play, 'new', '', { isJudged: false }),
    ],
    play.nowMs,
  )
  const told = complaints(page)
  // The colon is Sloth's: its names are those of recording rules.
  expect(told.filter((line) => !/^slo:\S+ metric names should not contain ':'$/.test(line))).toEqual([])
  const series = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  expect(new Set(series.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(series.length)
  expect(series.length).toBeGreaterThan(200)
  expect(page).not.toMatch(/NaN|Inf|null|undefined/)
})

test('a page that is not of this format is refused, so the check above can fail', async () => {
  expect(() => complaints('slo_condition{slo="a\nb"} 1\n')).toThrow(/promtool ends with 1/)
})

test('figures are those of the status, under names of Sloth and of our own', async () => {
  const play = played()
  const page = await metricsPage([standing(play, 'pay', '')], play.nowMs)
  const labels = 'sloth_id="svc pay-pay",sloth_service="svc pay",sloth_slo="pay",objective="0"'
  // 1,380 minutes with 1 bad and 60 with 100 bad of 1,000 each.
  const errors = (1380 + 6000) / 1_440_000
  expect(value(page, `slo:objective:ratio{${labels}}`)).toBe(0.999)
  expect(value(page, `slo:error_budget:ratio{${labels}}`)).toBe(0.001)
  expect(value(page, `slo:time_period:days{${labels}}`)).toBe(1)
  expect(value(page, `slo:sli_error:ratio_rate1d{${labels},sloth_window="1d"}`)).toBeCloseTo(errors, 12)
  expect(value(page, `slo:sli_error:ratio_rate1h{${labels},sloth_window="1h"}`)).toBe(0.1)
  expect(value(page, `slo:sli_error:ratio_rate5m{${labels},sloth_window="5m"}`)).toBe(0.1)
  expect(value(page, `slo:current_burn_rate:ratio{${labels}}`)).toBeCloseTo(100, 9)
  expect(value(page, `slo:period_burn_rate:ratio{${labels}}`)).toBeCloseTo(errors / 0.001, 9)
  expect(value(page, `slo:period_error_budget_remaining:ratio{${labels}}`)).toBeCloseTo(1 - errors / 0.001, 9)
  expect(value(page, 'surety_slo_condition{slo="pay",objective="0",condition="burning-fast"}')).toBe(1)
  expect(value(page, 'surety_slo_coverage_ratio{slo="pay",objective="0",exclusions="applied"}')).toBe(1)
  expect(value(page, 'surety_slo_judged_timestamp_seconds{')).toBe(play.nowMs / 1000)
  expect(value(page, 'surety_slo_events_per_second{slo="pay",objective="0",window="1h"}')).toBeCloseTo(
    1000 / 60,
    9,
  )
})

test('2.7 what is not known has no line: nothing judged yet, no traffic, nothing told for minutes', async () => {
  const play = played()
  const fresh = await metricsPage([standing(play, 'pay', '', { isJudged: false })], play.nowMs)
  expect(fresh.split('\n').filter((line) => line.startsWith('surety_'))).toEqual([
    expect.stringMatching(/^surety_slo_info\{/),
  ])
  expect(fresh).not.toMatch(/burn_rate|sli_error|remaining/)
  const old = await metricsPage([standing(play, 'pay', '', { toldAgoMs: 301_000 })], play.nowMs)
  expect(old).not.toMatch(/burn_rate|sli_error|remaining|condition/)
  expect(old).toMatch(/surety_slo_judged_timestamp_seconds\{/)
  const young = new SloPlay({ ...played().slo.policy, coverageFloor: 0.9 }, 20 * DAY, 1440 * 3)
  young.steps(10, { good: 1000, total: 1000 })
  const begun = await metricsPage([standing(young, 'pay', '')], young.nowMs)
  expect(begun).not.toMatch(/,window="1h"|,window="1d"|ratio_rate1h|remaining|surety_slo_sli_ratio/)
  expect(value(begun, 'surety_slo_coverage_ratio{slo="pay",objective="0",exclusions="applied"}')).toBeCloseTo(
    10 / 1440,
    12,
  )
  const quiet = played()
  quiet.steps(180, 'empty')
  const page = await metricsPage([standing(quiet, 'pay', '')], quiet.nowMs)
  expect(page).not.toMatch(/ratio_rate5m|ratio_rate1h|NaN|current_burn_rate/)
  expect(value(page, 'surety_slo_events_per_second{slo="pay",objective="0",window="1h"}')).toBe(0)
  expect(value(page, 'slo:period_error_budget_remaining:ratio{')).toBeLessThan(0)
})
