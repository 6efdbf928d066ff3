// Pairs one question, an .sql file beside the function that asks it, with the shapes of its parameters and
// of its rows. Past the row shape the types are true and nobody re-checks.

import { readFileSync } from 'node:fs'
import type { z } from 'zod'

export type Statement<Parameters, Row> = {
  readonly name: string
  readonly sql: string
  readonly parameters: z.ZodType<Parameters>
  readonly row: z.ZodType<Row>
}

/**
 * @param url         the .sql file: `new URL('./services.sql', import.meta.url)`
 * @param parameters  shape of what binds as `{name:Type}`
 * @param row         shape of one JSONEachRow row (64-bit integers arrive as strings; coerce them)
 */
export function statement<Parameters, Row>(
  url: URL,
  parameters: z.ZodType<Parameters>,
  row: z.ZodType<Row>,
): Statement<Parameters, Row> {
  const name = url.pathname.split('/').at(-1) ?? url.pathname
  return { name, sql: readFileSync(url, 'utf8').trim().replace(/;$/, ''), parameters, row }
}
