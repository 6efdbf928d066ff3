// The bank calendar, day by day.

import { definedCalendar } from '../../calendar/defined-calendar.ts'
import { addDays, civilDate, dateOf, isTimeZone } from '../../calendar/zoned-time.ts'
import type { CalendarSpec } from '../../registry/kinds/calendar.ts'
import { iso, parseInstant } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { CalendarQuery, CalendarReply } from '../calendar-schemas.ts'
import { InvalidRequest, notFound } from '../errors.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

const DAYS_DEFAULT = 31
const DAYS_MAX = 400
// What is published, and a while ahead of it.
const YEARS = { min: 1970, max: 2105 } as const

export function calendarRoutes(app: TypedApp, { registry, clock }: ApiParts): void {
  app.get(
    '/api/v1/calendar',
    {
      schema: {
        summary: 'Days of the bank calendar: holidays, make-up workdays, marks',
        tags: ['calendar'],
        querystring: CalendarQuery,
        response: { 200: CalendarReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async ({ query }, reply) => {
      const { from, to, timeZone } = query
      if (timeZone !== undefined && !isTimeZone(timeZone))
        throw new InvalidRequest('timeZone', 'is no zone that is known here; write it as Asia/Shanghai')
      const names = [query.calendar ?? []].flat()
      const found = await Promise.all(names.map((name) => registry.get('calendar', name)))
      const missing = names.find((_, index) => found[index] === undefined)
      if (missing !== undefined) return notFound(reply, `There is no calendar «${missing}».`)
      const specs = found.flatMap((object) => (object === undefined ? [] : [object.spec as CalendarSpec]))
      const calendar = definedCalendar(specs, timeZone)
      const dayOf = (place: string, text: string) => dayIn(place, text, calendar.timeZone, clock.now())
      const first = dayOf('from', from)
      const end = to === undefined ? addDays(first, DAYS_DEFAULT) : endOf(to)
      const count = Math.round((Date.parse(end) - Date.parse(first)) / 86_400_000)
      if (count < 1) throw new InvalidRequest('from', 'must lie before to')
      if (count > DAYS_MAX) throw new InvalidRequest('from', `a range covers at most ${DAYS_MAX} days`)
      const days = calendar.days(first, count)
      return {
        timeZone: calendar.timeZone,
        calendars: names,
        provisionalYears: [
          ...new Set(
            days.flatMap(({ date, isProvisional }) => (isProvisional ? [Number(date.slice(0, 4))] : [])),
          ),
        ],
        days: days.map(({ marks, ...day }) => ({ ...day, marks: [...marks] })),
      }

      /** A day as it stands; of an instant the day after the one that its last millisecond lies in. */
      function endOf(text: string): string {
        if (civilDate(text) !== undefined) return dayOf('to', text)
        const ms = instantIn('to', text, clock.now())
        return addDays(dayOf('to', iso(ms - 1)), 1)
      }
    },
  )
}

/** @throws InvalidRequest */
function dayIn(place: string, text: string, timeZone: string, nowMs: number): string {
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? text : dateOf(instantIn(place, text, nowMs), timeZone)
  const year = civilDate(date)?.year
  if (year === undefined) throw new InvalidRequest(place, 'is not a date that exists')
  if (year < YEARS.min || year > YEARS.max)
    throw new InvalidRequest(place, `must lie in the years ${YEARS.min} to ${YEARS.max}`)
  return date
}

/** @throws InvalidRequest */
function instantIn(place: string, text: string, nowMs: number): number {
  const ms = parseInstant(text, nowMs)
  if (ms === undefined) throw new InvalidRequest(place, 'is not a date that exists')
  return ms
}
