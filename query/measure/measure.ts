// Measures slices: asks each family once, tells its rows apart, and makes a slice of every step of every question, also of
// those without a request: a slice that was measured and had nothing is not a slice that was not measured.

import { z } from 'zod'
import type { Statement, Store } from '../../ingest/store/store.ts'
import { familiesOf, familySql, keyOf, type Family } from './families.ts'
import { GROUPS_MAX, type SliceQuestion } from './question.ts'

export type MeasuredSlice = {
  readonly slo: string
  readonly generation: number
  /** Values of the group-by dimensions as JSON; empty without. */
  readonly group: string
  readonly startSecond: number
  readonly stepSeconds: number
  /** Thousandths of an event. */
  readonly good: number
  readonly total: number
}

export type Measured = {
  readonly slices: readonly MeasuredSlice[]
  /** SLOs with more groups than are kept, and how many they have. */
  readonly tooManyGroups: ReadonlyMap<string, number>
}

const Row = z.object({
  k: z.array(z.string()),
  at: z.coerce.number(),
  good: z.coerce.number(),
  total: z.coerce.number(),
})

/**
 * @param fromSecond, toSecond  s since epoch; slices that lie in between as a whole are measured
 * @param knownGroups  groups seen before of an SLO: they are measured when they have no request too
 * @throws StoreError
 */
export async function measureSlices(
  store: Pick<Store, 'ask'>,
  questions: readonly SliceQuestion[],
  fromSecond: number,
  toSecond: number,
  knownGroups: (question: SliceQuestion) => readonly string[] = () => [],
): Promise<Measured> {
  const slices: MeasuredSlice[] = []
  const tooManyGroups = new Map<string, number>()
  for (const family of familiesOf(questions)) {
    const from = Math.ceil(fromSecond / family.stepSeconds) * family.stepSeconds
    const to = Math.floor(toSecond / family.stepSeconds) * family.stepSeconds
    if (to <= from) continue
    const counted = await countsOf(store, family, from, to)
    for (const [key, members] of family.questions) {
      const found = counted.get(key) ?? new Map<string, Map<number, Counts>>()
      for (const question of members) {
        const groups =
          family.grouped.length === 0 ? [''] : [...new Set([...knownGroups(question), ...found.keys()])]
        if (groups.length > GROUPS_MAX) tooManyGroups.set(question.slo, groups.length)
        for (const group of groups.slice(0, GROUPS_MAX))
          for (let at = from; at < to; at += family.stepSeconds)
            slices.push(sliceOf(question, group, at, found.get(group)?.get(at)))
      }
    }
  }
  return { slices, tooManyGroups }
}

type Counts = { readonly good: number; readonly total: number }

/** By key, by group, by second. */
async function countsOf(store: Pick<Store, 'ask'>, family: Family, from: number, to: number) {
  const question: Statement<Record<string, never>, z.infer<typeof Row>> = {
    name: 'slo-slices',
    sql: familySql(family, from, to),
    parameters: z.object({}),
    row: Row,
  }
  const rows = await store.ask(question, {}, { lane: 'heavy' })
  const counted = new Map<string, Map<string, Map<number, Counts>>>()
  for (const { k, at, good, total } of rows) {
    const key = keyOf(k.slice(0, family.selected.length))
    if (!family.questions.has(key)) continue
    const group = family.grouped.length === 0 ? '' : keyOf(k.slice(family.selected.length))
    const groups = counted.get(key) ?? new Map<string, Map<number, Counts>>()
    counted.set(key, groups)
    const times = groups.get(group) ?? new Map<number, Counts>()
    groups.set(group, times)
    times.set(at, { good, total })
  }
  return counted
}

function sliceOf(
  { slo, generation, stepSeconds }: SliceQuestion,
  group: string,
  startSecond: number,
  counts: Counts = { good: 0, total: 0 },
): MeasuredSlice {
  return { slo, generation, group, startSecond, stepSeconds, ...counts }
}
