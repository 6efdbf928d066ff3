// The conformance files of CDEvents, made into events of today that differ: upstream's share two ids.

import { readdirSync, readFileSync } from 'node:fs'

const FIXTURES = new URL('../fixtures/cdevents/', import.meta.url)

type Event = { readonly context: Readonly<Record<string, unknown>> } & Readonly<Record<string, unknown>>
export type ConformanceEvent = {
  /** `v0.5.1/service_deployed`, which is also its id. */
  readonly name: string
  readonly source: string
  readonly type: string
  readonly event: Event
}

/** All 45 of each version and the custom ones, under one source, at one instant. */
export function conformanceEvents(source: string, atMs: number): readonly ConformanceEvent[] {
  return ['v0.4.1', 'v0.5.1'].flatMap((version) =>
    ['conformance', 'custom'].flatMap((folder) =>
      readdirSync(new URL(`${version}/${folder}/`, FIXTURES))
        .filter((file) => file.endsWith('.json'))
        .map((file) => {
          const text = readFileSync(new URL(`${version}/${folder}/${file}`, FIXTURES), 'utf8')
          const event = JSON.parse(text) as Event
          const name = `${version}/${folder === 'custom' ? 'custom_' : ''}${file.replace('.json', '')}`
          const context = { ...event.context, id: name, source, timestamp: new Date(atMs).toISOString() }
          return { name, source, type: String(event.context['type']), event: { ...event, context } }
        }),
    ),
  )
}
