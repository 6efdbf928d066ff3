// The figure of burn rates in the details of an SLO: its caption, its chart, and what is said when there is none.

import type { SloBurnReply, SloItem } from '../../query/http/slo-schemas.ts'
import type { Range } from '../api.ts'
import { burnChart } from '../charts/burn-chart.ts'
import { type ChartGroup, openCharts, readPalette } from '../charts/mount.ts'
import { absent, type Words } from '../i18n/words.ts'
import { el, update } from './dom.ts'
import { type Panel, panelFailure } from './panel.ts'
import type { ReleaseSection } from './release-section.ts'

/** Burn windows are hours long: a chart of minutes would be a flat line, unless somebody asked for them by instants. */
export function chartRange({ from, to }: Range): Range {
  const minutes = /^-(\d+)m$/.exec(from)
  const isShort = (minutes !== null && Number(minutes[1]) < 360) || from === '-1h'
  return isShort && to === 'now' ? { from: '-6h', to } : { from, to }
}

export type BurnFigure = {
  /** Undefined until it is known. */
  readonly item: SloItem | undefined
  readonly panel: Panel<SloBurnReply>
  readonly range: Range
}

/** @param redraw  the chart has come, which may take a second, or has not */
export function buildBurnFigure(
  byId: (id: string) => HTMLElement,
  redraw: () => void,
  showStrip: ReleaseSection['showStrip'],
) {
  let chart: ChartGroup | undefined
  let isOpening = false
  let failure: unknown
  /** Counts what is shown, to notice that the reader has moved on. */
  let turn = 0

  async function open(): Promise<void> {
    if (isOpening || failure !== undefined) return
    isOpening = true
    const own = turn
    try {
      const opened = await openCharts([byId('burn-chart')], 'slo')
      if (own === turn) chart = opened
      else opened.close()
    } catch (error) {
      failure = error
    } finally {
      isOpening = false
    }
    redraw()
  }

  return {
    draw({ item, panel, range }: BurnFigure, words: Words): void {
      const isComposite = item?.isComposite === true
      byId('burn-figure').hidden = isComposite || item === undefined
      byId('burn-caption').textContent = caption(range, panel.reply, words)
      const isAwaited =
        item !== undefined && !isComposite && panel.reply === undefined && panel.failure === undefined
      update(
        byId('burn-failure'),
        isComposite ? el('p', { class: 'muted' }, words.text('chartBurnComposite')) : undefined,
        isAwaited ? el('p', { class: 'muted' }, words.text('loading')) : undefined,
        panelFailure(panel, words),
        panelFailure(failure === undefined ? {} : { failure }, words),
      )
      if (panel.reply === undefined || isComposite) return
      if (chart === undefined) void open()
      else chart.show([burnChart(panel.reply, words, readPalette(document.documentElement))])
      const { from, to } = panel.reply
      showStrip('burn-strip', {
        service: item?.service ?? '',
        fromMs: Date.parse(from),
        toMs: Date.parse(to),
      })
    },
    /** Lines of one SLO must not stand under the name of another. */
    close(): void {
      turn++
      chart?.close()
      chart = undefined
      failure = undefined
      showStrip('burn-strip', undefined)
    },
  }
}

function caption({ from, to }: Range, reply: SloBurnReply | undefined, words: Words): string {
  const length = /^-(\d+)([smhd])$/.exec(from)
  const size = { s: 1, m: 60, h: 3600, d: 86_400 }[(length?.[2] ?? 's') as 's']
  return words.text('chartBurn', {
    range:
      length !== null && to === 'now'
        ? words.text('chartBurnLast', { length: words.seconds(Number(length[1]) * size) })
        : words.text('chartBurnFixed', { from, to }),
    step: reply === undefined ? absent : words.seconds(reply.stepSeconds),
  })
}
