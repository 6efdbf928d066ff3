// What was read of minutes that are over, kept from one look at a fault to the next: it is looked at every fifteen seconds and then
// every minute, and a derived minute is read again only when late spans had it derived anew. Never changes an answer.

/** Rows of one question by minute since 1970. */
export type ByMinute<Row> = ReadonlyMap<number, readonly Row[]>

export type AskedMinutes<Row> = {
  readonly rows: ByMinute<Row>
  /** Whether every row is there; else nothing is kept, because a bound of more minutes may leave other rows. */
  readonly isWhole: boolean
}

export interface GatherMemory {
  /**
   * @param slot     which question; with another text or other parameters (`asked`) what was kept is forgotten
   * @param minutes  those wanted, with the number of the derivation that counts
   * @param ask      reads the minutes from the first to before the second
   * @returns rows of the wanted minutes alone
   */
  byMinute<Row>(
    slot: Slot,
    minutes: ReadonlyMap<number, number>,
    ask: (from: number, to: number) => Promise<AskedMinutes<Row>>,
  ): Promise<ByMinute<Row>>
}

export type Slot = { readonly fault: string; readonly name: string; readonly asked: string }

type Kept = {
  readonly asked: string
  readonly minutes: Map<number, { readonly derivation: number; readonly rows: readonly unknown[] }>
}

/** Rows of all faults together: about 100 bytes each. A case at 10M spans an hour has some 90,000. */
const ROWS_MAX = 400_000

export function buildGatherMemory(rowsMax = ROWS_MAX): GatherMemory {
  // By fault, the one looked at last comes last.
  const faults = new Map<string, Map<string, Kept>>()

  function slotOf({ fault, name, asked }: Slot): Kept {
    const slots = faults.get(fault) ?? new Map<string, Kept>()
    faults.delete(fault)
    faults.set(fault, slots)
    const known = slots.get(name)
    if (known?.asked === asked) return known
    const made = { asked, minutes: new Map<number, never>() }
    slots.set(name, made)
    return made
  }

  function forgetOldest(): void {
    let rows = [...faults.values()].reduce((sum, slots) => sum + rowsOf(slots), 0)
    for (const [fault, slots] of faults) {
      if (rows <= rowsMax) return
      rows -= rowsOf(slots)
      faults.delete(fault)
    }
  }

  return {
    async byMinute<Row>(
      slot: Slot,
      minutes: ReadonlyMap<number, number>,
      ask: (from: number, to: number) => Promise<AskedMinutes<Row>>,
    ) {
      const kept = slotOf(slot)
      const isKnown = ([minute, derivation]: readonly [number, number]) =>
        kept.minutes.get(minute)?.derivation === derivation
      const wanted = [...minutes].filter((one) => !isKnown(one))
      const found = new Map<number, readonly Row[]>()
      // The slot is of one question with one set of parameters, so its rows have one shape.
      for (const minute of minutes.keys())
        found.set(minute, (kept.minutes.get(minute)?.rows ?? []) as readonly Row[])
      if (wanted.length === 0) return found
      const numbers = wanted.map(([minute]) => minute)
      const { rows, isWhole } = await ask(Math.min(...numbers), Math.max(...numbers) + 1)
      for (const [minute, derivation] of wanted) {
        const read = rows.get(minute) ?? []
        found.set(minute, read)
        if (isWhole) kept.minutes.set(minute, { derivation, rows: read })
      }
      if (!isWhole) kept.minutes.clear()
      forgetOldest()
      return found
    },
  }
}

const rowsOf = (slots: ReadonlyMap<string, Kept>) => {
  let sum = 0
  for (const { minutes } of slots.values()) for (const { rows } of minutes.values()) sum += rows.length + 1
  return sum
}

/** Rows by their minute. */
export function byMinuteOf<Row extends { readonly minute: number }>(
  rows: readonly Row[],
): Map<number, Row[]> {
  const found = new Map<number, Row[]>()
  for (const row of rows) {
    const known = found.get(row.minute)
    if (known === undefined) found.set(row.minute, [row])
    else known.push(row)
  }
  return found
}
