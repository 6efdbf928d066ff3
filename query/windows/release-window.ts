// Release windows (投产窗口): which night an instant lies in, and by which hour its verdict is due. Pure; local times are of the
// deployment's zone.

import { addDays, dateOf, instantOf } from '../calendar/zoned-time.ts'

export type WindowPlan = {
  /** Minutes since local midnight; an end that is not after the start lies on the next day. */
  readonly startMinute: number
  readonly endMinute: number
  /** Of the day on which the window ends. */
  readonly verdictMinute: number
  readonly timeZone: string
}

export type ReleaseWindow = {
  /** Local date on which it begins. */
  readonly id: string
  readonly fromMs: number
  readonly toMs: number
  readonly verdictAtMs: number
}

const TIME = String.raw`([01]\d|2[0-3]):([0-5]\d)`
export const WINDOW_FORM = new RegExp(`^${TIME}-${TIME}$`)
export const TIME_FORM = new RegExp(`^${TIME}$`)

/** @param window  `22:00-06:00` @param verdictAt  `07:30` @throws RangeError when they are written otherwise */
export function windowPlan(window: string, verdictAt: string, timeZone: string): WindowPlan {
  const [, startHour, startMinute, endHour, endMinute] = WINDOW_FORM.exec(window) ?? []
  const [, hour, minute] = TIME_FORM.exec(verdictAt) ?? []
  if (endMinute === undefined || minute === undefined)
    throw new RangeError(`not a window and an hour: ${window}, ${verdictAt}`)
  return {
    startMinute: Number(startHour) * 60 + Number(startMinute),
    endMinute: Number(endHour) * 60 + Number(endMinute),
    verdictMinute: Number(hour) * 60 + Number(minute),
    timeZone,
  }
}

/** @param id  local date on which it begins @returns undefined when there is no such date */
export function windowOf(plan: WindowPlan, id: string): ReleaseWindow | undefined {
  const fromMs = at(id, plan.startMinute, plan.timeZone)
  if (fromMs === undefined) return undefined
  const endDate = plan.endMinute > plan.startMinute ? id : addDays(id, 1)
  const toMs = at(endDate, plan.endMinute, plan.timeZone)
  // An hour before the window's end is meant for the day after.
  const verdictDate = plan.verdictMinute >= plan.endMinute ? endDate : addDays(endDate, 1)
  const verdictAtMs = at(verdictDate, plan.verdictMinute, plan.timeZone)
  if (toMs === undefined || verdictAtMs === undefined) return undefined
  return { id, fromMs, toMs, verdictAtMs }
}

/** Windows that begin in a range, oldest first. */
export function windowsIn(
  plan: WindowPlan,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): readonly ReleaseWindow[] {
  const windows: ReleaseWindow[] = []
  for (let date = dateOf(fromMs, plan.timeZone); ; date = addDays(date, 1)) {
    const window = windowOf(plan, date)
    if (window === undefined || window.fromMs >= toMs) return windows
    if (window.fromMs >= fromMs) windows.push(window)
  }
}

function at(date: string, minute: number, timeZone: string): number | undefined {
  const two = (value: number) => String(value).padStart(2, '0')
  return instantOf(`${date} ${two(Math.floor(minute / 60))}:${two(minute % 60)}:00`, timeZone)
}
