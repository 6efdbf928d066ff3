// Measures slices of requests: asks each family once, tells its rows apart, and makes a slice of every step of every question,
// also of those without a request: a slice that was measured and had nothing is not a slice that was not measured.

import { z } from 'zod'
import type { Statement, Store } from '../../ingest/store/store.ts'
import { familiesOf, familySql, keyOf, type Family, type RequestQuestion } from './families.ts'
import { heardIn, type Heard } from './heard.ts'
import type { Measured, MeasuredSlice } from './measured-slice.ts'

const Row = z.object({
  k: z.array(z.string()),
  at: z.coerce.number(),
  good: z.coerce.number(),
  total: z.coerce.number(),
})

// Rows of one statement; more come in several.
const SECONDS_MAX = 60

/**
 * @param fromSecond, toSecond  s since epoch; slices that lie in between as a whole are measured
 * @param knownGroups  groups seen before of a series: they are measured when they have no request too
 * @param isOpen  the slices are not over: those without a request are not asked about
 * @throws StoreError
 */
export async function measureRequests(
  store: Pick<Store, 'ask'>,
  questions: readonly RequestQuestion[],
  fromSecond: number,
  toSecond: number,
  knownGroups: (series: string) => Iterable<string> = () => [],
  isOpen = false,
): Promise<Measured> {
  const slices: MeasuredSlice[] = []
  const tooManyGroups = new Map<string, number>()
  const heard = new Map<number, Heard>()
  for (const family of familiesOf(questions)) {
    const { stepSeconds } = family
    const from = Math.ceil(fromSecond / stepSeconds) * stepSeconds
    const to = Math.floor(toSecond / stepSeconds) * stepSeconds
    if (to <= from) continue
    const ears = isOpen
      ? undefined
      : (heard.get(stepSeconds) ?? (await heardIn(store, stepSeconds, from, to)))
    if (ears !== undefined) heard.set(stepSeconds, ears)
    const counted = await countsOf(store, family, from, to)
    for (const [key, members] of family.questions) {
      const found = counted.get(key) ?? new Map<string, Map<number, Counts>>()
      for (const question of members) {
        const { series, indicator } = question
        const groups =
          family.grouped.length === 0 ? [''] : [...new Set([...knownGroups(series), ...found.keys()])]
        if (groups.length > indicator.groupsMax) {
          tooManyGroups.set(series, groups.length)
          continue
        }
        for (let at = from; at < to; at += stepSeconds) {
          let isHeard: boolean | undefined
          for (const group of groups) {
            const counts = found.get(group)?.get(at)
            const isKnown = counts !== undefined || (isHeard ??= ears?.by(indicator, at) ?? false)
            const { good, total } = counts ?? NOTHING
            slices.push({ series, group, startSecond: at, stepSeconds, good, total, isKnown })
          }
        }
      }
    }
  }
  return { slices, tooManyGroups }
}

type Counts = { readonly good: number; readonly total: number }
const NOTHING: Counts = { good: 0, total: 0 }

/** By key, by group, by second. */
async function countsOf(store: Pick<Store, 'ask'>, family: Family, from: number, to: number) {
  const question: Statement<Record<string, never>, z.infer<typeof Row>> = {
    name: 'slo-slices',
    sql: familySql(family, from, to),
    parameters: z.object({}),
    row: Row,
  }
  const rows = await store.ask(question, {}, { lane: 'heavy', secondsMax: SECONDS_MAX })
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
