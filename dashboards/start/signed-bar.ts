// A bar that has a zero: what is left of a budget to the right of it, what is overspent to the left. Only a picture: the
// figure stands beside it.

import { el } from './dom.ts'

/** Where zero stands, as a share of the width. */
const zero = 0.3

/**
 * @param ratio left of the whole, signed; beyond the ends the bar is full
 * @returns left edge and width as shares of the bar
 */
export function signedExtent(ratio: number): { readonly start: number; readonly width: number } {
  if (ratio >= 0) return { start: zero, width: Math.min(1, ratio) * (1 - zero) }
  const width = Math.min(1, -ratio) * zero
  return { start: zero - width, width }
}

export function signedBar(ratio: number): HTMLElement {
  const { start, width } = signedExtent(ratio)
  const level = ratio < 0 ? 'bad' : ratio < 0.25 ? 'warning' : 'ok'
  const fill = el('span', { class: `fill ${level}` })
  // Through CSSOM, because the page's policy refuses style attributes.
  fill.style.left = `${(start * 100).toFixed(1)}%`
  fill.style.width = `${(width * 100).toFixed(1)}%`
  return el('span', { class: 'signed-bar', 'aria-hidden': 'true' }, fill)
}
