// Pages of slices that are about to leave windows longer than what is held: read from the store for many slices at once.

import type { SliceRange } from './slice-ranges.ts'
import type { SliceColumns } from './slices.ts'

export type TailRange = { readonly window: number } & SliceRange

/** Whether columns hold the slices [from, to). */
export function covers(columns: SliceColumns | undefined, from: number, to: number): boolean {
  return columns !== undefined && columns.from <= from && to <= columns.from + columns.total.length
}

export class LeavingPages {
  readonly #pages: (SliceColumns | undefined)[]

  constructor(windows: number) {
    this.#pages = Array.from({ length: windows }, () => undefined)
  }

  /** Columns are kept, not copied. */
  put(window: number, columns: SliceColumns): void {
    this.#pages[window] = columns
  }

  /** The page of a window if it holds [from, to). */
  find(window: number, from: number, to: number): SliceColumns | undefined {
    const page = this.#pages[window]
    return covers(page, from, to) ? page : undefined
  }

  /** Pages that hold some of [from, to) are not true any more. */
  drop(from: number, to: number): void {
    for (const [window, page] of this.#pages.entries())
      if (page !== undefined && page.from < to && from < page.from + page.total.length)
        this.#pages[window] = undefined
  }

  clear(): void {
    this.#pages.fill(undefined)
  }
}
