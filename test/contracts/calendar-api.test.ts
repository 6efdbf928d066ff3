// The bank calendar over HTTP, with calendars of the registry in place of published days.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { CalendarReply } from '../../query/http/calendar-schemas.ts'
import { define, viewerOf } from '../support/api-people.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

type Calendar = z.infer<typeof CalendarReply>

let surety: TestSurety
beforeAll(async () => {
  surety = await startSurety()
  await define(surety, 'calendars/bank', {
    days: [{ date: '2026-10-12', name: '系统升级', isOffDay: true }],
    marks: [{ date: '2026-10-15', mark: 'payroll' }],
  })
  await define(surety, 'calendars/branch', {
    timeZone: 'America/New_York',
    days: [
      { date: '2026-10-12', name: 'open', isOffDay: false },
      { date: '2026-10-10', name: 'closed', isOffDay: true },
    ],
    completeYears: [2027],
  })
})
afterAll(() => surety.stop())

const ask = (query: string, status?: number) => surety.get<Calendar>(`/api/v1/calendar?${query}`, status)
const days = ({ days: all }: Calendar) => all.map(({ date, kind, name }) => [date, kind, name])

test('published holidays and make-up workdays, the last day not included', async () => {
  const found = await ask('from=2026-09-30&to=2026-10-13')
  expect(found).toMatchObject({ timeZone: 'Asia/Shanghai', calendars: [], provisionalYears: [] })
  expect(days(found)).toEqual([
    ['2026-09-30', 'workday', ''],
    ...[1, 2, 3, 4, 5, 6, 7].map((day) => [`2026-10-0${day}`, 'holiday', '国庆节']),
    ['2026-10-08', 'workday', ''],
    ['2026-10-09', 'workday', ''],
    ['2026-10-10', 'make-up-workday', '国庆节'],
    ['2026-10-11', 'weekend', ''],
    ['2026-10-12', 'workday', ''],
  ])
  expect(found.days[0]).toMatchObject({
    isWorked: true,
    isProvisional: false,
    marks: ['month-end', 'quarter-end', 'last-workday-of-month'],
  })
})

test('a year without published holidays is provisional, and said so', async () => {
  const found = await ask('from=2026-12-31&to=2027-01-02')
  expect(found.provisionalYears).toEqual([2027])
  expect(found.days.map(({ isProvisional }) => isProvisional)).toEqual([false, true])
  expect((await ask('from=2027-01-01&to=2027-02-01&calendar=branch')).provisionalYears).toEqual([])
})

test('calendars of the registry override, the later one the earlier one', async () => {
  const range = 'from=2026-10-10&to=2026-10-16'
  const own = await ask(`${range}&calendar=bank`)
  expect(days(own)[2]).toEqual(['2026-10-12', 'holiday', '系统升级'])
  expect(own.days[5]?.marks).toEqual(['payroll'])
  const both = await ask(`${range}&calendar=bank&calendar=branch`)
  expect(both).toMatchObject({ calendars: ['bank', 'branch'], timeZone: 'America/New_York' })
  expect(days(both).slice(0, 3)).toEqual([
    ['2026-10-10', 'holiday', 'closed'],
    ['2026-10-11', 'weekend', ''],
    ['2026-10-12', 'workday', 'open'],
  ])
  expect(both.days[5]?.marks).toEqual(['payroll'])
  expect(days(await ask(`${range}&calendar=branch&calendar=bank`))[2]).toEqual([
    '2026-10-12',
    'holiday',
    '系统升级',
  ])
})

test('instants are days of the calendar’s zone, a day that is only touched included', async () => {
  const range = 'from=2026-09-30T16:00:00Z&to=2026-10-01T16:00:00Z'
  expect((await ask(range)).days.map(({ date }) => date)).toEqual(['2026-10-01'])
  expect((await ask(`${range}&timeZone=UTC`)).days.map(({ date }) => date)).toEqual([
    '2026-09-30',
    '2026-10-01',
  ])
  expect((await ask(`${range}&calendar=branch`)).timeZone).toBe('America/New_York')
  expect((await ask('')).days).toHaveLength(31)
  // Both ends of daylight saving time lie in it.
  expect((await ask('from=2026-01-01&to=2027-01-01&timeZone=America/New_York')).days).toHaveLength(365)
})

describe('bad input is refused with its place', () => {
  test.each([
    { query: 'from=2026-02-30', place: 'from' },
    { query: 'from=2026-10-02&to=2026-10-01', place: 'from' },
    { query: 'from=2026-10-01&to=2026-10-01', place: 'from' },
    { query: 'from=2026-01-01&to=2027-02-06', place: 'from' },
    { query: 'from=2026-01-01&to=9999-12-31', place: 'to' },
    { query: 'from=0001-01-01', place: 'from' },
    { query: 'from=1969-12-31', place: 'from' },
    { query: 'from=-999999d', place: 'from' },
    { query: 'from=2026-01-01&to=-999999d', place: 'to' },
    { query: 'from=tomorrow', place: 'from' },
    { query: 'timeZone=Asia/Atlantis', place: 'timeZone' },
    { query: `timeZone=${encodeURIComponent("UTC'; DROP TABLE spans")}`, place: 'timeZone' },
    { query: 'calendar=%00', place: 'calendar' },
    { query: 'calendar=bank&'.repeat(9), place: 'calendar' },
  ])('$query', async ({ query, place }) => {
    expect(await ask(query, 400)).toMatchObject({
      code: 'SURETY_INVALID_REQUEST',
      errors: expect.arrayContaining([
        expect.objectContaining({ place: expect.stringContaining(place) as string }),
      ]) as unknown[],
    })
  })

  test('a calendar that is not there, SQL for a name included', async () => {
    for (const name of ['nothing', "bank' OR '1'='1"])
      expect(await ask(`calendar=${encodeURIComponent(name)}`, 404)).toMatchObject({
        code: 'SURETY_NOT_FOUND',
      })
  })
})

test('calendars belong to no system: whoever reads anything reads them', async () => {
  const some = await viewerOf(surety, 'some', [])
  expect(await some<Calendar>('/api/v1/calendar?from=2026-10-12&to=2026-10-13&calendar=bank')).toMatchObject({
    days: [{ kind: 'holiday' }],
  })
})
