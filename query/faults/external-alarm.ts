// An outside alarm as an alarm of ours.

import type { z } from 'zod'
import type { ExternalFault } from '../http/fault-schemas.ts'
import { ANYWHERE, type Alarm } from './alarm.ts'

/** An outside alarm says no end: it counts as over after this long. */
export const EXTERNAL_LASTS_MS = 3_600_000
/** An outside clock may be ahead of ours by this much. */
export const AHEAD_MAX_MS = 60_000

/** @param atMs  when it rang, by its sender @param system  of its service, as far as known */
export function externalAlarm(
  { id, name, measure, service, operation }: z.output<typeof ExternalFault>,
  atMs: number,
  system: string | undefined,
): Alarm {
  return {
    key: `external/${id}`,
    series: `external/${id}`,
    origin: 'external',
    name: name === '' ? id : name,
    measure,
    place: { ...ANYWHERE, service, operation },
    system,
    atMs,
  }
}
