// A bar from 0 to 1, for a probability. Only a picture: the figure stands beside it.

import { el } from './dom.ts'

export function shareBar(share: number, style: string): HTMLElement {
  const fill = el('span', { class: `fill ${style}` })
  // Through CSSOM, because the page's policy refuses style attributes.
  fill.style.width = `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)}%`
  return el('span', { class: 'share-bar', 'aria-hidden': 'true' }, fill)
}
