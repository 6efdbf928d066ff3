// Release events in the store: each (source, id) once, the first wins; and beside each event that tells of a release, its step.
//
// Order of one call: look up → events → steps. A call that broke off between the two is completed by the same call again, since the
// steps of events that are known are looked up, too; and by the next start, which makes every step that is missing.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import type { ReleaseStep } from '../records/release-step.ts'
import type { ReleaseEventStore } from './release-event-store.ts'
import { insertSteps } from './step-rows.ts'
import type { StepEvent } from './steps/step-draft.ts'
import { stepOfEvent } from './steps/step-of-event.ts'
import { statement, type Columns, type Store } from '../store/store.ts'

const knownEvents = statement(
  new URL('./known-release-events.sql', import.meta.url),
  z.object({ sources: z.array(z.string()), ids: z.array(z.string()) }),
  z.object({ source: z.string(), id: z.string() }),
)

const EventRow = z.object({
  source: z.string(),
  id: z.string(),
  type: z.string(),
  happened: z.coerce.number(),
  received: z.coerce.number(),
  body: z.string(),
})
const knownEventsWithoutStep = statement(
  new URL('./known-events-without-step.sql', import.meta.url),
  z.object({ sources: z.array(z.string()), ids: z.array(z.string()) }),
  EventRow,
)
const eventsWithoutStep = statement(
  new URL('./events-without-step.sql', import.meta.url),
  z.object({ source: z.string(), id: z.string(), limit: z.number().int() }),
  EventRow,
)
const eventOf = ({ happened, received, ...event }: z.output<typeof EventRow>): StepEvent => ({
  ...event,
  at: happened,
  receivedAt: received,
})
/** Events read at once when missing steps are made. */
const PAGE_EVENTS = 500

type Identity = { readonly source: string; readonly id: string }

const COLUMNS: Columns = {
  source: 'String',
  id: 'String',
  type: 'String',
  at: { type: 'Int64', value: `fromUnixTimestamp64Milli(at, 'UTC')` },
  received_at: { type: 'Int64', value: `fromUnixTimestamp64Milli(received_at, 'UTC')` },
  service: 'String',
  version: 'String',
  environment: 'String',
  action: 'String',
  description: 'String',
  subject: 'String',
  specversion: 'String',
  body: 'String',
}

export interface StoredReleaseEvents extends ReleaseEventStore {
  /**
   * Makes the steps that stored events lack: those from before there were steps, and those of a call that broke off.
   * @param goesOn asked before each page of events
   * @returns steps that were made
   */
  completeSteps(goesOn: () => boolean): Promise<number>
}

/** One writer per store: looking up and inserting is one step here, so two calls never store one event twice. */
export function buildReleaseEventStore(
  store: Pick<Store, 'ask' | 'insertRows'>,
  stepOf: (event: StepEvent) => ReleaseStep | undefined = stepOfEvent,
): StoredReleaseEvents {
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }
  const stepsOf = (events: readonly StepEvent[]) =>
    events.flatMap((event) => {
      const step = stepOf(event)
      return step === undefined ? [] : [step]
    })

  async function addNow(records: readonly ReleaseEventRecord[]) {
    const identity = ({ source, id }: { source: string; id: string }) => JSON.stringify([source, id])
    const parameters = { sources: records.map(({ source }) => source), ids: records.map(({ id }) => id) }
    const known = new Set((await store.ask(knownEvents, parameters)).map(identity))
    const fresh = records.filter((record) => !known.has(identity(record)))
    if (fresh.length > 0) {
      const rows = fresh.map(({ receivedAt, ...record }) => ({ ...record, received_at: receivedAt }))
      const token = createHash('sha256').update(JSON.stringify(rows)).digest('hex')
      await store.insertRows('release_events', COLUMNS, rows, `release-events/${token}`)
    }
    // What is known is told by the event that was kept, not by the one that came again.
    const again = records.filter((record) => known.has(identity(record)))
    await insertSteps(store, stepsOf([...fresh, ...(await withoutStep(again))]))
    return { stored: fresh.length, duplicates: records.length - fresh.length }
  }

  async function withoutStep(records: readonly ReleaseEventRecord[]): Promise<StepEvent[]> {
    if (records.length === 0) return []
    const parameters = { sources: records.map(({ source }) => source), ids: records.map(({ id }) => id) }
    return (await store.ask(knownEventsWithoutStep, parameters)).map(eventOf)
  }

  async function completePage({
    source,
    id,
  }: Identity): Promise<{ made: number; last?: Identity | undefined }> {
    const rows = await store.ask(eventsWithoutStep, { source, id, limit: PAGE_EVENTS })
    const steps = stepsOf(rows.map(eventOf))
    await insertSteps(store, steps)
    return { made: steps.length, last: rows.length < PAGE_EVENTS ? undefined : rows.at(-1) }
  }

  return {
    add: (records) => inTurn(() => addNow(records)),
    async completeSteps(goesOn) {
      let made = 0
      let after: Identity | undefined = { source: '', id: '' }
      while (after !== undefined && goesOn()) {
        const from: Identity = after
        const page = await inTurn(() => completePage(from))
        made += page.made
        after = page.last
      }
      return made
    },
  }
}
