// What must hold between objects, judged in the transaction of a change, after it was written.

import type { Queries } from './database.ts'
import { RulesBroken, type RuleFault } from './errors.ts'
import { idOf, type Change } from './object.ts'

const FAULTS_MAX = 100

/** Nothing is named that is not there, nothing goes that is named. @throws RulesBroken naming each place */
export async function checkReferences(queries: Queries, changes: readonly Change[]): Promise<void> {
  const objects = changes.map(({ object }) => object)
  const rows = await queries.rows(
    `WITH changed AS (SELECT * FROM unnest($1::text[], $2::text[]) AS given (kind, name))
    SELECT from_kind, from_name, path, to_kind, to_name FROM object_references r
    WHERE ((from_kind, from_name) IN (SELECT * FROM changed) OR (to_kind, to_name) IN (SELECT * FROM changed))
    AND NOT EXISTS (SELECT 1 FROM objects WHERE kind = to_kind AND name = to_name)
    ORDER BY from_kind, from_name, path LIMIT ${FAULTS_MAX}`,
    [objects.map(({ kind }) => kind), objects.map(({ name }) => name)],
  )
  const gone = new Set(changes.filter(({ action }) => action === 'delete').map(({ object }) => idOf(object)))
  const faults = rows.map((row): RuleFault => {
    const [kind, name] = [String(row['to_kind']), String(row['to_name'])]
    const object = `${String(row['from_kind'])}/${String(row['from_name'])}`
    const message = gone.has(`${kind}/${name}`)
      ? `names the ${kind} «${name}», which cannot be deleted while it is named`
      : `there is no ${kind} «${name}»; make it first, or in the same apply`
    return { object, path: String(row['path']), message }
  })
  if (faults.length > 0) throw new RulesBroken(faults)
}

const RULES = [
  {
    name: 'organisations are a tree',
    concerns: 'organisation',
    sql: `WITH RECURSIVE above AS (
        SELECT from_name AS name, to_name AS parent FROM object_references WHERE from_kind = 'organisation' AND to_kind = 'organisation'
        UNION
        SELECT above.name, r.to_name FROM above JOIN object_references r
        ON r.from_kind = 'organisation' AND r.to_kind = 'organisation' AND r.from_name = above.parent
      ) SELECT name FROM above WHERE name = parent ORDER BY name`,
    path: 'spec.parent',
    message: () => 'is above itself; organisations are a tree',
  },
  {
    name: 'a telemetry name belongs to one service',
    concerns: 'service',
    sql: `SELECT max(name) AS name, telemetry_name AS detail FROM (
        SELECT name, name AS telemetry_name FROM objects WHERE kind = 'service'
        UNION SELECT name, jsonb_array_elements_text(spec -> 'telemetryNames') FROM objects WHERE kind = 'service'
      ) AS said GROUP BY telemetry_name HAVING count(*) > 1 ORDER BY telemetry_name`,
    path: 'spec.telemetryNames',
    message: (detail: string) => `«${detail}» names another service already`,
  },
  {
    name: 'somebody can administer',
    concerns: 'user',
    sql: `SELECT '' AS name WHERE NOT EXISTS (SELECT 1 FROM objects
      WHERE kind = 'user' AND spec ->> 'role' = 'admin' AND NOT coalesce((spec ->> 'disabled')::boolean, false))`,
    path: '',
    message: () => 'nobody could administer Surety any more; keep one admin who is not disabled',
  },
] as const

/** @throws RulesBroken */
export async function checkRules(queries: Queries, changes: readonly Change[]): Promise<void> {
  const kinds = new Set(changes.map(({ object }) => object.kind))
  const faults: RuleFault[] = []
  for (const { concerns, sql, path, message } of RULES.filter((rule) => kinds.has(rule.concerns))) {
    const rows = await queries.rows(`${sql} LIMIT ${FAULTS_MAX}`)
    for (const { name, detail } of rows)
      faults.push({ object: `${concerns}/${String(name)}`, path, message: message(String(detail)) })
  }
  if (faults.length > 0) throw new RulesBroken(faults)
}
