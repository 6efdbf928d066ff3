import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { present } from '../../test/support/present.ts'
import { buildBankCalendar, type BankCalendarOptions, type SpecialDay } from './bank-calendar.ts'
import { mergeCalendarFiles, parseCalendarFile, type CalendarFile } from './calendar-file.ts'
import { chineseHolidays } from './chinese-holidays.ts'

const calendar = (options: Partial<BankCalendarOptions> = {}) =>
  buildBankCalendar({ holidays: chineseHolidays, timeZone: 'Asia/Shanghai', ...options })

const YEARS = [2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026] as const
const published = (year: number) =>
  JSON.parse(
    readFileSync(new URL(`../../test/fixtures/holidays-cn/${year}.json`, import.meta.url), 'utf8'),
  ) as { readonly days: readonly SpecialDay[] }

describe('holidays and make-up workdays are those of the State Council notices', () => {
  // The files are by notice: the one of a year may hold days of the December before.
  const official = new Map(YEARS.flatMap((year) => published(year).days).map((day) => [day.date, day]))
  test.each(YEARS)('%s', (year) => {
    const wrong = calendar()
      .days(`${year}-01-01`, 365)
      .filter(({ date, isWorked, kind }) => {
        const special = official.get(date)
        if (special === undefined) return isWorked !== (kind === 'workday')
        // Monday, 3 February 2020 is listed only because the holiday before it was prolonged.
        const worked = date === '2020-02-03' ? 'workday' : 'make-up-workday'
        return isWorked === special.isOffDay || kind !== (special.isOffDay ? 'holiday' : worked)
      })
    expect(wrong).toEqual([])
  })
})

test.each([
  ['2026-10-01', 'holiday', '国庆节'],
  ['2026-10-10', 'make-up-workday', '国庆节'],
  ['2026-10-11', 'weekend', ''],
  ['2026-10-12', 'workday', ''],
])('%s is a %s', (date, kind, name) => {
  expect(calendar().day(date)).toMatchObject({ kind, name, isProvisional: false })
})

describe('a year without published holidays', () => {
  test('is provisional, with the days the law fixes', () => {
    expect(calendar().day('2027-10-01')).toMatchObject({ kind: 'holiday', isProvisional: true })
    expect(calendar().day('2027-02-06')).toMatchObject({ kind: 'holiday', name: '春节', isProvisional: true })
    expect(calendar().day('2027-03-01')).toMatchObject({ kind: 'workday', isProvisional: true })
    const off = calendar()
      .days('2027-01-01', 365)
      .filter(({ kind }) => kind === 'holiday')
    expect(off).toHaveLength(13)
  })

  test('is provisional no longer when a file has it', () => {
    const file = parsed({ year: 2027, days: [{ name: '元旦', date: '2027-01-01', isOffDay: true }] })
    const own = calendar({ overrides: file.days, completeYears: file.completeYears })
    expect(own.day('2027-01-01')).toMatchObject({ kind: 'holiday', isProvisional: false })
    expect(own.day('2027-10-01')).toMatchObject({ kind: 'workday', isProvisional: false })
  })

  test('stays provisional when the file is there and lists no day, as before the notice', () => {
    expect(parsed(published2027())).toMatchObject({ completeYears: [] })
  })
})

test("the bank's own files override single days, the later file the earlier one", () => {
  const files = mergeCalendarFiles([
    parsed({ days: [{ name: '系统升级', date: '2026-10-10', isOffDay: true }] }),
    parsed({
      days: [
        { name: '年终决算', date: '2026-12-31', isOffDay: true },
        { name: '加班', date: '2026-10-10', isOffDay: false },
      ],
      marks: [{ date: '2026-11-11', mark: 'campaign', name: '双11' }],
    }),
  ])
  const own = calendar({ overrides: files.days, marks: files.marks })
  expect(own.day('2026-10-10')).toMatchObject({ kind: 'make-up-workday', name: '加班' })
  expect(own.day('2026-12-31')).toMatchObject({ kind: 'holiday', name: '年终决算' })
  expect(own.day('2026-11-11').marks).toEqual(['campaign'])
})

test('ends of months, quarters and years, and the last worked day of a month', () => {
  const marks = (date: string) => calendar().day(date).marks
  expect(marks('2026-01-31')).toEqual(['month-end'])
  expect(marks('2026-01-30')).toEqual(['last-workday-of-month'])
  // Saturday, 28 February 2026 is worked.
  expect(marks('2026-02-28')).toEqual(['month-end', 'last-workday-of-month'])
  expect(marks('2026-06-30')).toEqual(['month-end', 'quarter-end', 'last-workday-of-month'])
  expect(marks('2026-12-31')).toEqual(['month-end', 'quarter-end', 'year-end', 'last-workday-of-month'])
  expect(marks('2026-02-27')).toEqual([])
})

test('the nth worked day skips holidays and counts make-up days', () => {
  expect(calendar().workday('2026-09-30', 1).date).toBe('2026-10-08')
  expect(calendar().workday('2026-10-09', 1).date).toBe('2026-10-10')
  expect(calendar().workday('2026-10-08', -1).date).toBe('2026-09-30')
  expect(() => calendar().workday('2026-10-08', 0)).toThrow(RangeError)
})

test('an instant lies in the day of the zone', () => {
  expect(calendar().dayAt(Date.parse('2026-09-30T16:00:00Z')).date).toBe('2026-10-01')
  expect(calendar({ timeZone: 'UTC' }).dayAt(Date.parse('2026-09-30T16:00:00Z')).date).toBe('2026-09-30')
})

test('what is no date, and lists without bound, are refused', () => {
  expect(() => calendar().day('2026-02-30')).toThrow('is no date')
  expect(() => calendar().days('2026-01-01', 5000)).toThrow(RangeError)
  const faulty = parseCalendarFile({
    days: [{ name: 'x', date: '2026-13-01', isOffDay: true }],
    marks: [{ date: '2026-01-01', mark: 'A b' }],
  })
  expect('problems' in faulty && faulty.problems.map((problem) => problem.split(':')[0])).toEqual([
    'days.0.date',
    'marks.0.mark',
  ])
})

function published2027(): unknown {
  return present(published(2027))
}

function parsed(content: unknown): CalendarFile {
  const file = parseCalendarFile(content)
  if ('problems' in file) throw new Error(file.problems.join('\n'))
  return file
}
