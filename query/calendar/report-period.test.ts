import { expect, test } from 'vitest'
import { reportPeriod } from './report-period.ts'

const DAY = 86_400_000
const span = (name: string, timeZone = 'UTC') => {
  const period = reportPeriod(name, timeZone)
  return period && [new Date(period.fromMs).toISOString(), new Date(period.toMs).toISOString(), period.unit]
}

test.each([
  ['2026-10', '2026-10-01', '2026-11-01', 'month'],
  ['2026-12', '2026-12-01', '2027-01-01', 'month'],
  ['2026-Q3', '2026-07-01', '2026-10-01', 'quarter'],
  ['2026-Q4', '2026-10-01', '2027-01-01', 'quarter'],
  ['2026', '2026-01-01', '2027-01-01', 'year'],
  ['2026-W45', '2026-11-02', '2026-11-09', 'week'],
  // The first week of 2026 begins in 2025; 2026 has 53.
  ['2026-W01', '2025-12-29', '2026-01-05', 'week'],
  ['2026-W53', '2026-12-28', '2027-01-04', 'week'],
])('%s is from %s to %s', (name, from, to, unit) => {
  expect(span(name)).toEqual([`${from}T00:00:00.000Z`, `${to}T00:00:00.000Z`, unit])
})

test.each([
  '2025-W53',
  '2026-W54',
  '2026-W00',
  '2026-13',
  '2026-Q5',
  '26-10',
  '2026-1',
  '2026-10-01',
  '2026-q3',
  '',
])('«%s» is no period', (name) => expect(reportPeriod(name, 'UTC')).toBeUndefined())

test('a period is of its zone, and as long as its clock changes make it', () => {
  expect(span('2026-10', 'Asia/Shanghai')?.[0]).toBe('2026-09-30T16:00:00.000Z')
  const october = reportPeriod('2026-10', 'Europe/Berlin')
  expect(((october?.toMs ?? 0) - (october?.fromMs ?? 0)) / DAY).toBeCloseTo(31 + 1 / 24, 9)
})
