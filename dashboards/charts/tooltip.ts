// What hovering a chart says, as markup for ECharts. Names come from telemetry that anybody may send, so every
// value passes through escapeHtml, and colours are classes, because the page's policy admits no inline style.

import type { ReleaseEvent } from '../../query/http/schemas.ts'
import type { Words } from '../i18n/words.ts'
import { actionKey } from '../verdict.ts'

export type TooltipRow = { readonly name: string; readonly hue: number; readonly value: string }

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** @param releases events close to the cursor, told above the figures */
export function tooltipHtml(
  atMs: number,
  rows: readonly TooltipRow[],
  releases: readonly ReleaseEvent[],
  words: Words,
): string {
  const head = `<div>${escapeHtml(words.time(atMs, atMs))}</div>`
  const told = releases.map(
    (event) => `<div class="tip-release">⚑ ${escapeHtml(releaseText(event, words))}</div>`,
  )
  const figures = rows.map(
    (row) =>
      `<div class="tip-row"><span class="swatch hue-${row.hue}"></span>` +
      `<span class="tip-name">${escapeHtml(row.name)}</span>` +
      `<span class="value">${escapeHtml(row.value)}</span></div>`,
  )
  return `<div class="tip">${head}${told.join('')}${figures.join('')}</div>`
}

/** «10:02:03 deployed 2.14.0 (dev.cdevents.service.deployed.0.2.0): gray release, branch 0531» */
export function releaseText(event: ReleaseEvent, words: Words): string {
  const atMs = Date.parse(event.at)
  const version = event.version === '' ? '' : ` ${event.version}`
  const description = event.description === '' ? '' : `: ${event.description}`
  return `${words.time(atMs, atMs)} ${words.text(actionKey(event))}${version} (${event.type})${description}`
}
