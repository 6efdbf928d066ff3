// The colours a chart is drawn with, and which of the eight hues a version gets. The colours themselves are the
// variables of theme.css; here they only have names.

/** A colour, or a pattern that ECharts can repeat. */
export type Fill = string | { readonly image: HTMLCanvasElement; readonly repeat: 'repeat' }

export type Palette = {
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly release: string
  /** Of lines, and of words, that stand for what is bad. */
  readonly bad: string
  readonly badText: string
  /** Hatched where there is no data. */
  readonly noData: Fill
  /** Eight hues in a fixed order. */
  readonly series: readonly string[]
}

export const hueCount = 8

/**
 * A hue per name: the same name gets the same hue in every chart, on every screen. Two names that meet on one hue
 * part by moving the later one in version order, so a new version never takes the colour of the one it replaces.
 *
 * @returns indexes 0–7 by name; beyond eight names hues repeat and the dash pattern tells them apart
 */
export function assignHues(names: readonly string[]): ReadonlyMap<string, number> {
  const hues = new Map<string, number>()
  for (const name of names.toSorted(byVersion)) {
    let hue = hash(name) % hueCount
    if (hues.size < hueCount) {
      const taken = new Set(hues.values())
      while (taken.has(hue)) hue = (hue + 1) % hueCount
    }
    hues.set(name, hue)
  }
  return hues
}

/** 2.9.0 before 2.14.0. */
export function byVersion(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b))
}

const collator = new Intl.Collator('en', { numeric: true })

/** FNV-1a, 32 bits: spreads short names well and is the same in every browser. */
function hash(text: string): number {
  let value = 0x81_1c_9d_c5
  for (let index = 0; index < text.length; index++) {
    value ^= text.charCodeAt(index)
    value = Math.imul(value, 0x01_00_01_93)
  }
  return value >>> 0
}
