// The reading side of SLOs: definitions as they are now, beside what the loop told last. Shared by every route that tells of SLOs.

import type { Store } from '../../ingest/store/store.ts'
import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { Registry } from '../registry/registry.ts'
import { loadSlos, type Judged, type Slo, type Slos } from './slos.ts'
import { readConditions, readStatuses, type ConditionRow, type StatusRow } from './status-store.ts'

type Of<Row> = {
  readonly slo: Slo
  readonly judged: Judged
  readonly group: string
  /** Undefined until the loop has judged it. */
  readonly row: Row | undefined
}
export type Standing = Of<StatusRow>

export interface Board {
  slos(): Promise<Slos>
  /** In order of name, objective and group; what a caller may read. @param names  of SLOs; undefined: all */
  standings(scope: ReadScope, names?: readonly string[]): Promise<Standing[]>
  /** All of them, in one word each. */
  conditions(scope: ReadScope): Promise<Of<ConditionRow>[]>
}

/** A group that was not judged for so long is gone. */
const GONE_MS = 900_000

export function buildBoard(store: Pick<Store, 'ask'>, registry: Registry): Board {
  let read: Slos | undefined
  let reading: Promise<Slos> | undefined
  async function slos(): Promise<Slos> {
    const wanted = await registry.changeNumber()
    // A reading that others began may have begun before the change that this caller knows of.
    while (read === undefined || read.changeNumber < wanted) {
      reading ??= loadSlos(registry).finally(() => {
        reading = undefined
      })
      read = await reading
    }
    return read
  }
  async function arranged<Row extends Told>(
    scope: ReadScope,
    rowsOf: () => Promise<Row[]>,
    names?: readonly string[],
  ): Promise<Of<Row>[]> {
    const loaded = await slos()
    const wanted = names && new Set(names)
    const readable = [...loaded.slos.values()].filter(
      ({ name, system }) => mayRead(scope, system) && (wanted === undefined || wanted.has(name)),
    )
    const rows = Map.groupBy(await rowsOf(), ({ slo, objective }) => `${slo}/${objective}`)
    // The order of byPlace, without comparing everything with everything.
    return readable
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((slo) => slo.judged.flatMap((judged) => standingsOf(slo, judged, rows)))
  }
  return {
    slos,
    standings: (scope, names) => arranged(scope, () => readStatuses(store, names), names),
    conditions: (scope) => arranged(scope, () => readConditions(store)),
  }
}

type Told = Pick<StatusRow, 'slo' | 'objective' | 'group' | 'judgedAtMs' | 'generation'>

function standingsOf<Row extends Told>(
  slo: Slo,
  judged: Judged,
  rows: ReadonlyMap<string, readonly Row[]>,
): Of<Row>[] {
  const known = (rows.get(`${slo.name}/${judged.objective}`) ?? []).filter(
    ({ generation }) => generation === slo.generation,
  )
  const newestMs = Math.max(0, ...known.map(({ judgedAtMs }) => judgedAtMs))
  const alive = known.filter(
    ({ judgedAtMs, group }) =>
      newestMs - judgedAtMs < GONE_MS && (group !== '' || known.length === 1 || judgedAtMs === newestMs),
  )
  const groups = alive.some(({ group }) => group !== '') ? alive.filter(({ group }) => group !== '') : alive
  if (groups.length === 0) return [{ slo, judged, group: '', row: undefined }]
  return groups
    .toSorted((a, b) => (a.group < b.group ? -1 : 1))
    .map((row) => ({ slo, judged, group: row.group, row }))
}
