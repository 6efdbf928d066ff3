// What a search box suggests: attribute keys and their values, from a sample of spans (ingest/derived/).

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'

const wanted = z.object({ prefix: z.string(), service: z.string(), limit: z.number().int() })
const text = z.object({ text: z.string() })
const keys = statement(new URL('./attribute-keys.sql', import.meta.url), wanted, text)
const values = statement(
  new URL('./attribute-values.sql', import.meta.url),
  wanted.extend({ key: z.string() }),
  text,
)

/** The empty string means all. */
export type Suggesting = { readonly prefix: string; readonly service: string; readonly limit: number }

export async function attributeKeys(store: Store, which: Suggesting): Promise<string[]> {
  return (await store.ask(keys, which)).map((row) => row.text)
}

export async function attributeValues(store: Store, key: string, which: Suggesting): Promise<string[]> {
  return (await store.ask(values, { ...which, key })).map((row) => row.text)
}
